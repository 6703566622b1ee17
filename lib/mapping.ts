import { Buffer } from 'node:buffer'

import { AccessorWindows } from './accessor-windows'
import { stateOf } from './accessors'
import { viewsSupported, wasmSupported } from './carriers'
import * as control from './control'
import { Core } from './core'
import { bufferTooLarge, invalidArgType, invalidArgValue, mappingFault, outOfRange } from './errors'
import { direct, native } from './native'
import { later } from './on-demand'
import { flushRequest } from './options'
import { Sequential } from './sequential'
import { keepShape } from './shapes'
import { MAPPED_FILE, SHARED_MEMORY, handleOf, receive } from './sharing'
import { checkInteger, relative } from './validate'
import { MAX_LENGTH, Windows, emptyBuffer } from './windows'

import type { NativeMapping } from '../binding'
import type { CarrierKind } from './carriers'
import type { Origin } from './core'
import type {
  Access,
  Advice,
  ByteRange,
  Feature,
  FlushOptions,
  MappingFault,
  MappingHandle,
  Opt,
  Protection,
  Residency,
  ViewConstructor,
  ViewOf,
  WaitOptions,
  WaitResult,
} from './types'

const FEATURES: readonly string[] = (
  'views sharedArrayBuffer faultGuard wait memfd seal posixShm sysvShm hugePages residency lock resizeInPlace wasm normal random sequential ' +
  'willneed cold pageout hugepage nohugepage dontdump dodump dontfork dofork mergeable unmergeable'
).split(' ')

const supported = new Set<string>()

/** What depends on the engine, not on the system. */
const here: Partial<Record<Feature, () => boolean>> = { views: viewsSupported, wasm: wasmSupported }

/**
 * Memory that is mapped: a file's, one that processes share, or nobody's. Instances come from `MappedFile`, `AnonymousMemory`, `SharedMemory`,
 * `memmap/posix` and `memmap/wasm`. `B` is the buffer that its views stand on.
 */
export abstract class Mapping<B extends ArrayBufferLike = ArrayBufferLike> extends Sequential<B> {
  /** The system's page, in bytes. */
  static readonly pageSize: number = native.pageSize()

  /** What file offsets of the system's own mappings are multiples of, in bytes. `offset` need not be. */
  static readonly allocationGranularity: number = native.allocationGranularity()

  /**
   * Whether this system, engine and version have a feature.
   *
   * @throws `ERR_INVALID_ARG_VALUE` for a feature that no version has.
   */
  static isSupported(feature: Feature): boolean {
    if (typeof feature !== 'string') throw invalidArgType('feature', 'of type string', feature)
    if (!FEATURES.includes(feature))
      throw invalidArgValue('feature', feature, `must be one of: '${FEATURES.join("', '")}'`)
    let answer = supported.has(feature)
    if (!answer) {
      answer = here[feature]?.() ?? native.isSupported(feature)
      // A no can be one for want of descriptors or memory, and pass.
      if (answer) supported.add(feature)
    }
    return answer
  }

  /**
   * Another mapping of the memory behind a handle: the same pages, no copy. Each is closed on its own; the memory goes with the last.
   *
   * @throws `ERR_INVALID_STATE` for a handle of another process, and where no mapping of the memory is open any more.
   * @example
   * worker.postMessage(mapping.share()) // in the worker: Mapping.from(message)
   */
  static from(handle: MappingHandle): Mapping {
    const { native: mapping, ...origin } = receive(handle)
    const { label } = origin
    // What is not UTF-8 has lost its bytes on the way: it would name another file, or none.
    const name = mapping.path?.includes('\ufffd') === true ? undefined : (mapping.path ?? undefined)
    const path = label === MAPPED_FILE ? name : undefined
    return openedWith(mapping, { ...origin, path }, (core) =>
      adopters[label]!(core, label === SHARED_MEMORY ? name : undefined),
    )
  }

  protected constructor(core: unknown) {
    super(core)
  }

  /** In bytes; 0 after `close()`. */
  get byteLength(): number {
    const core = stateOf(this)
    return core.closed ? 0 : core.byteLength
  }

  /** Position in the file of the mapping's first byte. */
  get fileOffset(): number {
    return stateOf(this).fileOffset
  }

  /** What stores do: `'read'`, `'write'` or `'copy'`. */
  get access(): Access {
    return stateOf(this).access
  }

  /** The file as it was given to `open` (a `file:` URL as its path); `undefined` for descriptors and memory without a file. */
  get path(): string | Buffer | undefined {
    return stateOf(this).path
  }

  /** The mapping's own descriptor of the file, which `close()` closes; `undefined` then, and where there is none. */
  get fd(): number | undefined {
    const core = stateOf(this)
    return core.closed ? undefined : core.fd
  }

