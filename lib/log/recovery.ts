import { isLogDirectory, isZeros, readBell } from './directory'
import { logFormat } from './errors'
import { ALIGN, BELL_MARKED, HEAD, HEADER, NO_MARKS, latest, parseBellId, parseBellMarks, seedOf } from './format'

import type { SegmentFile } from './directory'
import type { LogFindings, LogSegment } from './findings'
import type { Header, Marks } from './format'

/** What opening found. */
export interface LogRecovery {
  /** How many records are there, those before the start of the log not counted. */
  readonly recovered: number
  /** Bytes behind the end of the log that were made zero: a record that was not finished, or what a power loss left of ones that were never flushed. */
  readonly cut: number
  /**
   * What was durable once and is no record now: position and length of each range. It is skipped and stays on disk.
   *
   * A file with a broken header in which no record can be recognised is one range from its first to its last byte; it is set aside (`.seg.aside`), and as
   * nothing proves its place, the positions may be given to new records.
   */
  readonly damaged: readonly { readonly position: number; readonly length: number }[]
}

/** A segment as it is, or as its neighbours say that it was. */
export interface KnownSegment {
  readonly file: SegmentFile
  readonly header: Header
  /** Its header is its own. */
  readonly intact: boolean
  /** When the next one followed, for `retain.ageMs`. */
  readonly sealedAt: number
}

/** The files of a log, before their records are looked at. */
export interface Inventory {
  readonly segments: readonly KnownSegment[]
  readonly marks: Marks
  readonly id: Buffer | undefined
}

/** What is to be done. */
export interface Verdict extends LogRecovery {
  /** The segments of the log, in order. */
  readonly kept: readonly KnownSegment[]
  /** Where the log goes on in the last one of `kept`; `undefined`: in a new segment. */
  readonly end: number | undefined
  /** Where a new segment begins. */
  readonly next: number
  /** The last of `kept` cannot be gone on in, as its header is damaged: it is to be sealed here. */
  readonly seal: number | undefined
  /** Not the log's any more: segments that follow a cut. */
  readonly aside: readonly KnownSegment[]
  /** Made ahead of time and not used yet. */
  readonly unused: readonly KnownSegment[]
}

/** Sorts out whose files these are. Throws `ERR_LOG_FORMAT` if they are not a log's; nothing is written here. */
export function takeInventory(directory: string, files: readonly SegmentFile[]): Inventory {
  const valid = files.flatMap(({ parsed }) => (parsed.kind === 'valid' ? parsed : []))
  const headed = files.flatMap(({ parsed }) => (parsed.kind === 'valid' || parsed.kind === 'damaged' ? parsed : []))
  const bell = readBell(directory, BELL_MARKED)
  const noted = parseBellId(bell)
  for (const { path, parsed } of files) {
    if (parsed.kind === 'foreign' && (parsed.certain || (headed.length === 0 && noted === undefined)))
      throw logFormat(path, parsed.why)
  }
  const id = idOf(valid, headed, noted)
  if (id === undefined) {
    // A log that died while its first segment was being made has a file of zeros, and a power loss may take every header that was never flushed;
    // whatever else is there is not ours.
    const ours = isLogDirectory(directory)
    const strange = files.find(({ path, parsed }) => parsed.kind !== 'zeros' || !(ours || isZeros(path)))
    if (strange !== undefined) throw logFormat(directory, 'no log: none of its segments has a header')
  }
  let marks = id === undefined ? NO_MARKS : parseBellMarks(bell, id)
  for (const one of headed) if (one.header?.id.equals(id!)) marks = latest(marks, one.marks)
  return { segments: segmentsOf(files, id, marks), marks, id }
}

interface Headed {
  readonly header: Header | undefined
}

/**
 * Which log it is. The writer has noted it: that counts where a header says so, too (another one is a stranger's, however many there are), and where no
 * header is whole. Without a note a broken one is believed as far as its records prove it.
 */
