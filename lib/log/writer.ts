import { Buffer } from 'node:buffer'

import { epoch } from '../faults'
import { outOfRange } from '../errors'
import { direct, native } from '../native'
import { lengthOf as sharedLengthOf } from '../validate'
import {
  discard,
  removeIfFree,
  segmentPath,
  syncDirectory,
  syncDirectorySync,
  syncFile,
  syncFileSync,
} from './directory'
import { logFailed } from './errors'
import { HEAD, HEADER, after, encodeHeader } from './format'
import { largestPayload } from './options'
import { Segment } from './segment'

import type { NativeMapping, NativeSegmentMaker } from '../../binding'
import type { Bell } from './bell'
import type { Header, Marks } from './format'
import type { LogSettings } from './options'

/** A local name: looking it up in another module's exports for each record takes time. */
const lengthOf = sharedLengthOf

/** Bytes per millisecond from which on pages are faulted in ahead of time, as large ones: then they fill before a flush would write zeros. */
const FAST = 8192
/** Parts of a segment after which a writer that was not fast looks whether it is now, and has the next segment made in any case. */
const LOOK = 1 / 8
const LATEST = 1 / 4
/** Segments that are made ahead for a fast writer: while one's pages are faulted in, the file of the other is there already. */
const DEEP = 2
/** Longer segments have a buffer each. There are few of them, and the engine counts the bytes of a stage for the whole life of the log. */
const STAGED = 32 << 20

/** A segment that is made ahead. */
interface Ahead {
  readonly path: string
  readonly header: Header
}