  /** Of the mapping's first byte in this process; 0n after `close()`, for an empty mapping, and where the engine has moved the memory away. */
  get address(): bigint {
    const core = stateOf(this)
    return core.closed || core.isMoved ? 0n : core.native.address
  }

  /** Of this mapping, in bytes. */
  get pageSize(): number {
    return stateOf(this).pageSize
  }

  /** Whether `close()` was called. */
  get closed(): boolean {
    return stateOf(this).closed
  }

  /** Whether its bytes are the file's pages, not a private copy that was read (`ifUnsafe: 'copy'`). */
  get mapped(): boolean {
    return stateOf(this).mapped
  }

  /** What views stand on: `'none'` where the engine allows none, and after `close()`. */
  get carrier(): CarrierKind {
    const core = stateOf(this)
    return core.closed ? 'none' : core.kind
  }

  /** What happened to the memory since it was mapped or `clearFault()` was called, or `null`. */
  get fault(): MappingFault | null {
    return stateOf(this).fault
  }

  /**
   * The one line to write after reading through views, which show zeros where the file is gone.
   *
   * @throws `ERR_MAPPING_FAULT` if the bytes cannot be trusted; a `'protected'` fault loses none. `ERR_INVALID_STATE` after `close()`, which
   *   has made the views empty, unless there was a fault.
   */
  throwIfFaulted(): void {
    const core = stateOf(this)
    const { fault } = core
    if (fault !== null && fault.kind !== 'protected') throw mappingFault(fault, core.path)
    core.checkOpen()
  }

  /**
   * Maps the file's pages again where a fault had replaced them.
   *
   * @throws `ENOTSUP` of shared memory that no descriptor leads to (System V, `MAP_SHARED | MAP_ANONYMOUS`): attach it again.
   *   `ERR_MAPPING_FAULT` where the engine moved the memory (`'moved'`): close it and map again.
   */
  clearFault(): void {
    stateOf(this).clearFault()
  }

  /** The file's length now, in bytes; the mapping's own where there is no file. */
  size(): number {
    const core = stateOf(this)
    core.checkOpen()
    return core.native.size()
  }

  /**
   * A Buffer over the whole mapping, no copy; always the same one. `byteOffset` in its ArrayBuffer need not be 0.
   *
   * @throws `ERR_BUFFER_TOO_LARGE` where the engine cannot address so much at once: use `subarray`.
   */
  get bytes(): Buffer<B> {
    const core = stateOf(this)
    core.checkOpen()
    return windowsOf(core).whole() as Buffer as Buffer<B>
  }

  /** A Buffer over the bytes from `begin` (default 0) to `end` (default: the end), no copy. Negative counts from the end; both are clamped. */
  subarray(begin?: number, end?: number): Buffer<B> {
    const core = stateOf(this)
    core.checkOpen()
    const from = relative(begin, 'begin', 0, core.byteLength)
    const length = relative(end, 'end', core.byteLength, core.byteLength) - from
    if (length <= 0) return Buffer.from(emptyBuffer(core)) as Buffer as Buffer<B>
    const windows = windowsOf(core)
    const start = core.delta + from
    const buffer = windows.at(start, length)
    return Buffer.from(buffer, start - windows.origin, length) as Buffer as Buffer<B>
  }

  /**
   * A typed array over the mapping, no copy.
   *
   * @param byteOffset default 0. The memory address must be a multiple of the element size: `offset % pageSize + byteOffset` must be.
   * @param length in elements; default: to the end of the mapping, whose bytes must be a whole number of elements.
   * @throws RangeError for a misaligned offset, part of an element, or more than the mapping has.
   * @example index.view(BigUint64Array, 64, 1000)
   */
  view<C extends ViewConstructor>(Ctor: C, byteOffset = 0, length?: number): ViewOf<C, B> {
    const core = stateOf(this)
    core.checkOpen()
    const unit = elementSize(Ctor)
    checkInteger(byteOffset, 'byteOffset', 0, core.byteLength)
    const rest = core.byteLength - byteOffset
    if ((core.delta + byteOffset) % unit !== 0) {
      throw outOfRange(
        'byteOffset',
        `aligned: the memory address must be a multiple of ${unit} (the mapping begins ${core.delta} bytes into a page)`,
        byteOffset,
      )
    }
    if (length !== undefined) checkInteger(length, 'length', 0, Math.floor(rest / unit))
    else if (rest % unit !== 0) {
      throw outOfRange(
        'byteOffset',
        `such that the ${rest} bytes behind it are a whole number of elements of ${unit} bytes`,
        byteOffset,
      )
    }
    const count = length ?? rest / unit
    const { buffer, start } = place(core, byteOffset, count * unit)
    const made = (Ctor as unknown) === Buffer ? Buffer.from(buffer, start, count) : new Ctor(buffer, start, count)
    return made as ViewOf<C, B>
  }