function idOf(valid: readonly Headed[], headed: readonly Headed[], noted: Buffer | undefined): Buffer | undefined {
  const said = (valid.length > 0 ? valid : headed).flatMap(({ header }) => header?.id ?? [])
  if (noted !== undefined && (valid.length === 0 || said.some((one) => one.equals(noted)))) return noted
  return mostFrequent(said)
}

/** Those files that are the log's, with headers of their own or such as they must have had. */
function segmentsOf(all: readonly SegmentFile[], id: Buffer | undefined, marks: Marks): KnownSegment[] {
  const files = withoutStrays(all, id, marks)
  const own = files.map((file) => ownHeader(file, id))
  const numbers = own.map(
    (parsed, at) => parsed?.header.number ?? numberBeside(files, own, at) ?? numberIn(files[at]!, id),
  )
  const anchor = numbers.findIndex((number) => number !== undefined)
  return files.map((file, at): KnownSegment => {
    const parsed = own[at]
    if (parsed !== undefined) return { file, header: parsed.header, intact: true, sealedAt: parsed.sealedAt }
    // The header that it must have had: the CRC of each record proves or disproves it.
    let near = at
    while (near >= 0 && numbers[near] === undefined) near--
    if (near < 0) near = anchor
    const number = near < 0 ? at : Math.max(0, numbers[near]! + at - near)
    // The last one keeps room for a seal.
    const length = (files[at + 1]?.base ?? file.base + Math.ceil((file.size + HEAD) / 4096) * 4096) - file.base
    return {
      file,
      header: { id: id ?? NO_ID, base: file.base, number, length, created: 0 },
      intact: false,
      sealedAt: 0,
    }
  })
}

/** What the file's own header says, if it is this log's and stands in its place. */
function ownHeader({ base, parsed }: SegmentFile, id: Buffer | undefined) {
  return parsed.kind === 'valid' && parsed.header.base === base && parsed.header.id.equals(id!) ? parsed : undefined
}

/**
 * A file with the name of a position that lies inside of a segment can be none of this log, and neither is what begins like no segment and lies before
 * the start. Somebody has put it there: it is left alone.
 */
function withoutStrays(
  files: readonly SegmentFile[],
  id: Buffer | undefined,
  { start }: Marks,
): readonly SegmentFile[] {
  let end = 0
  return files.filter((file, at) => {
    const own = ownHeader(file, id)
    if (own !== undefined) {
      end = Math.max(end, file.base + own.header.length)
      return true
    }
    if (file.base < end) return false
    const next = files[at + 1]?.base
    return file.parsed.kind !== 'foreign' || next === undefined || next > start
  })
}

/** What a whole header beside it says of its number, as far as they are beside each other. */
function numberBeside(
  files: readonly SegmentFile[],
  own: readonly ({ readonly header: Header } | undefined)[],
  at: number,
): number | undefined {
  const { base, size } = files[at]!
  if (base === 0) return 0
  const before = own[at - 1]?.header
  if (before !== undefined && before.base + before.length === base) return before.number + 1
  const next = own[at + 1]?.header
  // Something between them may be missing: only where numbers or positions say that nothing is.
  const isBeside =
    at === 0 || base + size === next?.base || (before !== undefined && before.number + 2 === next?.number)
  if (next !== undefined && next.number > 0 && isBeside) return next.number - 1
  // As many are missing as would fit, if all are as long as the one before.
  return before && before.number + 1 + Math.round((base - before.base - before.length) / before.length)
}

/** A header that is broken somewhere else may still say its number: if the id or the position in it is right, so is that. Records prove it. */
function numberIn({ base, parsed }: SegmentFile, id: Buffer | undefined): number | undefined {
  const header = parsed.kind === 'damaged' ? parsed.header : undefined
  if (header === undefined || id === undefined) return undefined
  return header.base === base || header.id.equals(id) ? header.number : undefined
}

const NO_ID = Buffer.alloc(16)

function mostFrequent(ids: readonly Buffer[]): Buffer | undefined {
  const counts = new Map<string, number>()
  for (const id of ids) counts.set(id.toString('hex'), (counts.get(id.toString('hex')) ?? 0) + 1)
  const [best] = [...counts].toSorted(([, a], [, b]) => b - a)
  return best === undefined ? undefined : Buffer.from(best[0], 'hex')
}

