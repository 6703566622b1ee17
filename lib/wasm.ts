/**
 * `memmap/wasm`: a file inside the linear memory of a WebAssembly module, which reads and writes it as its own memory. No copy.
 */
import { wasmSupported } from './carriers'
import { invalidArgType, invalidArgValue, outOfRange, systemError } from './errors'
// oxlint-disable-next-line import/no-unassigned-import -- a handle of a mapping leads to this class, wherever it is received
import './mapped-file'
import { Mapping, openedWith } from './mapping'
import { LOCK, PRIVATE_READ } from './flags'
import { native as binding } from './native'
import { openRequest } from './options'
import { openedCarrier } from './overlays'
import { MAPPED_FILE } from './sharing'
import { explained, nativeTarget } from './target'
import { byteCount, checkInteger } from './validate'

import type { NativeMapping } from '../binding'
import type { Core } from './core'
import type { OpenOptions, Opt, Target } from './types'

/** `WebAssembly.Memory`, as far as this needs it; declared here so that no DOM library is needed. */
export interface WebAssemblyMemory {
  readonly buffer: ArrayBufferLike
  grow(pages: never): unknown
}

/** Where in the memory: a multiple of 64 KiB below its length. Default: the memory grows, and the file lies in the fresh pages. */
export type MapIntoOptions = OpenOptions & Opt<{ at: number | bigint }>

/** WebAssembly's page, in bytes. */
const PAGE = 65_536

/** What is mapped into each memory, so that no two mappings overlap. */
const taken = new WeakMap<object, Set<{ readonly from: number; readonly to: number }>>()

/** A mapping that lies in a WebAssembly memory. */
export class WasmMapping<B extends ArrayBufferLike = ArrayBufferLike> extends Mapping<B> {
  /** Where the mapping's first byte is for the module, in bytes from the memory's start. */
  readonly at: number

  /** Not for users: `mapInto` makes them. */
  constructor(core: unknown, at: number) {
    super(core)
    this.at = at
  }
}

/**
 * Maps a file into the linear memory of a module. Positions of the mapping's methods count from the file's first byte; the module finds it
 * at `at`. Views derive from `memory.buffer` at each call: growing the memory makes old ones length 0. `close()` gives zero pages back.
 *
 * @throws `ENOTSUP` on Windows, Bun and 32-bit systems; `ERR_OUT_OF_RANGE` where the memory has no such place or `offset` is not a multiple
 * of the system's page; `ENOMEM` where the memory cannot grow; `ERR_INVALID_ARG_VALUE` where another mapping lies there; and what
 * `MappedFile.openSync` throws.
 * @example
 * const memory = new WebAssembly.Memory({ initial: 1, maximum: 65536 })
 * const file = mapInto(memory, 'model.bin')
 * try {
 *   instance.exports.scan(file.at, file.byteLength)
 * } finally {
 *   file.close()
 * }
 */
export function mapInto(memory: WebAssemblyMemory, target: Target, options: MapIntoOptions = {}): WasmMapping {
  if (!wasmSupported()) throw systemError('ENOTSUP', 'mmap')
  checkMemory(memory)
  const path = nativeTarget(target)
  // An array has an `at` of its own.
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw invalidArgType('options', 'of type object', options)
  }
  const { at: asked, ...rest } = options
  const at = asked === undefined ? undefined : byteCount(asked, 'options.at')
  const request = openRequest(rest, 'mapInto')
  if (request.sharedArrayBuffer) {
    throw invalidArgValue(
      'options.sharedArrayBuffer',
      true,
      'is of no use here: the memory itself says whether it is shared',
    )
  }
  // Of a copy it is the most that may be copied.
  if (request.access === 'write' && request.capacity > 0)
    throw invalidArgValue('options.capacity', request.capacity, 'is of no use here: nothing can grow inside a memory')
  if (request.offset % Mapping.pageSize !== 0) {
    throw outOfRange('options.offset', `a multiple of the page, ${Mapping.pageSize} bytes`, request.offset)
  }
  const { flags, offset, length, mode, capacity, access, advice } = request
  // A file is neither made nor extended for a place that cannot be had.
  if (at !== undefined) checkPlace(memory, at, length > 0 ? wholePages(length) : 0)
  // memory.grow() makes all pages of the memory writable (mprotect), and aborts the process where it may not: shared pages of a read-only file.
  const form = access === 'read' ? PRIVATE_READ : 0
  let native: NativeMapping
  try {
    native = binding.NativeMapping.openSync(path, flags | form, offset, length, mode, capacity)
  } catch (error) {
    throw explained(error, path)
  }
  const origin = {
    access,
    path: typeof path === 'number' ? undefined : path,
    isPrivate: access === 'copy',
    sharedArrayBuffer: false,
    // Whoever gets its handle gets the file; the place in the memory is this thread's.
    label: MAPPED_FILE,
    ownCarrier: true,
  }
  return openedWith(native, origin, (core) => {
    const place = core.mapLength === 0 ? (at ?? bufferOf(memory).byteLength) : put(memory, native, core, at)
    if (advice !== undefined) native.advise(advice, 0, core.byteLength)
    // Private pages have moved there, out of those that were locked.
    if ((flags & LOCK) !== 0 && core.isCarried) native.lock(0, core.byteLength)
    return new WasmMapping(core, place)
  })
}

