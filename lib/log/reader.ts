import { outOfRange } from '../errors'
import { direct } from '../native'
import { listBases, readSegmentFiles, statSegment, withSegmentFile } from './directory'
import { logDamaged } from './errors'
import { ALIGN, HEAD, HEADER, NO_MARKS, latest, parseMarks, seedOf } from './format'
import { mapFile } from './map'
import { takeInventory } from './recovery'

import type { Core } from '../core'
import type { SegmentFile } from './directory'
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
  readonly base: number
  readonly header: Header
  readonly core: Core
  readonly seed: number
  /** Which file it is, and how long that was: a writer that was replaced may have left this one unused, and the next one makes it anew. */
  readonly inode: bigint
  readonly size: number
  /** Its header is not its own (yet). */
  readonly isGuessed: boolean
}

/** `logWalk`. */
const EMPTY = 0
const SEALED = 1
const FULL = 3
/** `logFind`. */
const NOTHING = -1
/** Records per call into native code. */
const BATCH = 256
/** How often a file is taken for replaced before the file system is taken for one that tells something else each time. */
const PATIENCE = 8
/** Segments that may be newer than the one that is written, and that one. */
const NEWEST = 3
/** Segments that stay mapped: these, and those that somebody reads. */
const OPEN = 6

/** Reads a log beside whoever writes it: maps its files read-only, and only loads. No buffer over them is made. */
export class Reader {
  readonly #directory: string
  /** Of the writer in this very log, which knows best. */
  readonly #live: (() => Marks) | undefined
  #id: Buffer | undefined
  /** As they were last known, for the case that a file has none of its own any more. */
  readonly #headers = new Map<number, Header>()
  readonly #open = new Map<number, OpenSegment>()
  #bases: number[] = []
  #marks: Marks = NO_MARKS
  #closed = false

  constructor(directory: string, live: (() => Marks) | undefined) {
    this.#directory = directory
    this.#live = live
    this.#beginAnew()
    this.#bases = listBases(directory)
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
    throw this.#isLost(position) ? logDamaged(position) : outOfRange('position', 'that of a record', position)
  }

  /** Whether a record may have been here: what was durable and is no record, or in no file, or behind the end of one that is too short. */
  #isLost(position: number): boolean {
    if (position < Math.max(this.#marks.start, HEADER) || position % ALIGN !== 0) return false
    const segment = this.#holding(position)
    const offset = segment === undefined ? Infinity : position - segment.base
    if (offset < HEADER) return false
    if (segment !== undefined && offset < Math.min(segment.header.length, segment.core.byteLength))
      return this.#isDamaged(segment, offset)
    return position < this.#marks.durable
  }

  #find(position: number): { segment: OpenSegment; offset: number; length: number } | undefined {
    const segment = position < this.#marks.start ? undefined : this.#holding(position)
    if (segment === undefined) return undefined
    const offset = position - segment.base
    if (offset < HEADER || offset >= segment.core.byteLength) return undefined
    const length = segment.core.native.logFind(segment.seed, offset)
    return length < 0 ? undefined : { segment, offset, length }
  }