/** One that is there. */
interface Made extends Ahead {
  readonly mapping: NativeMapping
}

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
  /** What the segments that are made ahead lie behind; null where each has a buffer of its own. Absent: the log was not fast yet. */
  #stage: ArrayBuffer | null | undefined = undefined
  readonly sealed: Sealed[]
  #segment: Segment
  #offset: number
  /** Where `append` must stop to think: at the end of the pages that are ready, or at the next step. */
  #mark = 0
  /** Where there is something to do: look how fast records come, have the next segment made, use it. */
  #step = 0
  /** Behind the last byte of the segment that a record may use. */
  #limit = 0
  /** The next segments, being made. */
  readonly #ahead: Ahead[] = []
  /** Records come so fast that page faults would be felt. */
  #fast = false
  #since = 0
  #from = 0
  #durable: number
  #start: number
  /** Up to here the segment is on disk. */
  #synced: number
  /** How often a new file's name came into the directory, and how many of these a flush has covered. */
  #names = 1
  #syncedNames = 0
  /** What a new segment has room for; the one that is written may be longer. */
  readonly #largest: number
  failure: unknown = undefined

  constructor(start: WriterStart) {
    this.#directory = start.directory
    this.#settings = start.settings
    this.#largest = largestPayload(start.settings.segmentSize)
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
    const length = lengthOf(bytes)
    if (this.#offset + HEAD + length > this.#mark || length > this.#largest) this.#think(length)
    const segment = this.#segment
    segment.bytes.set(bytes, this.#offset + HEAD)
    return this.#commit(segment, length)
  }

  /** A string goes straight into the mapping. */
  appendString(text: string): number {
    // Three bytes for each UTF-16 unit at most: only where so many do not fit they are counted.
    const most = text.length * 3
    if (this.#offset + HEAD + most > this.#mark || most > this.#largest) {
      const length = Buffer.byteLength(text)
      if (this.#offset + HEAD + length > this.#mark || length > this.#largest) this.#think(length)
    }
    const segment = this.#segment
    const length = segment.bytes.write(text, this.#offset + HEAD, 'utf8')
    return this.#commit(segment, length)
  }

  #commit(segment: Segment, length: number): number {
    const offset = this.#offset
    segment.words[(offset >> 2) + 1] = length
    segment.seal(offset)
    this.#offset = after(offset, length)
    // Atomic as the store of the record's word in there is: a plain load could come before it on ARM, and a reader that goes to sleep meanwhile sleep on.
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
    this.#checkLength(length, 'data.length')
    // In the next segment, too, only as far as its pages are ready.
    while (this.#offset + HEAD + length > this.#mark) {
      if (this.#mark < this.#limit) this.#look()
      else this.#roll()
    }
  }

  #checkLength(length: number, name: string): void {
    if (length > this.#largest) throw outOfRange(name, `<= ${this.#largest}, what a segment has room for`, length)
  }

  /** Throws for what no segment has room for. */
  checkSize(data: string | Uint8Array, name: string): void {
    this.#checkLength(typeof data === 'string' ? Buffer.byteLength(data) : lengthOf(data), name)
  }

  /** Within a segment: are its pages ready, is there more to be prepared? */
  #look(): void {
    if (this.#mark < this.#step) return this.#goTo(this.#step)
    const latest = HEADER + Math.ceil(this.#segment.length * LATEST)
    const early = this.#mark < latest
    if (!this.#fast) {
      this.#measure()
      // Behind the record's head that comes next.
      if (this.#fast) this.#maker.warm(this.#segment.core.native, this.#offset + HEAD)
    }
    if (early && !this.#fast) return this.#goTo(Math.min(this.#limit, latest))
    this.#goTo(this.#limit)
    this.#prepare(1)
  }

  /** To the next step, as far as the pages are ready; that is further than now. Between the mark and the first page that is not, a seal has room. */
  #goTo(step: number): void {
    this.#step = step
    this.#mark = Math.min(step, this.#maker.reach(this.#segment.core.native, this.#mark + HEAD) - HEAD)
  }

  #nextOf(header: Header): Ahead {
    const base = header.base + header.length
    const length = this.#settings.segmentSize
    const next = { id: this.#id, base, number: header.number + 1, length, created: Date.now() }
    return { path: segmentPath(this.#directory, base), header: next }
  }

  /** Has segments made on another thread. */
  #prepare(depth: number): void {
    // For a slow log, which makes few segments, it would only be three times as much for the engine to count.
    if (this.#fast) this.#stage ??= this.#makeStage()
    while (this.#ahead.length < depth) {
      const next = this.#nextOf(this.#ahead.at(-1)?.header ?? this.#segment.header)
      try {
        this.#maker.prepare(next.path, next.header.length, encodeHeader(next.header), this.#fast)
      } catch {
        // No thread to be had: it is made when it is needed.
        return
      }
      this.#ahead.push(next)
    }
  }

  #makeStage(): ArrayBuffer | null {
    const { segmentSize } = this.#settings
    if (segmentSize > STAGED || this.#segment.core.kind !== 'external') return null
    // Of Linux alone, as is what it is for.
    const maker: Partial<NativeSegmentMaker> = this.#maker
    return maker.setStage?.(segmentSize) ?? null
  }

  #segmentOf({ path, header, mapping }: Made): Segment {
    if (this.#stage) {
      const at = this.#maker.placeOf(mapping)
      if (at >= 0) return new Segment(path, header, mapping, this.#stage, at)
    }
    return new Segment(path, header, mapping)
  }

  #measure(): void {
    const rate = (this.#offset - this.#from) / Math.max(0.001, performance.now() - this.#since)
    this.#fast = rate >= FAST && this.#settings.flush !== 'always'
  }

  /** Goes on in the next segment. Throws (ENOSPC) before anything has changed, and tries again the next time. */
  #roll(): void {
    const made = this.#takeNext()
    this.#measure()
    const old = this.#segment
    const next = this.#attempt(() => this.#segmentOf(made))
    // Once more: who emptied the file meanwhile took the header with it, and the records behind it would not be found.
    next.bytes.set(encodeHeader(next.header))
    this.#note(next)
    old.sealAt(this.#offset)
    this.#attempt(() => old.check())
    const synced = this.#synced >= this.#offset + HEAD
    this.sealed.push({ base: old.base, length: old.length, path: old.path, sealedAt: Date.now(), synced })
    old.close(this.#maker)
    this.#segment = next
    this.#offset = HEADER
    this.#synced = 0
    this.#names++
    this.#enter(HEADER)
    this.retain()
  }

  #takeNext(): Made {
    const ahead = this.#ahead.shift()
    if (ahead !== undefined) {
      try {
        return { ...ahead, mapping: this.#maker.take()! }
      } catch {
        // What made it fail then (a full disk) may be over; if not, it is thrown now. Nothing may follow what is not there.
        this.#discardAhead()
      }
    }
    const { path, header } = this.#nextOf(this.#segment.header)
    return { path, header, mapping: native.NativeSegmentMaker.makeSync(path, header.length, encodeHeader(header)) }
  }

  #enter(offset: number): void {
    const { length } = this.#segment
    // Behind the last record there is always room for the seal.
    this.#limit = length - HEAD
    // A fast log needs the next segments as soon as they can be had; for a slow one they would lie there unused.
    this.#mark = 0
    this.#goTo(this.#fast ? this.#limit : Math.min(this.#limit, Math.max(offset, HEADER + Math.ceil(length * LOOK))))
    if (this.#fast) this.#prepare(DEEP)
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
    try {
      if (count > 0) this.truncateBefore((this.sealed[count] ?? this.#segment).base)
      else this.#deleteOld()
    } catch (error) {
      // Files that cannot be deleted now stay, and are tried again with the next segment: that is no reason not to append.
      if (error === this.failure) throw error
    }
  }

  /** Gives up all records before a position, and deletes the segments that have no others. */
  truncateBefore(position: number): void {
    const told = this.#start >= HEADER
    if (position > this.end) throw outOfRange('position', `>= 0 && <= ${this.end}`, position)
    this.#start = Math.max(this.#start, position)
    this.#note(this.#segment)
    const [oldest] = this.sealed
    // After a power loss recovery must know that files may be missing; every segment made from now on says so.
    if (!told && oldest !== undefined && this.#isGivenUp(oldest))
      this.#attempt(() => this.#segment.core.native.flushSync(0, HEADER, 0))
    this.#deleteOld()
  }

  /** What a reader on Windows still has mapped is tried again with the next segment, and when the log is closed. */
  #deleteOld(): void {
    for (let [one] = this.sealed; one !== undefined && this.#isGivenUp(one); [one] = this.sealed) {
      if (!removeIfFree(one.path)) return
      this.sealed.shift()
    }
  }

  #isGivenUp({ base, length }: Sealed): boolean {
    return base + length <= this.#start
  }

  flushSync(): void {
    const step = this.#beginFlush()
    if (step === undefined) return
    this.#attempt(() => {
      for (const one of step.files) syncIfThere(one.path)
      step.segment.core.native.flushSync(step.from, step.to - step.from, 0)
      if (step.names > 0) syncDirectorySync(this.#directory)
    })
    this.#endFlush(step)
  }

  async flush(): Promise<void> {
    const step = this.#beginFlush()
    if (step === undefined) return
    try {
      await Promise.all(step.files.map(({ path }) => syncFile(path).catch(ignoreMissing)))
      await this.#flushSegment(step)
      if (step.names > 0) await syncDirectory(this.#directory)
    } catch (error) {
      throw this.fail(error)
    }
    this.#endFlush(step)
  }

  async #flushSegment({ segment, from, to }: { segment: Segment; from: number; to: number }): Promise<void> {
    try {
      await segment.core.native.flush(from, to - from, 0)
    } catch (error) {
      // It was sealed and unmapped before: then its file is what is to be synced. Any other failure is one: it may not be told a second time.
      if ((error as NodeJS.ErrnoException).code !== 'ERR_INVALID_STATE') throw error
      await syncFile(segment.path).catch(ignoreMissing)
    }
  }

  #beginFlush() {
    const segment = this.#segment
    const to = this.#offset
    const files = this.sealed.filter((one) => !one.synced)
    const names = this.#names > this.#syncedNames ? this.#names : 0
    if (files.length === 0 && to <= this.#synced && names === 0) return undefined
    // The header goes along: it has the marks of the flush before.
    return { segment, from: 0, to, files, names }
  }

  #endFlush(step: { segment: Segment; to: number; files: Sealed[]; names: number }): void {
    this.#syncedNames = Math.max(this.#syncedNames, step.names)
    for (const one of step.files) one.synced = true
    this.#durable = Math.max(this.#durable, step.segment.base + step.to)
    if (step.segment === this.#segment) this.#synced = Math.max(this.#synced, step.to)
    this.#note(this.#segment)
  }

  /** In the segment, and where it is not lost with it. */
  #note(segment: Segment): void {
    segment.mark(this.marks)
    this.#bell.mark(this.#id, this.marks)
  }

  /** The last mark is synced too, so that the next opening knows that everything is there. */
  close(sync: boolean): void {
    try {
      if (sync && this.failure === undefined) {
        this.flushSync()
        this.#attempt(() => this.#segment.core.native.flushSync(0, HEADER, 0))
      }
      this.#deleteOld()
    } finally {
      this.#maker.stop()
      this.#discardAhead()
      // Not by the maker: Windows deletes no file that is still mapped.
      this.#segment.close()
    }
  }

  #discardAhead(): void {
    for (const { path } of this.#ahead.splice(0)) {
      try {
        direct.close(this.#maker.take()!)
        discard(path)
      } catch {
        // It was never made.
      }
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
