import { Buffer } from 'node:buffer'

import { epoch } from '../faults'
import { outOfRange } from '../errors'
import { native } from '../native'
import { remove, segmentPath, syncDirectory, syncDirectorySync, syncFile, syncFileSync } from './directory'
import { logFailed } from './errors'
import { HEAD, HEADER, after, encodeHeader } from './format'
import { largestPayload } from './options'
import { Segment } from './segment'

import type { Bell } from './bell'
import type { Header, Marks } from './format'
import type { LogSettings } from './options'

/** Bytes per millisecond from which on the next segment's pages are faulted in ahead of time, as large ones: then they fill before a flush would write zeros. */
const FAST = 8192

/** A segment that is complete. */
export interface Sealed {
  readonly base: number
  readonly length: number
  readonly path: string
  readonly sealedAt: number
  synced: boolean
}

/** Where a writer begins. */
export interface WriterStart {
  readonly directory: string
  readonly settings: LogSettings
  readonly bell: Bell
  readonly id: Buffer
  readonly marks: Marks
  readonly sealed: Sealed[]
  /** The segment to go on in, and where. */
  readonly segment: Segment
  readonly offset: number
}

/** The one that appends. */
export class Writer {
  readonly #directory: string
  readonly #settings: LogSettings
  readonly #bell: Bell
  readonly #bellWords: Int32Array
  readonly #id: Buffer
  readonly #maker = new native.NativeSegmentMaker()
  readonly sealed: Sealed[]
  #segment: Segment
  #offset: number
  /** Where `append` must stop to think: to have the next segment made, then to use it. */
  #mark = 0
  /** Behind the last byte of the segment that a record may use. */
  #limit = 0
  /** The next segment, being made. */
  #ahead: { readonly path: string; readonly header: Header } | undefined
  /** Records come so fast that page faults would be felt. */
  #fast = false
  #since = 0
  #from = 0
  #durable: number
  #start: number
  /** Up to here the segment is on disk. */
  #synced: number
  #newNames = true
  failure: unknown = undefined

  constructor(start: WriterStart) {
    this.#directory = start.directory
    this.#settings = start.settings
    this.#bell = start.bell
    this.#bellWords = start.bell.words
    this.#id = start.id
    this.#durable = start.marks.durable
    this.#start = start.marks.start
    this.sealed = start.sealed
    this.#segment = start.segment
    this.#offset = start.offset
    this.#synced = Math.max(0, Math.min(start.offset, start.marks.durable - start.segment.base))
    this.#enter(start.offset)
  }

  /** Where the next record goes, if it fits. */
  get end(): number {
    return this.#segment.base + this.#offset
  }

  get segment(): Segment {
    return this.#segment
  }

