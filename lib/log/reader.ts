import { outOfRange } from '../errors'
import { direct } from '../native'
import { listBases, readSegmentFile, readSegmentFiles, segmentPath } from './directory'
import { logDamaged } from './errors'
import { HEADER, parseMarks, seedOf } from './format'
import { mapFile } from './map'
import { takeInventory } from './recovery'

import type { Core } from '../core'
import type { Header, Marks } from './format'

/** A record: a copy of its bytes, and where it is. */
export interface LogRecord {
  readonly position: number
  readonly data: Buffer<ArrayBuffer>
}

/** How far somebody has read. */
export interface Place {
  /** The position from which on records are new. */
  next: number
  /** Where the last walk came to the end of what was there: the next one goes on here. */
  walked: { readonly base: number; readonly offset: number } | undefined
}

interface OpenSegment {
  readonly header: Header
  readonly core: Core
  readonly seed: number
}

/** `logWalk` and `logFind`. */
const EMPTY = 0
const SEALED = 1
const FULL = 3
/** Records per call into native code. */
const BATCH = 256
/** Segments that stay mapped. */
const OPEN = 4

/** Reads a log beside whoever writes it: maps its files read-only, and only loads. No buffer over them is made. */
export class Reader {
  readonly #directory: string
  /** Of the writer in this very log, which knows best. */
  readonly #live: (() => Marks) | undefined
  readonly #headers = new Map<number, Header>()
  readonly #open = new Map<number, OpenSegment>()
  #bases: number[] = []
  #marks: Marks = { durable: 0, start: 0 }
  #closed = false

  constructor(directory: string, live: (() => Marks) | undefined) {
    this.#directory = directory
    this.#live = live
    const { segments, marks } = takeInventory(directory, readSegmentFiles(directory))
    for (const { header } of segments) this.#headers.set(header.base, header)
    this.#bases = segments.map(({ header }) => header.base)
    this.#marks = marks
  }

  get marks(): Marks {
    return this.#marks
  }

  /** The payload of the record at a position. */
  read(position: number): Buffer<ArrayBuffer> {
    this.#readMarks()
    let found = this.#find(position)
    if (found === undefined) {
      this.refresh()
      found = this.#find(position)
    }
    if (found !== undefined) return copy(found.segment, found.offset, found.length)
    const segment = position < this.#marks.start ? undefined : this.#at(position)
    throw segment && this.#isDamaged(segment, position - segment.header.base)
      ? logDamaged(position)
      : outOfRange('position', 'that of a record', position)
  }

