import { types } from 'node:util'

import { sharedAllowed } from './carriers'
import { moveAway } from './detach'

import type { NativeMapping } from '../binding'
import type { Carrier, CarrierKind } from './carriers'

/** WebAssembly's page. */
const WASM_PAGE = 65_536

/** A 32-bit memory ends here, a 64-bit one of V8 at four times as much. */
const WASM_32 = 2 ** 32
const WASM_64 = 2 ** 34

/** A buffer of the engine's own. */
interface Ground {
  readonly kind: Carrier['kind']
  readonly buffer: ArrayBufferLike
  /** Makes all views length 0. What comes back has the pages now; `undefined`: views still reach them. */
  empty(): object | undefined
}

/** What must live until the engine has its own pages back: whatever has the pages, and the native side that put a file there. */
interface Pin {
  readonly mapping: NativeMapping
  readonly kind: Carrier['kind']
  ground: object
}

/** As the native side takes it. */
const PLACE = { shared: 0, wasm: 1, resizable: 2, users: 3 } as const

/** Deno cannot look at buffers when a thread ends; it has no cage, and chooses no such carrier. */
const unwatched = process.versions['deno'] !== undefined

/** What stands here and is not closed cannot be collected. */
const pinned = new Set<object>()

/** Of these, SharedArrayBuffers whose mapping was closed while others of the same memory are open. */
const lingering = new Set<Pin>()

/**
 * Of these, memory whose views have length 0: operations of zlib, crypto or fs may still be in flight there, and find nothing, until the old
 * buffer is collected. Address space is dear in the cage, so only the latest have it that good: the others read zeros.
 */
const late = new Set<Pin>()
const LATE = 32

/** As long as anything can still be in flight on the pages of a buffer, somebody has them. */
const heirs = new WeakMap<ArrayBufferLike, object>()

const collected = new FinalizationRegistry<Pin>(finish)

/** When an engine that had no room for a memory of WebAssembly is asked again, if none of ours is given back before: each no is several major GCs. */
let askAgain = 0
const PATIENCE = 1000

let warned = false
const forgotten = new FinalizationRegistry<undefined>(() => {
  if (warned) return
  warned = true
  process.emitWarning(
    'A mapping was collected without close(). On this engine its memory is given back only by close() or at the end of the thread',
    { type: 'MemmapLeakWarning', code: 'MEMMAP_NOT_CLOSED' },
  )
})

/** Puts `length` bytes (whole pages of `page` bytes) on a carrier; `undefined` where none can be had. `adopt`: its pages become the only true ones. */
export function carry(
  mapping: NativeMapping,
  kind: CarrierKind,
  length: number,
  page: number,
  adopt: boolean,
  owner: object,
): Carrier | undefined {
  if (kind === 'shared') return ofShared(mapping) ?? overlay(mapping, growable(length), adopt, owner)
  if (kind === 'wasm') {
    return overlay(mapping, ofWasm(length), adopt, owner) ?? overlay(mapping, resizable(length, page), adopt, owner)
  }
  return kind === 'resizable' ? overlay(mapping, resizable(length, page), adopt, owner) : undefined
}

function ofShared(mapping: NativeMapping): Carrier | undefined {
  const buffer = sharedAllowed() ? mapping.exportShared() : undefined
  return buffer === undefined ? undefined : { kind: 'shared', buffer, release: () => true }
}

function overlay(
  mapping: NativeMapping,
  ground: Ground | undefined,
  adopt: boolean,
  owner: object,
): Carrier | undefined {
  if (ground === undefined) return undefined
  const { kind, buffer } = ground
  letGo()
  try {
    const watched = kind === 'resizable' && !unwatched ? (buffer as ArrayBuffer) : undefined
    mapping.overlay(new Uint8Array(buffer), adopt, PLACE[kind], watched)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOTSUP') return undefined
    throw error
  }
  const pin: Pin = { mapping, kind, ground }
  pinned.add(pin)
  forgotten.register(owner, undefined, pin)
  return {
    kind,
    buffer,
    lost: () => kind === 'resizable' && buffer.byteLength === 0,
    release: () => {
      forgotten.unregister(pin)
      letGo()
      return kind === 'shared' ? leaveShared(pin) : leave(pin, ground)
    },
  }
}

/** Views stay, and read what others store until the last mapping closes; then zeros. */
function leaveShared(pin: Pin): boolean {
  if (pin.mapping.isCarried) lingering.add(pin)
  else pinned.delete(pin)
  return true
}

function leave(pin: Pin, ground: Ground): boolean {
  const { buffer } = ground
  const heir = ground.empty()
  if (heir === undefined || !pin.mapping.isCarried) {
    give(pin)
    if (heir !== undefined) heirs.set(buffer, heir)
    return buffer.byteLength > 0
  }
  // The pin must not keep the buffer: it is what is waited for.
  pin.ground = heir
  heirs.set(buffer, heir)
  late.add(pin)
  collected.register(buffer, pin, pin)
  if (late.size > LATE) for (const oldest of late) return (finish(oldest), false)
  return false
}

/** The engine gets its pages back. */
function finish(pin: Pin): void {
  collected.unregister(pin)
  late.delete(pin)
  give(pin)
}

function give(pin: Pin): void {
  pin.mapping.restoreOverlay()
  pinned.delete(pin)
  if (pin.kind === 'wasm') askAgain = 0
}

/** The other mappings may have closed, in any thread, since somebody looked last. */
function letGo(): void {
  for (const pin of lingering) {
    if (pin.mapping.isCarried) continue
    lingering.delete(pin)
    pinned.delete(pin)
  }
}

