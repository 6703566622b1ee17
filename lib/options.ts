import { constants } from 'node:buffer'

import { invalidArgType, invalidArgValue, outOfRange } from './errors'
import * as flag from './flags'
import { byteCount, fileMode, optionalBoolean, optionsOf } from './validate'

import type { Access, Advice } from './types'

/** `MappedFile` options as the native side takes them: `length` -1 is "to the end". */
export interface OpenRequest {
  readonly access: Access
  readonly flags: number
  readonly offset: number
  readonly length: number
  readonly mode: number
  /** Where a file is copied instead, the most that a copy may have. */
  readonly capacity: number
  readonly sharedArrayBuffer: boolean
  readonly advice: Advice | undefined
}

const WRITE_ONLY = ['create', 'mode', 'sparse', 'capacity']
const COMMON = ['exec', 'populate', 'noReserve', 'lock', 'hugePages', 'sharedArrayBuffer', 'ifUnsafe', 'advice']
const OPEN = ['access', 'offset', 'length', ...WRITE_ONLY, ...COMMON]
const MEMORY = ['hugePages', 'noReserve', 'sharedArrayBuffer']
const FLUSH = ['offset', 'length', 'wait', 'invalidate']
const RANGE = ['offset', 'length']

/** Hints that lose nothing: `Mapping.advise`. */
export const ADVICE: readonly Advice[] = [
  'normal',
  'random',
  'sequential',
  'willneed',
  'cold',
  'pageout',
  'hugepage',
  'nohugepage',
  'dontdump',
  'dodump',
  'dontfork',
  'dofork',
  'mergeable',
  'unmergeable',
]

const ACCESS_FLAGS: Readonly<Record<Access, number>> = {
  read: 0,
  write: flag.ACCESS_WRITE,
  copy: flag.ACCESS_COPY,
}

const DEFAULT_MODE = 0o666
const DEFAULT_OPEN: OpenRequest = {
  access: 'read',
  flags: 0,
  offset: 0,
  length: -1,
  mode: DEFAULT_MODE,
  capacity: 0,
  sharedArrayBuffer: false,
  advice: undefined,
}

/** Checks the options of `MappedFile.open` and of what takes the same ones; nothing was touched yet. */
export function openRequest(options: unknown, caller = 'MappedFile.open'): OpenRequest {
  if (options === undefined) return DEFAULT_OPEN
  const given = optionsOf(options, OPEN, caller)
  const access = accessOf(given['access'])
  if (access !== 'write') {
    const alone = WRITE_ONLY.find((name) => given[name] !== undefined)
    if (alone !== undefined) throw invalidArgValue(`options.${alone}`, given[alone], "needs access: 'write'")
  }
  const offset = given['offset'] === undefined ? 0 : byteCount(given['offset'], 'options.offset')
  const length = given['length'] === undefined ? -1 : byteCount(given['length'], 'options.length')
  if (offset + length > Number.MAX_SAFE_INTEGER) {
    throw outOfRange('options.length', `<= ${Number.MAX_SAFE_INTEGER - offset} behind that offset`, length)
  }
  const unsafe = unsafeFlags(given['ifUnsafe'], access)
  const room = given['capacity'] === undefined ? 0 : byteCount(given['capacity'], 'options.capacity')
  const capacity = unsafe === flag.UNSAFE_COPY ? constants.MAX_LENGTH : room
  if (room > 0 && length > room) throw outOfRange('options.capacity', `>= ${length}, the length`, given['capacity'])
  const mode = given['mode'] === undefined ? DEFAULT_MODE : fileMode(given['mode'], 'options.mode')
  const exec = switched(given, 'exec', flag.EXEC)
  if (exec !== 0 && access !== 'read')
    throw invalidArgValue('options.exec', true, "needs access: 'read': never write and execute")
  const flags =
    ACCESS_FLAGS[access] |
    createFlags(given['create']) |
    switched(given, 'sparse', flag.SPARSE) |
    exec |
    switched(given, 'populate', flag.POPULATE) |
    switched(given, 'noReserve', flag.NO_RESERVE) |
    switched(given, 'lock', flag.LOCK) |
    switched(given, 'hugePages', flag.HUGE) |
    unsafe
  const sharedArrayBuffer = optionalBoolean(given['sharedArrayBuffer'], 'options.sharedArrayBuffer') ?? false
  const advice = given['advice'] === undefined ? undefined : adviceOf(given['advice'], 'options.advice')
  return { access, flags, offset, length, mode, capacity, sharedArrayBuffer, advice }
}