  #find(position: number): { segment: OpenSegment; offset: number; length: number } | undefined {
    const segment = position < this.#marks.start ? undefined : this.#at(position)
    if (segment === undefined) return undefined
    const offset = position - segment.header.base
    if (offset < HEADER || offset >= segment.core.byteLength) return undefined
    const length = segment.core.native.logFind(segment.seed, offset)
    return length < 0 ? undefined : { segment, offset, length }
  }

  /** The first record at or behind a place, and those after it, up to what is the end when it gets there. */
  *from(place: Place): Generator<LogRecord, void> {
    if (this.#bases.length === 0) this.refresh()
    const out = new Float64Array(2 + 2 * BATCH)
    let base = this.#baseAt(place.next) ?? this.#baseAfter(-1)
    let offset = base === undefined ? HEADER : this.#startIn(base, place)
    place.walked = undefined
    while (base !== undefined && !this.#closed) {
      for (let again = true; ;) {
        if (this.#closed) return
        const segment = this.#segment(base)
        // Retention was faster.
        if (segment === undefined) break
        const durable = Math.max(0, this.#marks.durable - base)
        const ended = segment.core.native.logWalk(segment.seed, offset, durable, out)
        offset = out[0]!
        // A copy: others may walk while this one is between two records.
        const pairs = out.slice(2, 2 + 2 * out[1]!)
        for (let at = 0; at < pairs.length; at += 2) {
          const where = base + pairs[at]!
          const length = pairs[at + 1]!
          if (length < 0 || where < place.next || where < this.#marks.start) continue
          if (this.#closed) return
          // Others may have made room since: then it is mapped again, unless retention was faster.
          const live = this.#segment(base)
          if (live === undefined) break
          const data = copy(live, pairs[at]!, length)
          place.next = where + 1
          yield { position: where, data }
        }
        if (ended === FULL) continue
        if (ended === SEALED) break
        if (ended === EMPTY) {
          place.walked = { base, offset }
          // A writer seals a segment before it goes on in the next; but what was promised to be here may be more than it was.
          if (pairs.length === 0 && !this.#readMarks()) return
          continue
        }
        // Others may have found damage to skip since the last look at the directory.
        if (!again) return
        again = false
        this.refresh()
        if (this.#baseAfter(base) === undefined) return
      }
      base = this.#baseAfter(base) ?? (this.refresh(), this.#baseAfter(base))
      offset = HEADER
    }
  }

  /** Where to begin in a segment: at its first record, or where it is known that one begins. */
  #startIn(base: number, { next, walked }: Place): number {
    if (walked?.base === base && base + walked.offset >= next) return walked.offset
    const offset = next - base
    const segment = this.#segment(base)
    if (segment === undefined || offset < HEADER || offset >= segment.core.byteLength) return HEADER
    return segment.core.native.logFind(segment.seed, offset) < 0 ? HEADER : offset
  }

  /** Where the next record would be. */
  end(): number {
    const base = this.#bases.findLast((one) => this.#holdsRecords(one)) ?? this.#bases[0]
    const segment = base === undefined ? undefined : this.#segment(base)
    if (segment === undefined) return 0
    const out = new Float64Array(2 + 2 * BATCH)
    let offset = HEADER
    while (segment.core.native.logWalk(segment.seed, offset, Math.max(0, this.#marks.durable - base!), out) === FULL)
      offset = out[0]!
    return base! + out[0]!
  }

  #holdsRecords(base: number): boolean {
    const segment = this.#segment(base)
    return segment !== undefined && segment.core.native.logFind(segment.seed, HEADER) !== -1
  }

  /** Looks at the directory again: segments come and go, marks move. */
  refresh(): void {
    this.#bases = listBases(this.#directory)
    const there = new Set(this.#bases)
    for (const [base, segment] of this.#open) {
      if (!there.has(base)) this.#drop(base, segment)
    }
    for (const base of this.#headers.keys()) {
      if (!there.has(base)) this.#headers.delete(base)
    }
    this.#readMarks()
  }

  /** The marks of the newest segments that are known, or of the writer: whether they have moved. */
  #readMarks(): boolean {
    const { durable, start } = this.#marks
    const found = this.#live === undefined ? this.#bases.slice(-2).map((base) => this.#marksIn(base)) : [this.#live()]
    this.#marks = {
      durable: Math.max(durable, ...found.map((one) => one.durable)),
      start: Math.max(start, ...found.map((one) => one.start)),
    }
    return this.#marks.durable > durable || this.#marks.start > start
  }

  #marksIn(base: number): Marks {
    const segment = this.#segment(base)
    if (segment === undefined || segment.core.byteLength < HEADER) return { durable: 0, start: 0 }
    const bytes = Buffer.allocUnsafe(HEADER)
    direct.readInto(segment.core.native, bytes, 0)
    return parseMarks(bytes, segment.header)
  }

  close(): void {
    this.#closed = true
    for (const [base, segment] of this.#open) this.#drop(base, segment)
  }

  /** Whether an offset lies in what was durable and is no record; one inside of a good record does not. */
  #isDamaged({ core, seed, header }: OpenSegment, offset: number): boolean {
    const out = new Float64Array(2 + 2 * BATCH)
    const durable = Math.max(0, this.#marks.durable - header.base)
    for (let ended = FULL, from = HEADER; ended === FULL && from <= offset; from = out[0]!) {
      ended = core.native.logWalk(seed, from, durable, out)
      for (let at = 2; at < 2 + 2 * out[1]!; at += 2) {
        if (out[at + 1]! < 0 && offset >= out[at]! && offset < out[at]! - out[at + 1]!) return true
      }
    }
    return false
  }

  #baseAt(position: number): number | undefined {
    return this.#bases[this.#countUpTo(position) - 1]
  }

  #baseAfter(base: number): number | undefined {
    return this.#bases[this.#countUpTo(base)]
  }

  /** How many segments begin at or before a position. */
  #countUpTo(position: number): number {
    let low = 0
    let high = this.#bases.length
    while (low < high) {
      const middle = (low + high) >> 1
      if (this.#bases[middle]! <= position) low = middle + 1
      else high = middle
    }
    return low
  }

  #at(position: number): OpenSegment | undefined {
    const base = this.#baseAt(position)
    return base === undefined ? undefined : this.#segment(base)
  }

  #segment(base: number): OpenSegment | undefined {
    const known = this.#open.get(base)
    if (known !== undefined) return known
    const header = this.#header(base)
    if (header === undefined) return undefined
    const path = segmentPath(this.#directory, base)
    let core: Core
    try {
      core = mapFile(path, 'read', 0, -1)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
      throw error
    }
    const segment = { header, core, seed: seedOf(header.id, header.number) }
    this.#open.set(base, segment)
    if (this.#open.size > OPEN) {
      const [[oldest, other]] = this.#open as unknown as [[number, OpenSegment]]
      this.#drop(oldest, other)
    }
    return segment
  }

  #header(base: number): Header | undefined {
    const known = this.#headers.get(base)
    if (known !== undefined) return known
    const file = readSegmentFile(this.#directory, base)
    // Its maker is still at work.
    if (file?.parsed.kind !== 'valid') return undefined
    this.#headers.set(base, file.parsed.header)
    return file.parsed.header
  }

  #drop(base: number, segment: OpenSegment): void {
    this.#open.delete(base)
    segment.core.close()
  }
}

function copy(segment: OpenSegment, offset: number, length: number): Buffer<ArrayBuffer> {
  const data = Buffer.allocUnsafe(length)
  if (length > 0) direct.readInto(segment.core.native, data, offset + 8)
  segment.core.checkFault()
  return data
}
