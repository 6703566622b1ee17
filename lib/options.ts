import { featureUnavailable, invalidArgType, invalidArgValue, outOfRange } from './errors'
import * as flag from './flags'
import { byteCount, fileMode, optionalBoolean, optionsOf } from './validate'

import type { Access } from './types'

/** `MappedFile` options as the native side takes them: `length` -1 is "to the end". */
export interface OpenRequest {
  readonly access: Access
  readonly flags: number
  readonly offset: number
  readonly length: number
  readonly mode: number
}

/** Options of later versions, with the one value that asks for nothing. */
const LATER_OPEN: Readonly<Record<string, unknown>> = {
  exec: false,
  populate: false,
  noReserve: false,
  lock: false,
  hugePages: false,
  sharedArrayBuffer: false,
  ifUnsafe: 'map',
  advice: undefined,
  capacity: undefined,
}
const LATER_MEMORY: Readonly<Record<string, unknown>> = { hugePages: false, noReserve: false, sharedArrayBuffer: false }

const WRITE_ONLY = ['create', 'mode', 'sparse', 'capacity']
const OPEN = ['access', 'offset', 'length', ...WRITE_ONLY.slice(0, 3), ...Object.keys(LATER_OPEN)]
const FLUSH = ['offset', 'length', 'wait', 'invalidate']

const ACCESS_FLAGS: Readonly<Record<Access, number>> = {
  read: 0,
  write: flag.ACCESS_WRITE,
  copy: flag.ACCESS_COPY,
}

const DEFAULT_MODE = 0o666
const DEFAULT_OPEN: OpenRequest = { access: 'read', flags: 0, offset: 0, length: -1, mode: DEFAULT_MODE }

/** Checks the options of `MappedFile.open` and `openSync`; nothing was touched yet. */
export function openRequest(options: unknown): OpenRequest {
  if (options === undefined) return DEFAULT_OPEN
  const given = optionsOf(options, OPEN, 'MappedFile.open')
  const access = accessOf(given['access'])
  if (access !== 'write') {
    const alone = WRITE_ONLY.find((name) => given[name] !== undefined)
    if (alone !== undefined) throw invalidArgValue(`options.${alone}`, given[alone], "needs access: 'write'")
  }
  refuseLater(given, LATER_OPEN)
  const offset = given['offset'] === undefined ? 0 : byteCount(given['offset'], 'options.offset')
  const length = given['length'] === undefined ? -1 : byteCount(given['length'], 'options.length')
  if (offset + length > Number.MAX_SAFE_INTEGER) {
    throw outOfRange('options.length', `<= ${Number.MAX_SAFE_INTEGER - offset} behind that offset`, length)
  }
  const mode = given['mode'] === undefined ? DEFAULT_MODE : fileMode(given['mode'], 'options.mode')
  const sparse = optionalBoolean(given['sparse'], 'options.sparse') ? flag.SPARSE : 0
  const flags = ACCESS_FLAGS[access] | createFlags(given['create']) | sparse
  return { access, flags, offset, length, mode }
}

/** Checks the options of `AnonymousMemory.create`: all of them are later ones. */
export function checkMemoryOptions(options: unknown): void {
  if (options === undefined) return
  refuseLater(optionsOf(options, Object.keys(LATER_MEMORY), 'AnonymousMemory.create'), LATER_MEMORY)
}

/** `flush` options as the native side takes them. */
export interface FlushRequest {
  readonly offset: number
  readonly length: number
  readonly flags: number
}

/** Checks the options of `flush` and `flushSync` against the mapping's length. */
export function flushRequest(options: unknown, size: number): FlushRequest {
  if (options === undefined) return { offset: 0, length: size, flags: 0 }
  const given = optionsOf(options, FLUSH, 'flush')
  const offset = given['offset'] === undefined ? 0 : byteCount(given['offset'], 'options.offset')
  if (offset > size) throw outOfRange('options.offset', `>= 0 && <= ${size}`, given['offset'])
  const length = given['length'] === undefined ? size - offset : byteCount(given['length'], 'options.length')
  if (length > size - offset) throw outOfRange('options.length', `>= 0 && <= ${size - offset}`, given['length'])
  const wait = optionalBoolean(given['wait'], 'options.wait') ?? true
  const invalidate = optionalBoolean(given['invalidate'], 'options.invalidate') ?? false
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

/** What is not offered is never ignored. */
function refuseLater(given: Record<string, unknown>, later: Readonly<Record<string, unknown>>): void {
  for (const name of Object.keys(later)) {
    const value = given[name]
    if (value === undefined || value === later[name]) continue
    if (later[name] === false && typeof value !== 'boolean')
      throw invalidArgType(`options.${name}`, 'of type boolean', value)
    throw featureUnavailable(`The option '${name}'`)
  }
}