  /** A DataView over the mapping, no copy. `byteOffset` defaults to 0, `byteLength` to everything behind it. */
  dataView(byteOffset = 0, byteLength?: number): DataView<B> {
    const core = stateOf(this)
    core.checkOpen()
    checkInteger(byteOffset, 'byteOffset', 0, core.byteLength)
    const rest = core.byteLength - byteOffset
    if (byteLength !== undefined) checkInteger(byteLength, 'byteLength', 0, rest)
    const length = byteLength ?? rest
    const { buffer, start } = place(core, byteOffset, length)
    return new DataView(buffer, start, length) as DataView as DataView<B>
  }

  /**
   * Makes what was stored durable, as fsync does; the default range is the whole mapping. Nothing to do where stores are private.
   *
   * @throws `EACCES` on a `'read'` mapping, `ERR_MAPPING_FAULT` after a fault, `ERR_INVALID_STATE` if the mapping is closed meanwhile.
   */
  async flush(options?: FlushOptions): Promise<void> {
    const core = stateOf(this)
    const { offset, length, flags } = checkFlush(core, options)
    if (core.isPrivate) return
    await core.whilePending(() => core.native.flush(offset, length, flags))
    core.checkFault()
  }

  /** The twin of {@link flush} that waits. */
  flushSync(options?: FlushOptions): void {
    const core = stateOf(this)
    const { offset, length, flags } = checkFlush(core, options)
    if (core.isPrivate) return
    core.look(() => core.native.flushSync(offset, length, flags))
  }

  /**
   * Sleeps until another thread or process calls `notify` for the 32-bit word at `byteOffset`: Atomics.wait across processes.
   * `'not-equal'` if the word is not `expected` at the call, signed or unsigned; `'ok'` may come early. Blocks the event loop.
   *
   * Waiters and notifiers of a shared file meet whichever mapping they use; those of a `'copy'` mapping only on that mapping.
   *
   * @param byteOffset the memory address must be a multiple of 4
   * @param timeoutMs in milliseconds; default: for ever
   * @throws `ENOTSUP` where `Mapping.isSupported('wait')` is false
   */
  wait(byteOffset: number, expected: number, timeoutMs?: number): WaitResult {
    return later().wait(stateOf(this), byteOffset, expected, timeoutMs)
  }

  /**
   * The same without blocking. With a `timeoutMs` it keeps the process alive, as a timer does; without one the process may end while it
   * waits. `close()` rejects it with `ERR_INVALID_STATE`, an aborted signal with an `AbortError` (`ABORT_ERR`).
   *
   * @example while (state.getInt32(0, true) === seen) await state.waitAsync(0, seen)
   */
  waitAsync(byteOffset: number, expected: number, options?: WaitOptions): Promise<WaitResult> {
    return later().waitAsync(stateOf(this), byteOffset, expected, options)
  }

  /** Wakes up to `count` (default: all) waiters of the word, in this process and others, and returns how many there were. Store the new value first. */
  notify(byteOffset: number, count?: number): number {
    return later().notify(stateOf(this), byteOffset, count)
  }

  /**
   * Tells the system what the pages will be used for: a hint that loses nothing. See madvise(2).
   *
   * @throws `ENOTSUP` for an advice that this system does not know: `Mapping.isSupported(advice)` tells.
   */
  advise(advice: Advice, range?: ByteRange): void {
    control.advise(stateOf(this), advice, range)
  }

  /**
   * Drops contents: a hole in a `'write'` file or in shared memory, zeros in anonymous memory, the file's own bytes again in a `'copy'`.
   * Exact to the byte; whole pages are given back to the system.
   *
   * @throws `EACCES` on a `'read'` mapping, `ENOTSUP` where the file system has no holes.
   */
  discard(range: ByteRange): void {
    control.discard(stateOf(this), range)
  }

  /**
   * Keeps the pages of a range in memory, mlock(2); private pages that were not written are not copied for it.
   *
   * @throws `ENOMEM`, `EPERM` or `EAGAIN` where the process may not lock so much (`ulimit -l`).
   */
  lock(range?: ByteRange): void {
    control.lock(stateOf(this), range)
  }

  /** Takes a lock back, munlock(2). */
  unlock(range?: ByteRange): void {
    control.unlock(stateOf(this), range)
  }

