import { Buffer, constants } from 'node:buffer'

import { Budget } from './budget'
import { bufferTooLarge } from './errors'

import type { Holder } from './budget'
import type { Core } from './core'

const KiB = 1024
const MiB = 1024 * KiB

/** Chunk sizes go from the one to the other in steps of `STEP`. All are smaller than `DEAR`. */
const SMALLEST = 16 * KiB
const LARGEST = 32 * MiB
const STEP = 4

/** Making a buffer of this size costs V8 a major GC. */
const DEAR = 64 * MiB

/** So many exports in a row that nothing shared: then the access is random. */
const STRIKES = 4

/** Node 20 and Bun end at 4 GiB. */
export const MAX_LENGTH = constants.MAX_LENGTH

/** All mappings of the environment together keep chunks of so many bytes reachable. */
const chunks = new Budget(32 * MiB)

/** What the budget knows nothing of. */
const NOT_ENTERED = -1

interface Chunk {
  readonly buffer: ArrayBuffer
  readonly start: number
  readonly end: number
  readonly id: number
}

/**
 * The buffers that windows for users are cut from. Positions count from the page-aligned base of the mapping.
 *
 * A buffer per window costs 5 us and a C++ object, so windows that lie close together share chunks. Chunk `k` begins at `k * size / 2` and
 * is `size` long: a window of up to half a chunk always lies in one. Chunks grow while they are well used, and vanish when access is
 * random: then each window has the pages it needs and no more, as V8 counts every exported byte as memory that a GC might free.
 */
export class Windows implements Holder {
  readonly #core: Core
  /** Made when it is needed: V8 keeps what a WeakRef stands for until the job ends, and with it all that a loop has opened and closed. */
  #self: WeakRef<this> | undefined
  readonly #chunks = new Map<number, Chunk>()
  /** Chunk size; 0: each window has its own pages. */
  #size: number
  #last: Chunk | undefined
  /** Bytes handed out since the last export. */
  #served = 0
  #strikes = 0
  /** Where the last export was. */
  #place = -Infinity
  #whole: Buffer<ArrayBuffer> | undefined
  #view: Buffer | undefined
  #empty: Buffer | undefined
  #large: { readonly buffer: WeakRef<ArrayBuffer>; readonly start: number; readonly end: number } | undefined
  /** Which byte of the mapping is the first of the buffer that `at` returned. */
  origin = 0

  constructor(core: Core) {
    this.#core = core
    this.#size = core.end <= SMALLEST ? SMALLEST : 0
  }