interface Memory {
  readonly buffer: ArrayBuffer
  grow(pages: number | bigint): unknown
}
type MemoryConstructor = new (descriptor: {
  initial: number | bigint
  maximum: number | bigint
  address?: 'i64'
}) => Memory

/** The user cannot transfer the buffer of a WebAssembly memory, and growing by nothing makes all views length 0. */
function ofWasm(length: number): Ground | undefined {
  const { Memory } = (globalThis as { WebAssembly?: { Memory: MemoryConstructor } }).WebAssembly ?? {}
  if (Memory === undefined || length > WASM_64 || performance.now() < askAgain) return undefined
  const pages = Math.ceil(length / WASM_PAGE)
  const is64 = length > WASM_32
  const memory = attempt(() =>
    is64
      ? new Memory({ initial: BigInt(pages), maximum: BigInt(pages), address: 'i64' })
      : new Memory({ initial: pages, maximum: pages }),
  )
  // Not every engine has 64-bit ones, however much room there is.
  if (memory === undefined && !is64) askAgain = performance.now() + PATIENCE
  if (memory === undefined) return undefined
  const { buffer } = memory
  return {
    kind: 'wasm',
    buffer,
    empty: () => {
      // Growing would abort the process (Node 24, Deno).
      if (isUntransferable(buffer)) return undefined
      memory.grow(is64 ? 0n : 0)
      return buffer.byteLength > 0 ? undefined : memory
    },
  }
}

function resizable(length: number, page: number): Ground | undefined {
  type Resizable = ArrayBuffer & { readonly resizable?: boolean }
  const Constructor = ArrayBuffer as unknown as new (length: number, options: { maxByteLength: number }) => Resizable
  // Behind it the native side leaves a mark, by which it knows the pages again after they were transferred. A page of the mapping's own, as
  // the system gives only ranges of whole huge pages an address where huge pages can be mapped.
  const buffer = attempt(() => new Constructor(length, { maxByteLength: length + page }))
  if (buffer?.resizable !== true) return undefined
  protect(buffer)
  return {
    kind: 'resizable',
    buffer,
    // Not resized to 0, which stores zeros everywhere.
    empty: () => moveAway(buffer),
  }
}

/**
 * Resizing would overwrite the file with zeros, and a transfer takes the pages away from us. Whoever insists can: the native side looks
 * before it touches them.
 */
function protect(buffer: ArrayBuffer): void {
  const refuse = (): never => {
    throw new TypeError('This ArrayBuffer carries a mapping: it cannot be resized or transferred')
  }
  for (const name of ['resize', 'transfer', 'transferToFixedLength'])
    Object.defineProperty(buffer, name, { value: refuse })
}

function growable(length: number): Ground | undefined {
  type Growable = SharedArrayBuffer & { readonly growable?: boolean }
  const Constructor = SharedArrayBuffer as unknown as new (
    length: number,
    options: { maxByteLength: number },
  ) => Growable
  const buffer = attempt(() => new Constructor(length, { maxByteLength: length }))
  // Its pages would be the allocator's own without the option.
  return buffer?.growable === true ? { kind: 'shared', buffer, empty: () => undefined } : undefined
}

function attempt<T>(make: () => T): T | undefined {
  try {
    return make()
  } catch (error) {
    if (error instanceof RangeError || error instanceof TypeError) return undefined
    throw error
  }
}

function isUntransferable(buffer: ArrayBufferLike): boolean {
  // Node 20 cannot tell, and need not: growing is safe there.
  const threads = require('node:worker_threads') as { isMarkedAsUntransferable?: (value: object) => boolean }
  const { isMarkedAsUntransferable } = threads
  return isMarkedAsUntransferable !== undefined && types.isAnyArrayBuffer(buffer) && isMarkedAsUntransferable(buffer)
}

/**
 * A WebAssembly memory of the user's as carrier: he may grow it, which makes another buffer over the same pages, or over others.
 * Nothing is ever detached, as the other views are his own.
 */
export function openedCarrier(
  mapping: NativeMapping,
  memory: UsersMemory,
  at: number,
  length: number,
  adopt: boolean,
  owner: object,
  closed: () => void,
): Carrier {
  const bytes = (): Uint8Array => new Uint8Array(memory.buffer(), at, length)
  // Where the thread ends first, nobody asks `moved` any more: the native side sees then whether this buffer is still the memory's.
  const watched = (): ArrayBuffer | undefined => {
    const buffer = memory.buffer()
    return unwatched || !(buffer instanceof ArrayBuffer) ? undefined : buffer
  }
  mapping.overlay(bytes(), adopt, PLACE.users, watched())
  let seen = memory.buffer()
  let gone = false
  const pin = { mapping, memory }
  pinned.add(pin)
  forgotten.register(owner, undefined, pin)
  return {
    kind: 'wasm',
    at,
    get buffer() {
      return memory.buffer()
    },
    moved: () => {
      const buffer = memory.buffer()
      if (gone || buffer === seen) return gone
      seen = buffer
      // The pages are the engine's business now: whoever has the addresses next must not be touched.
      if (buffer.byteLength < at + length || !mapping.isAt(bytes(), watched())) {
        gone = true
        mapping.forgetOverlay()
      }
      return gone
    },
    release: () => {
      forgotten.unregister(pin)
      pinned.delete(pin)
      closed()
      return false
    },
  }
}

/** A WebAssembly memory, and where to ask for its buffer. */
export interface UsersMemory {
  readonly memory: object
  buffer(): ArrayBufferLike
}