const prototype = (globalThis as { WebAssembly?: { Memory: { prototype: WebAssemblyMemory } } }).WebAssembly?.Memory
  .prototype
/** The engine's own: what a program puts over them says nothing about where the memory is. */
const { get: getBuffer } = (prototype && Object.getOwnPropertyDescriptor(prototype, 'buffer')) ?? {}
const growth = prototype?.grow

function bufferOf(memory: WebAssemblyMemory): ArrayBufferLike {
  return getBuffer!.call(memory) as ArrayBufferLike
}

function checkMemory(memory: unknown): asserts memory is WebAssemblyMemory {
  try {
    bufferOf(memory as WebAssemblyMemory)
  } catch {
    throw invalidArgType('memory', 'an instance of WebAssembly.Memory', memory)
  }
}

function wholePages(length: number): number {
  return Math.ceil(length / Mapping.pageSize) * Mapping.pageSize
}

/** Whether so many bytes can lie there, as far as the memory is known now. */
function checkPlace(memory: WebAssemblyMemory, at: number, length: number): void {
  const { byteLength } = bufferOf(memory)
  checkInteger(at, 'options.at', 0, byteLength - 1)
  if (at % PAGE !== 0) throw outOfRange('options.at', `a multiple of ${PAGE}`, at)
  if (at + length > byteLength) {
    throw outOfRange('options.at', `<= ${byteLength - length}: the mapping takes ${length} bytes`, at)
  }
  for (const other of taken.get(memory) ?? []) {
    if (at < other.to && other.from < at + length) {
      throw invalidArgValue('options.at', at, `overlaps another mapping, from ${other.from} to ${other.to}`)
    }
  }
}

/** Maps the file over the memory's pages; returns where. */
function put(memory: WebAssemblyMemory, native: NativeMapping, core: Core, at: number | undefined): number {
  const from = at ?? grow(memory, core.mapLength)
  checkPlace(memory, from, core.mapLength)
  const ranges = taken.get(memory) ?? new Set()
  const range = { from, to: from + core.mapLength }
  const closed = (): void => void ranges.delete(range)
  const users = { memory, buffer: () => bufferOf(memory) }
  try {
    core.use(openedCarrier(native, users, from, core.mapLength, core.access !== 'write', core, closed))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EBUSY') throw error
    throw invalidArgValue('options.at', from, 'overlaps another mapping, of another thread of this shared memory')
  }
  ranges.add(range)
  taken.set(memory, ranges)
  return from
}

/** Fresh pages for so many bytes; returns where they begin: by the engine's own word, as other threads may grow a shared memory, too. */
function grow(memory: WebAssemblyMemory, length: number): number {
  const attempt = (count: number | bigint): number => {
    try {
      return PAGE * Number(growth!.call(memory, count as never))
    } catch (error) {
      // A 64-bit memory counts in bigints.
      if (error instanceof TypeError && typeof count === 'number') return attempt(BigInt(count))
      if (error instanceof RangeError) throw systemError('ENOMEM', 'memory.grow')
      throw error
    }
  }
  return attempt(Math.ceil(length / PAGE))
}