/** What the native side is to read. */
export function verifyRequest({ segments, marks }: Inventory): LogSegment[] {
  return segments.map(({ file, header }) => ({
    path: file.path,
    seed: seedOf(header.id, header.number),
    from: HEADER,
    length: header.length,
    durable: Math.max(0, marks.durable - file.base),
    start: Math.max(0, marks.start - file.base),
  }))
}

const EMPTY = 0
const SEALED = 1

/** Where the next record can be. */
const aligned = (position: number): number => Math.ceil(position / ALIGN) * ALIGN

/** Decides from what was found; pure, so that a power loss can be played without one. */
export function judge(inventory: Inventory, findings: readonly LogFindings[]): Verdict {
  const { segments, marks } = inventory
  const damaged: { position: number; length: number }[] = []
  const damage = (begin: number, to: number) => {
    const last = damaged.at(-1)
    const told = last === undefined ? 0 : last.position + last.length
    // What was given up is nobody's loss.
    const from = Math.max(begin, aligned(marks.start), told)
    if (to <= from) return
    if (last !== undefined && told === from) last.length = to - last.position
    else damaged.push({ position: from, length: to - from })
  }
  const kept: KnownSegment[] = []
  let recovered = 0
  let end: number | undefined
  let seal: number | undefined
  let next = 0
  let at = 0
  for (; at < segments.length; at++) {
    const segment = segments[at]!
    const { base } = segment.header
    const found = findings[at]!
    // The first one is where retention left it.
    const expected = at > 0 ? next : Math.min(marks.start, base)
    if (base !== expected) {
      if (base < expected) break
      // Retention deletes without waiting for its mark to be on the disk: a power loss may take files and leave no mark, and what follows them was flushed.
      const forgotten = marks.start >= HEADER
      if (!forgotten && (expected >= marks.durable || base > marks.durable)) break
      damage(expected, forgotten ? Math.min(base, marks.durable) : base)
    }
    const durable = marks.durable > base
    if (!segment.intact) {
      // A record whose CRC is right proves the place that was guessed.
      if (!durable && found.records === 0) break
      damage(base, base + HEADER)
    }
    kept.push(segment)
    recovered += found.kept
    for (let pair = 0; pair < found.damaged.length; pair += 2) {
      damage(base + found.damaged[pair]!, base + found.damaged[pair]! + found.damaged[pair + 1]!)
    }
    next = base + segment.header.length
    const short = found.size < segment.header.length && found.end >= found.size - 7
    if (short && marks.durable > base + found.size) damage(base + found.size, Math.min(next, marks.durable))
    if (found.ended === SEALED) continue
    // Everything up to the durable position was promised: what follows it in this file, or in others, was not.
    if (marks.durable >= next) continue
    // A file that was cut short grows again; there is always room for a seal.
    const rounded = Math.min(aligned(found.end), segment.header.length - HEAD)
    // Before the start, which nothing takes back, nobody would find what is appended.
    if (segment.intact && base + rounded >= marks.start) end = rounded
    else seal = rounded
    at++
    break
  }
  if (end === undefined && marks.durable > next) {
    damage(next, marks.durable)
    next = aligned(marks.durable)
  }
  if (end === undefined) next = Math.max(next, aligned(marks.start))
  const aside = []
  const unused = []
  for (; at < segments.length; at++) {
    const segment = segments[at]!
    const { records, ended } = findings[at]!
    const empty = records === 0 && ended === EMPTY
    if (empty && (segment.intact || segment.file.parsed.kind === 'zeros')) unused.push(segment)
    else aside.push(segment)
    // A power loss leaves a header whole or zeros: another one was broken later, and whether its records were promised is not known any more.
    if (!segment.intact && segment.file.parsed.kind !== 'zeros')
      damage(segment.file.base, segment.file.base + segment.file.size)
  }
  return { recovered, cut: 0, damaged, kept, end, next, seal, aside, unused }
}