/** Checks the options of `AnonymousMemory.create`. */
export function memoryRequest(options: unknown): { flags: number; sharedArrayBuffer: boolean } {
  if (options === undefined) return { flags: 0, sharedArrayBuffer: false }
  const given = optionsOf(options, MEMORY, 'AnonymousMemory.create')
  return {
    flags: switched(given, 'hugePages', flag.HUGE) | switched(given, 'noReserve', flag.NO_RESERVE),
    sharedArrayBuffer: optionalBoolean(given['sharedArrayBuffer'], 'options.sharedArrayBuffer') ?? false,
  }
}

/** One of the hints. */
export function adviceOf(value: unknown, name: string): Advice {
  if (typeof value !== 'string') throw invalidArgType(name, 'of type string', value)
  if ((ADVICE as readonly string[]).includes(value)) return value as Advice
  throw invalidArgValue(name, value, `must be one of: '${ADVICE.join("', '")}'`)
}

/** Bytes of a mapping. */
export interface Range {
  readonly offset: number
  readonly length: number
}

/** What a range lies in. */
interface Sized {
  readonly byteLength: number
}

/** A range of a mapping; absent: all of it. Never clamped. */
export function rangeOf(range: unknown, mapping: Sized, caller: string): Range {
  if (range === undefined) return { offset: 0, length: mapping.byteLength }
  return within(optionsOf(range, RANGE, caller), mapping)
}

/** The range that checked options name: inside of the mapping as it is after all of them were read (that can run the user's code), never clamped. */
export function within(given: Record<string, unknown>, mapping: Sized): Range {
  const { offset: from, length: most } = given
  const offset = from === undefined ? 0 : byteCount(from, 'options.offset')
  const size = mapping.byteLength
  if (offset > size) throw outOfRange('options.offset', `>= 0 && <= ${size}`, from)
  const length = most === undefined ? size - offset : byteCount(most, 'options.length')
  if (length > size - offset) throw outOfRange('options.length', `>= 0 && <= ${size - offset}`, most)
  return { offset, length }
}

/** `flush` options as the native side takes them. */
export interface FlushRequest {
  readonly offset: number
  readonly length: number
  readonly flags: number
}

/** Checks the options of `flush` and `flushSync` against the mapping's length. */
export function flushRequest(options: unknown, mapping: Sized): FlushRequest {
  if (options === undefined) return { offset: 0, length: mapping.byteLength, flags: 0 }
  const given = optionsOf(options, FLUSH, 'flush')
  const wait = optionalBoolean(given['wait'], 'options.wait') ?? true
  const invalidate = optionalBoolean(given['invalidate'], 'options.invalidate') ?? false
  const { offset, length } = within(given, mapping)
  return { offset, length, flags: (wait ? 0 : flag.FLUSH_NO_WAIT) | (invalidate ? flag.FLUSH_INVALIDATE : 0) }
}

function accessOf(value: unknown): Access {
  if (value === undefined) return 'read'
  if (typeof value !== 'string') throw invalidArgType('options.access', 'of type string', value)
  if (Object.hasOwn(ACCESS_FLAGS, value)) return value as Access
  throw invalidArgValue('options.access', value, "must be one of: 'read', 'write', 'copy'")
}

function createFlags(value: unknown): number {
  if (value === undefined || value === false) return 0
  if (value === true) return flag.CREATE
  if (value === 'exclusive') return flag.CREATE | flag.EXCLUSIVE
  if (typeof value === 'string') throw invalidArgValue('options.create', value, "must be true, false or 'exclusive'")
  throw invalidArgType('options.create', "of type boolean or 'exclusive'", value)
}

function switched(given: Record<string, unknown>, name: string, bit: number): number {
  return optionalBoolean(given[name], `options.${name}`) === true ? bit : 0
}

function unsafeFlags(value: unknown, access: Access): number {
  if (value === undefined || value === 'map') return 0
  if (typeof value !== 'string') throw invalidArgType('options.ifUnsafe', 'of type string', value)
  if (value === 'throw') return flag.UNSAFE_THROW
  if (value !== 'copy') throw invalidArgValue('options.ifUnsafe', value, "must be one of: 'map', 'copy', 'throw'")
  if (access === 'write') throw invalidArgValue('options.ifUnsafe', value, "is of no use with access: 'write'")
  return flag.UNSAFE_COPY
}