  /** One buffer over everything, kept until `close()`. */
  whole(): Buffer {
    const { delta, byteLength, end } = this.#core
    if (byteLength === 0) return (this.#empty ??= Buffer.from(emptyBuffer(this.#core)))
    if (this.#core.kind !== 'external') return this.#carried()
    const known = this.#living(this.#whole?.buffer)
    if (known !== undefined) return this.#whole!
    if (end > MAX_LENGTH) throw bufferTooLarge(MAX_LENGTH)
    this.#whole = Buffer.from(this.#core.export(0, end), delta, byteLength)
    return this.#whole
  }

  /** A buffer that has `length` (> 0) bytes from `start` on, at `start - this.origin`. */
  at(start: number, length: number): ArrayBufferLike {
    if (this.#core.kind !== 'external') {
      const buffer = this.#core.whole()
      this.origin = -this.#core.wholeAt
      return buffer
    }
    const last = this.#last
    if (last !== undefined && start >= last.start && start + length <= last.end && last.buffer.byteLength > 0) {
      this.#served += length
      this.origin = last.start
      return last.buffer
    }
    const whole = this.#living(this.#whole?.buffer)
    if (whole !== undefined) {
      this.origin = 0
      return whole
    }
    if (length > LARGEST / 2) return this.#ofLarge(start, length)
    return this.#known(start, length) ?? this.#miss(start, length)
  }

  /** A chunk that others need the room of. Views may stand on it: it is only forgotten. */
  drop(key: number): void {
    if (this.#last === this.#chunks.get(key)) this.#last = undefined
    this.#chunks.delete(key)
  }

  /** The mapping was closed. */
  clear(): void {
    for (const chunk of this.#chunks.values()) chunks.remove(chunk.id)
    this.#chunks.clear()
    this.#last = this.#whole = this.#large = undefined
  }

  #carried(): Buffer {
    const { delta, byteLength } = this.#core
    if (byteLength > MAX_LENGTH) throw bufferTooLarge(MAX_LENGTH)
    const buffer = this.#core.whole()
    if (this.#view?.buffer !== buffer) this.#view = Buffer.from(buffer, this.#core.wholeAt + delta, byteLength)
    return this.#view
  }

  #known(start: number, length: number): ArrayBuffer | undefined {
    if (length > this.#size / 2) return undefined
    const key = this.#keyOf(start)
    const chunk = this.#chunks.get(key)
    if (chunk === undefined) return undefined
    if (this.#living(chunk.buffer) === undefined) {
      this.#chunks.delete(key)
      chunks.remove(chunk.id)
      return undefined
    }
    chunks.touch(chunk.id)
    this.#served += length
    return this.#use(chunk)
  }

  #miss(start: number, length: number): ArrayBuffer {
    this.#resize(this.#advice(start))
    this.#served = length
    if (length > this.#size / 2) return this.#exact(start, length)
    const key = this.#keyOf(start)
    const from = (key * this.#size) / 2
    const end = Math.min(from + this.#size, this.#core.end)
    const buffer = this.#core.export(from, end - from)
    const chunk = { buffer, start: from, end, id: this.#enter(key, end - from) }
    this.#chunks.set(key, chunk)
    return this.#use(chunk)
  }

  /** A mapping that is smaller than the smallest chunk has one, which keeps nothing but itself. */
  #enter(key: number, bytes: number): number {
    if (this.#core.end <= SMALLEST) return NOT_ENTERED
    this.#self ??= new WeakRef(this)
    return chunks.add(this.#self, key, bytes)
  }

  /** The chunk size for what the last export was good for. */
  #advice(start: number): number {
    const size = this.#size
    const { end, exportedBytes } = this.#core
    // So much was exported already that one chunk over everything is cheaper, wherever the next window lies.
    if (end <= LARGEST && exportedBytes > 4 * end) return LARGEST
    const near = Math.abs(start - this.#place) <= 2 * Math.max(size, SMALLEST)
    this.#place = start
    if (size === 0) return near ? SMALLEST : 0
    if (this.#served >= size / 4) {
      this.#strikes = 0
      // Larger chunks are for who goes on from here. Elsewhere the next one may serve a single look.
      return near ? Math.min(size * STEP, LARGEST) : size
    }
    if (near || this.#served >= size / 64) this.#strikes = 0
    else if (++this.#strikes >= STRIKES) {
      this.#strikes = 0
      return size > SMALLEST ? Math.max(size / STEP, SMALLEST) : 0
    }
    return size
  }

  #resize(size: number): void {
    if (size === this.#size) return
    for (const chunk of this.#chunks.values()) chunks.remove(chunk.id)
    this.#chunks.clear()
    this.#last = undefined
    this.#size = size
  }

  /** The last chunk begins early enough to be a full one. */
  #keyOf(start: number): number {
    const half = this.#size / 2
    const last = Math.max(0, Math.ceil(this.#core.end / half) - 2)
    return Math.min(Math.floor(start / half), last)
  }

  #use(chunk: Chunk): ArrayBuffer {
    this.#last = chunk
    this.origin = chunk.start
    return chunk.buffer
  }

  /** The pages of one window. */
  #exact(start: number, length: number): ArrayBuffer {
    const { end, pageSize } = this.#core
    const from = Math.floor(start / pageSize) * pageSize
    const to = Math.min(Math.ceil((start + length) / pageSize) * pageSize, end)
    if (to - from > MAX_LENGTH) throw bufferTooLarge(MAX_LENGTH)
    this.origin = from
    return this.#core.export(from, to - from)
  }

  /** A dear one is remembered weakly: as long as the user keeps it, others are cut from it. (Each WeakRef keeps its buffer until the job ends.) */
  #ofLarge(start: number, length: number): ArrayBuffer {
    const large = this.#large
    if (large !== undefined && start >= large.start && start + length <= large.end) {
      const buffer = this.#living(large.buffer.deref())
      if (buffer !== undefined) {
        this.origin = large.start
        return buffer
      }
    }
    const buffer = this.#exact(start, length)
    const end = this.origin + buffer.byteLength
    if (buffer.byteLength >= DEAR) this.#large = { buffer: new WeakRef(buffer), start: this.origin, end }
    return buffer
  }

  /** A buffer of ours that has length 0 before `close()` was transferred by the user. */
  #living(buffer: ArrayBuffer | undefined): ArrayBuffer | undefined {
    if (buffer === undefined || buffer.byteLength > 0) return buffer
    this.#core.moved = true
    return undefined
  }
}

/** What a view of nothing stands on: of the kind that others stand on. */
export function emptyBuffer(core: Core): ArrayBufferLike {
  return core.sharedArrayBuffer ? new SharedArrayBuffer(0) : new ArrayBuffer(0)
}