  /**
   * Changes what the pages that a range touches may be used for, mprotect(2): `'exec'` is read and execute, never write and execute.
   * Checked methods throw `EACCES` for what is forbidden, those of all mappings that share the memory; through views it is a `'protected'` fault.
   * `'write'` first does what `clearFault()` does after such a fault, so that what is stored from then on reaches the file.
   *
   * @throws `EACCES` for `'write'` on a `'read'` mapping, and for `'exec'` on a file system mounted noexec. `ENOTSUP` for `'write'` after such a
   *   fault in shared memory that no descriptor leads to (System V): attach it again.
   */
  protect(protection: Protection, range?: ByteRange): void {
    control.protect(stateOf(this), protection, range)
  }

  /** Which pages of a range are in memory, mincore(2). */
  residency(range?: ByteRange): Residency {
    return control.residency(stateOf(this), range)
  }

  /**
   * Gives the mapping another length. A `'write'` file is extended (allocated, unless `sparse`) or truncated with it, but never cut where it
   * went on behind the mapping; a `'read'` mapping shows more or less of its file: without argument, its present size.
   *
   * Old views become length 0, unless the mapping was opened with a `capacity` that the new length does not pass: then they stay valid.
   *
   * @param options `mayMove` (default `true`): `false` throws `ENOMEM` instead of moving.
   * @throws `EBUSY` while an operation is pending, the mapping is shared, or the engine carries it (`carrier` is not `'external'` and views
   * were made); `ENOTSUP` on a `'copy'`, on what was read instead of mapped (`ifUnsafe`), on character devices, on what `memmap/posix` made and,
   * on Windows, on shared memory; `ERR_OUT_OF_RANGE` for more than the file of a `'read'` mapping has; `EPERM` where a seal forbids it. These,
   * `ENOSPC` and all else leave file and mapping as they were.
   */
  resize(length?: number, options?: Opt<{ mayMove: boolean }>): void {
    control.resize(stateOf(this), length, options)
  }

  /** A handle by which another thread of this process maps the same memory: `Mapping.from`. Keep this mapping open until it has. */
  share(): MappingHandle {
    return handleOf(stateOf(this))
  }

  /**
   * Unmaps; every view becomes length 0, every method throws `ERR_INVALID_STATE` from now on. A second call does nothing.
   * What was stored in a `'write'` mapping reaches the file, as all of a process's writes do; `flush` first to know when it is durable.
   */
  close(): void {
    closeAndKeepShape(stateOf(this))
  }

  /** For `using`: {@link close}. A view that is returned out of a `using` block has length 0. */
  [Symbol.dispose](): void {
    closeAndKeepShape(stateOf(this))
  }
}

/** For the subclasses. */
export { stateOf as coreOf }

/** Makes a mapping of the class that a handle came from; each class enters itself. */
export const adopters: Record<number, (core: Core, name: string | undefined) => Mapping> = {}

/** The facade of what the native side has opened. Where that fails, all is closed again, with what it has come to stand on. */
export function openedWith<T>(mapping: NativeMapping, origin: Origin, make: (core: Core) => T): T {
  let core: Core | undefined
  try {
    core = new Core(mapping, origin)
    return make(core)
  } catch (error) {
    if (core === undefined) {
      direct.close(mapping)
      direct.release(mapping, 0)
    } else {
      core.close()
    }
    throw error
  }
}

function closeAndKeepShape(core: Core): void {
  core.close()
  keepShape(core.label, () => [adopters[core.label]!(core, undefined), new Windows(core), new AccessorWindows(core)])
}

function windowsOf(core: Core): Windows {
  return (core.windows ??= new Windows(core))
}

/** The buffer that has these bytes of the mapping, and where in it they start. */
function place(core: Core, position: number, length: number): { buffer: ArrayBufferLike; start: number } {
  if (length === 0) return { buffer: emptyBuffer(core), start: 0 }
  if (length > MAX_LENGTH) throw bufferTooLarge(MAX_LENGTH)
  const windows = windowsOf(core)
  const at = core.delta + position
  const buffer = windows.at(at, length)
  return { buffer, start: at - windows.origin }
}

/** Constructors of other realms are not instances of ours: what they say of themselves counts. */
function elementSize(Ctor: unknown): number {
  const unit = typeof Ctor === 'function' ? (Ctor as Partial<ViewConstructor>).BYTES_PER_ELEMENT : undefined
  if (unit !== 1 && unit !== 2 && unit !== 4 && unit !== 8)
    throw invalidArgType('Ctor', 'a TypedArray constructor', Ctor)
  return unit
}

function checkFlush(core: Core, options: unknown): ReturnType<typeof flushRequest> {
  core.checkOpen()
  const request = flushRequest(options, core)
  // msync(2) writes no page: those that were protected since can be made durable all the same.
  core.checkAccess('msync')
  core.checkFault()
  return request
}