  get marks(): Marks {
    return { durable: this.#durable, start: this.#start }
  }

  /** The hot path: 512 bytes take some 80 ns, half of them the CRC and the way to it. */
  append(bytes: Uint8Array): number {
    const length = bytes.length
    const next = after(this.#offset, length)
    if (next > this.#mark) this.#think(length)
    const segment = this.#segment
    segment.bytes.set(bytes, this.#offset + HEAD)
    return this.#commit(segment, length)
  }

  /** A string goes straight into the mapping. */
  appendString(text: string): number {
    // Three bytes for each UTF-16 unit at most: only where so many do not fit they are counted.
    let most = text.length * 3
    if (after(this.#offset, most) > this.#mark) {
      most = Buffer.byteLength(text)
      if (after(this.#offset, most) > this.#mark) this.#think(most)
    }
    const segment = this.#segment
    const length = segment.bytes.write(text, this.#offset + HEAD, 'utf8')
    return this.#commit(segment, length)
  }

  #commit(segment: Segment, length: number): number {
    const offset = this.#offset
    segment.seal(offset, length + 1, length)
    Atomics.store(segment.words, offset >> 2, length + 1)
    this.#offset = after(offset, length)
    if (Atomics.load(this.#bellWords, 0) !== 0) this.#bell.ring()
    // The guard counts before the store that faulted returns: no record is acknowledged that went nowhere.
    if (epoch[0] !== segment.core.seen) this.#attempt(() => segment.check())
    return segment.base + offset
  }

  /** Every byte of a failed step may be anywhere: nothing more is taken. */
  #attempt<T>(step: () => T): T {
    try {
      return step()
    } catch (error) {
      throw this.fail(error)
    }
  }

  fail(error: unknown): unknown {
    this.failure ??= logFailed(error)
    return this.failure
  }

  /** A record with so much payload does not fit before the mark. */
  #think(length: number): void {
    const largest = largestPayload(this.#settings.segmentSize)
    if (length > largest) throw outOfRange('data.length', `<= ${largest}, what a segment has room for`, length)
    if (this.#mark < this.#limit) {
      this.#mark = this.#limit
      this.#prepare()
    }
    if (after(this.#offset, length) > this.#limit) this.#roll()
  }

  #headerOfNext(): Header {
    const { header } = this.#segment
    const base = header.base + header.length
    const length = this.#settings.segmentSize
    return { id: this.#id, base, number: header.number + 1, length, created: Date.now() }
  }

  /** Has the next segment made on another thread. */
  #prepare(): void {
    const header = this.#headerOfNext()
    const path = segmentPath(this.#directory, header.base)
    if (!this.#fast) this.#measure()
    try {
      this.#maker.prepare(path, header.length, encodeHeader(header), this.#fast)
      this.#ahead = { path, header }
    } catch {
      // No thread to be had: it is made when it is needed.
    }
  }

  #measure(): void {
    const rate = (this.#offset - this.#from) / Math.max(0.001, performance.now() - this.#since)
    this.#fast = rate >= FAST && this.#settings.flush !== 'always'
  }

  /** Goes on in the next segment. Throws (ENOSPC) before anything has changed, and tries again the next time. */
  #roll(): void {
    const { path, header, mapping } = this.#takeNext()
    this.#measure()
    const old = this.#segment
    const next = this.#attempt(() => new Segment(path, header, mapping))
    next.mark(this.marks)
    old.sealAt(this.#offset)
    this.#attempt(() => old.check())
    const synced = this.#synced >= this.#offset + HEAD
    this.sealed.push({ base: old.base, length: old.length, path: old.path, sealedAt: Date.now(), synced })
    old.close()
    this.#segment = next
    this.#offset = HEADER
    this.#synced = 0
    this.#newNames = true
    this.#enter(HEADER)
    this.retain()
  }

  #takeNext() {
    const ahead = this.#ahead
    this.#ahead = undefined
    if (ahead !== undefined) {
      try {
        return { ...ahead, mapping: this.#maker.take()! }
      } catch {
        // What made it fail then (a full disk) may be over; if not, it is thrown now.
      }
    }
    const header = this.#headerOfNext()
    const path = segmentPath(this.#directory, header.base)
    return { path, header, mapping: native.NativeSegmentMaker.makeSync(path, header.length, encodeHeader(header)) }
  }

  #enter(offset: number): void {
    const { length } = this.#segment
    // Behind the last record there is always room for the seal.
    this.#limit = length - HEAD
    // A fast log needs the next segment as soon as it can be had; for a slow one it would lie there unused.
    this.#mark = this.#fast ? offset : Math.min(this.#limit, Math.max(offset, HEADER + Math.ceil(length / 4)))
    this.#since = performance.now()
    this.#from = offset
  }

  /** Deletes what `retain` allows to: whole segments, the oldest first, never the one that is written. */
  retain(now = Date.now()): void {
    const { bytes, segments, ageMs } = this.#settings
    let sum = this.#segment.length
    for (const one of this.sealed) sum += one.length
    let count = 0
    for (const one of this.sealed) {
      if (sum <= bytes && this.sealed.length + 1 - count <= segments && now - one.sealedAt < ageMs) break
      sum -= one.length
      count++
    }
    if (count > 0) this.truncateBefore((this.sealed[count] ?? this.#segment).base)
  }

  /** Gives up all records before a position, and deletes the segments that have no others. */
  truncateBefore(position: number): void {
    this.#start = Math.max(this.#start, Math.min(position, this.end))
    this.#segment.mark(this.marks)
    while (this.sealed.length > 0 && this.sealed[0]!.base + this.sealed[0]!.length <= this.#start) {
      remove(this.sealed.shift()!.path)
    }
  }

  flushSync(): void {
    const step = this.#beginFlush()
    if (step === undefined) return
    this.#attempt(() => {
      for (const one of step.files) syncIfThere(one.path)
      step.segment.core.native.flushSync(step.from, step.to - step.from, 0)
      if (step.names) syncDirectorySync(this.#directory)
    })
    this.#endFlush(step)
  }

  async flush(): Promise<void> {
    const step = this.#beginFlush()
    if (step === undefined) return
    try {
      await Promise.all(step.files.map(({ path }) => syncFile(path).catch(ignoreMissing)))
      await step.segment.core.native.flush(step.from, step.to - step.from, 0)
      if (step.names) await syncDirectory(this.#directory)
    } catch (error) {
      // It was sealed and unmapped meanwhile: then its file is what is to be synced.
      if (!step.segment.core.closed) throw this.fail(error)
      await syncFile(step.segment.path).catch((again) => {
        if ((again as NodeJS.ErrnoException).code !== 'ENOENT') throw this.fail(again)
      })
      if (step.names) await syncDirectory(this.#directory)
    }
    this.#endFlush(step)
  }

  #beginFlush() {
    const segment = this.#segment
    const to = this.#offset
    const files = this.sealed.filter((one) => !one.synced)
    const names = this.#newNames
    if (files.length === 0 && to <= this.#synced && !names) return undefined
    this.#newNames = false
    // The header goes along: it has the marks of the flush before.
    return { segment, from: 0, to, files, names }
  }

  #endFlush(step: { segment: Segment; to: number; files: Sealed[] }): void {
    for (const one of step.files) one.synced = true
    this.#durable = Math.max(this.#durable, step.segment.base + step.to)
    if (step.segment === this.#segment) this.#synced = Math.max(this.#synced, step.to)
    this.#segment.mark(this.marks)
  }

  /** The last mark is synced too, so that the next opening knows that everything is there. */
  close(sync: boolean): void {
    try {
      if (sync && this.failure === undefined) {
        this.flushSync()
        this.#attempt(() => this.#segment.core.native.flushSync(0, HEADER, 0))
      }
    } finally {
      this.#discardAhead()
      this.#segment.close()
    }
  }

  #discardAhead(): void {
    const ahead = this.#ahead
    this.#ahead = undefined
    if (ahead === undefined) return
    try {
      this.#maker.take()!.close()
      remove(ahead.path)
    } catch {
      // It was never made.
    }
  }
}

function syncIfThere(path: string): void {
  try {
    syncFileSync(path)
  } catch (error) {
    ignoreMissing(error)
  }
}

/** Retention has deleted it meanwhile. */
function ignoreMissing(error: unknown): void {
  if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
}