  /** The first record at or behind a place, and those after it, up to what is the end when it gets there. */
  *from(place: Place): Generator<LogRecord, void> {
    const out = new Float64Array(2 + 2 * BATCH)
    let base = this.#firstFor(place.next)
    let offset = base === undefined ? HEADER : this.#startIn(base, place)
    let found = false
    let looked = false
    let replaced = 0
    let entered: number | undefined
    place.walked = undefined
    while (base !== undefined && !this.#closed) {
      // What its header would say was guessed while its maker was at work; the one before is sealed only when that is done.
      if (entered !== base) this.#dropGuess(base)
      entered = base
      // Its maker may have been at work the last time; whoever made a later one was done with this one.
      const segment = this.#segment(base) ?? (this.refresh(), this.#segment(base))
      if (segment === undefined) {
        base = this.#baseAfter(base)
        offset = HEADER
        looked = false
        continue
      }
      const durable = Math.max(0, this.#marks.durable - base)
      const ended = segment.core.native.logWalk(segment.seed, offset, durable, out)
      // A copy: others may walk while this one is between two records.
      const pairs = out.slice(2, 2 + 2 * out[1]!)
      // A file that another one has replaced has no end and no damage, only less than there is.
      const doubtful = pairs.length === 0 ? ended !== SEALED && !found : hasDamage(pairs)
      if (doubtful && replaced < PATIENCE && this.#dropReplaced(segment)) {
        replaced++
        offset = this.#startIn(base, place)
        continue
      }
      offset = out[0]!
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
        found = true
        yield { position: where, data }
      }
      if (ended === FULL) continue
      if (ended === SEALED) {
        base = this.#following(segment)
        offset = HEADER
        looked = false
        // The next one may be what a writer had made ahead that was replaced since.
        found = false
        continue
      }
      if (ended === EMPTY) {
        place.walked = { base, offset }
        // A writer seals a segment before it goes on in the next; but what was promised to be here may be more than it was.
        if (pairs.length === 0 && !this.#readMarks()) return
        continue
      }
      // Others may have found damage to skip since the last look at the directory.
      if (looked) return
      looked = true
      this.refresh()
      if (this.#baseAfter(base) === undefined) return
    }
  }

  /** The segment to look for a position in, or the first one behind it. */
  #firstFor(position: number): number | undefined {
    const first = () => this.#holding(position)?.base ?? this.#baseAfter(position - 1)
    const found = first()
    if (found !== undefined && found <= Math.max(position, this.#marks.start)) return found
    // What begins further on begins with a gap: one that the last listing made, perhaps.
    this.refresh()
    const again = first()
    return again === undefined || again <= position || this.#countsBehindGap(again) ? again : undefined
  }

  /** As recovery has it: where nothing was ever given up, what follows a gap counts only if it is durable. */
  #countsBehindGap(base: number): boolean {
    const { durable, start } = this.#marks
    return start >= HEADER || base <= durable
  }

  /** The segment after one that is sealed. */
  #following({ base, header }: OpenSegment): number | undefined {
    const expected = base + header.length
    if (this.#bases[this.#countUpTo(expected) - 1] === expected) return expected
    this.refresh()
    if (this.#bases[this.#countUpTo(expected) - 1] === expected) return expected
    // A listing may miss a file that was made while it went on, and have the one after it.
    if (statSegment(this.#directory, expected) !== undefined) {
      this.#bases.splice(this.#countUpTo(expected), 0, expected)
      return expected
    }
    const next = this.#baseAfter(expected)
    return next === undefined || this.#countsBehindGap(next) ? next : undefined
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
    // One that is made anew has no length for a moment.
    if (segment === undefined || segment.core.byteLength < HEADER + HEAD) return false
    return segment.core.native.logFind(segment.seed, HEADER) !== NOTHING
  }

  /** Looks at the directory again: segments come and go, or are replaced, and marks move. */
  refresh(): void {
    this.#bases = listBases(this.#directory)
    const there = new Set(this.#bases)
    for (const segment of this.#open.values()) {
      if (!there.has(segment.base) || segment.isGuessed) this.#drop(segment)
      else this.#dropReplaced(segment)
    }
    for (const base of this.#headers.keys()) {
      if (!there.has(base)) this.#headers.delete(base)
    }
    this.#readMarks()
  }

  /** Gives up what is not what its name stands for now, or has another length; whether it was so. A file without a name any more is kept. */
  #dropReplaced(segment: OpenSegment): boolean {
    const now = statSegment(this.#directory, segment.base)
    if (now === undefined || (now.inode === segment.inode && now.size === segment.size)) return false
    this.#drop(segment)
    return true
  }

  /** The marks of the newest segments that are known, or of the writer: whether they have moved. */
  #readMarks(): boolean {
    const { durable, start } = this.#marks
    const found =
      this.#live === undefined ? this.#bases.slice(-NEWEST).map((base) => this.#marksIn(base)) : [this.#live()]
    for (const one of found) this.#marks = latest(this.#marks, one)
    return this.#marks.durable > durable || this.#marks.start > start
  }

  #marksIn(base: number): Marks {
    const segment = this.#segment(base)
    if (segment === undefined || segment.core.byteLength < HEADER) return NO_MARKS
    const bytes = Buffer.allocUnsafe(HEADER)
    direct.readInto(segment.core.native, bytes, 0)
    return parseMarks(bytes, segment.header)
  }

  close(): void {
    this.#closed = true
    for (const segment of this.#open.values()) this.#drop(segment)
  }

  /** Whether an offset lies in what was durable and is no record; one inside of a good record does not. */
  #isDamaged({ core, seed, base }: OpenSegment, offset: number): boolean {
    const out = new Float64Array(2 + 2 * BATCH)
    const durable = Math.max(0, this.#marks.durable - base)
    for (let ended = FULL, from = HEADER; ended === FULL && from <= offset; from = out[0]!) {
      ended = core.native.logWalk(seed, from, durable, out)
      for (let at = 2; at < 2 + 2 * out[1]!; at += 2) {
        if (out[at + 1]! < 0 && offset >= out[at]! && offset < out[at]! - out[at + 1]!) return true
      }
    }
    return false
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

  /** The segment in which a position lies, past files that only have such a name. */
  #holding(position: number): OpenSegment | undefined {
    for (let at = this.#countUpTo(position) - 1; at >= 0; at--) {
      const segment = this.#segment(this.#bases[at]!)
      if (segment !== undefined) return segment
    }
    return undefined
  }

  #segment(base: number): OpenSegment | undefined {
    const known = this.#open.get(base)
    if (known !== undefined) return known
    for (let turn = 0; ; turn++) {
      const segment = withSegmentFile(this.#directory, base, (file) => this.#map(file))
      if (segment === undefined) return undefined
      if (turn < PATIENCE && !this.#isStill(segment)) {
        segment.core.close()
        continue
      }
      this.#open.set(base, segment)
      const [oldest] = this.#open.values()
      if (this.#open.size > OPEN) this.#drop(oldest!)
      return segment
    }
  }

  /** Read and mapped were two files, if one has replaced the other in between. */
  #isStill({ base, core, inode }: OpenSegment): boolean {
    try {
      return statSegment(this.#directory, base)?.inode === inode
    } catch (error) {
      core.close()
      throw error
    }
  }

  /** `undefined`: it is none of the log's, or its maker is still at work, or it is gone. */
  #map(file: SegmentFile): OpenSegment | undefined {
    const { base, path, inode, size } = file
    const own = this.#ownHeader(file)
    const header = own ?? this.#headers.get(base)
    if (header === undefined) return undefined
    this.#headers.set(base, header)
    try {
      const core = mapFile(path, 'read', 0, -1)
      return { base, header, core, seed: seedOf(header.id, header.number), inode, size, isGuessed: own === undefined }
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
      throw error
    }
  }

  #ownHeader({ base, parsed }: SegmentFile): Header | undefined {
    if (parsed.kind !== 'valid' || parsed.header.base !== base) return undefined
    // The first one of all, or of a log that was made anew in the place of an old one.
    if (!this.#isOurs(parsed.header)) this.#beginAnew()
    return this.#isOurs(parsed.header) ? parsed.header : undefined
  }

  #isOurs({ id }: Header): boolean {
    return this.#id !== undefined && id.equals(this.#id)
  }

  #beginAnew(): void {
    const { segments, marks, id } = takeInventory(this.#directory, readSegmentFiles(this.#directory))
    if (id === undefined || this.#id?.equals(id)) return
    this.#id = id
    this.#headers.clear()
    for (const { header } of segments) this.#headers.set(header.base, header)
    this.#marks = marks
  }

  #dropGuess(base: number): void {
    const segment = this.#open.get(base)
    if (segment?.isGuessed === true) this.#drop(segment)
  }

  #drop(segment: OpenSegment): void {
    this.#open.delete(segment.base)
    segment.core.close()
  }
}

function hasDamage(pairs: Float64Array): boolean {
  for (let at = 1; at < pairs.length; at += 2) if (pairs[at]! < 0) return true
  return false
}

function copy(segment: OpenSegment, offset: number, length: number): Buffer<ArrayBuffer> {
  const data = Buffer.allocUnsafe(length)
  if (length > 0) direct.readInto(segment.core.native, data, offset + 8)
  segment.core.checkFault()
  return data
}
