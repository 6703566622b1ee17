import { Buffer } from 'node:buffer'
import { randomBytes } from 'node:crypto'
import { endianness } from 'node:os'

import { native } from '../native'

/** The format of docs/formats.md. */
export const HEADER = 128
/** Before each payload: word and CRC. */
export const HEAD = 8
/** Records begin at multiples of this. */
export const ALIGN = 8
/** The word after the last record of a segment. */
export const SEALED = 0xffff_ffff
export const MAX_POSITION = Number.MAX_SAFE_INTEGER

const MAGIC = Buffer.from('memmapLG')
const MARK = 0x0102_0304
const VERSION = 1
const CHECKED = 68
export const SEALED_AT = 72
const MARKS = [80, 104] as const

const LITTLE = endianness() === 'LE'

/** What the header of a segment says. */
export interface Header {
  readonly id: Buffer
  readonly base: number
  readonly number: number
  readonly length: number
  readonly created: number
}

/** Where the log begins and up to where it is on disk. */
export interface Marks {
  readonly durable: number
  readonly start: number
}

/** `'zeros'`: made ahead of time and not used; `'foreign'`: `why` says what it is instead. */
export type Parsed =
  | { readonly kind: 'valid'; readonly header: Header; readonly marks: Marks; readonly sealedAt: number }
  | { readonly kind: 'damaged'; readonly header: Header | undefined; readonly marks: Marks }
  | { readonly kind: 'zeros' }
  | { readonly kind: 'foreign'; readonly why: string; readonly certain: boolean }

export const newId = (): Buffer => randomBytes(16)

/** The name of a segment's file. */
export function fileName(base: number): string {
  return `${String(base).padStart(16, '0')}.seg`
}

/** The position that a file name gives, or `undefined` for other files. */
export function baseOf(name: string): number | undefined {
  return /^\d{16}\.seg$/.test(name) ? Number(name.slice(0, 16)) : undefined
}

/** Where the record after one with so much payload begins; it fits into a segment, so 32 bits are enough. */
export const after = (offset: number, length: number): number => (offset + HEAD + length + 7) & ~7

function view(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

export function encodeHeader(header: Header): Buffer {
  const bytes = Buffer.alloc(HEADER)
  const data = view(bytes)
  MAGIC.copy(bytes)
  data.setUint32(8, MARK, LITTLE)
  data.setUint32(12, VERSION, LITTLE)
  header.id.copy(bytes, 16)
  data.setBigUint64(32, BigInt(header.base), LITTLE)
  data.setBigUint64(40, BigInt(header.number), LITTLE)
  data.setBigUint64(48, BigInt(header.length), LITTLE)
  data.setBigUint64(56, BigInt(header.created), LITTLE)
  data.setUint32(CHECKED, native.crc32c(bytes.subarray(0, CHECKED), 0), LITTLE)
  return bytes
}

/** What the CRC of every record of a segment begins with. */
export function seedOf(id: Buffer, number: number): number {
  const bytes = Buffer.alloc(24)
  id.copy(bytes)
  view(bytes).setBigUint64(16, BigInt(number), LITTLE)
  return native.crc32c(bytes, 0)
}

/** Reads the first bytes of a file that has the name of a segment. */
export function parseHeader(bytes: Buffer): Parsed {
  if (bytes.every((byte) => byte === 0)) return { kind: 'zeros' }
  if (bytes.length < HEADER) return damagedOr(bytes, 'shorter than a header')
  const why = strangeness(bytes)
  if (why !== undefined) return { kind: 'foreign', why, certain: true }
  if (!bytes.subarray(0, 8).equals(MAGIC)) return damagedOr(bytes, STRANGER)
  if (!isWhole(bytes, LITTLE)) return damaged(bytes)
  const data = view(bytes)
  const header = fieldsOf(bytes)
  return {
    kind: 'valid',
    header,
    marks: parseMarks(bytes, header),
    sealedAt: Number(data.getBigUint64(SEALED_AT, LITTLE)),
  }
}

const STRANGER = 'no segment of a log'

const isWhole = (bytes: Buffer, little: boolean): boolean =>
  view(bytes).getUint32(CHECKED, little) === native.crc32c(bytes.subarray(0, CHECKED), 0)

/**
 * What a header is instead of ours, if it is whole but for byte-order mark and version: its CRC is right, or it is once these (and the magic) are put
 * right. If they are one bit away from ours, then that is damage: a disk does it, and nobody who writes another format.
 */
function strangeness(bytes: Buffer): string | undefined {
  const data = view(bytes)
  for (const little of [LITTLE, !LITTLE]) {
    const ours = Buffer.from(bytes)
    MAGIC.copy(ours)
    view(ours).setUint32(8, MARK, little)
    view(ours).setUint32(12, VERSION, little)
    const isStrange = little !== LITTLE || differingBits(bytes, ours) > 1
    if (!isWhole(bytes, little) && !(isStrange && isWhole(ours, little))) continue
    if (little !== LITTLE || data.getUint32(8, !LITTLE) === MARK) return 'in the other byte order'
    if (data.getUint32(8, LITTLE) !== MARK) return STRANGER
    const version = data.getUint32(12, LITTLE)
    return version === VERSION ? undefined : `of version ${version}; this is ${VERSION}`
  }
  return undefined
}

/** Of byte-order mark and version. */
function differingBits(a: Uint8Array, b: Uint8Array): number {
  let bits = 0
  for (let at = 8; at < 16; at++) for (let rest = a[at]! ^ b[at]!; rest > 0; rest &= rest - 1) bits++
  return bits
}

function fieldsOf(bytes: Buffer): Header {
  const data = view(bytes)
  const number = (at: number) => Number(data.getBigUint64(at, LITTLE))
  return {
    id: Buffer.from(bytes.subarray(16, 32)),
    base: number(32),
    number: number(40),
    length: number(48),
    created: number(56),
  }
}

/** What the header says may still be right: the CRCs of marks and records, which begin with it, will tell. */
function damaged(bytes: Buffer): Parsed {
  const header = fieldsOf(bytes)
  return { kind: 'damaged', header, marks: parseMarks(bytes, header) }
}

/** One broken header among good ones is damage; nothing but strangers is somebody else's directory. */
function damagedOr(bytes: Buffer, why: string): Parsed {
  // Half of the magic is left of a header that was damaged in one place.
  const alike = MAGIC.filter((byte, at) => bytes[at] === byte).length
  if (alike < 4) return { kind: 'foreign', why, certain: false }
  return bytes.length < HEADER ? { kind: 'damaged', header: undefined, marks: NO_MARKS } : damaged(bytes)
}

/** Nothing is known to be on the disk, and nothing was given up. */
export const NO_MARKS: Marks = Object.freeze({ durable: 0, start: 0 })

const marksAt = (data: DataView, at: number): Marks => ({
  durable: Number(data.getBigUint64(at, LITTLE)),
  start: Number(data.getBigUint64(at + 8, LITTLE)),
})

/** The marks of a segment as they stand now; `bytes` is its header. */
export function parseMarks(bytes: Uint8Array, header: Header): Marks {
  const data = view(bytes)
  let marks = NO_MARKS
  for (const at of MARKS) {
    if (data.getUint32(at + 16, LITTLE) !== markSum(bytes.subarray(at, at + 16), header)) continue
    marks = latest(marks, marksAt(data, at))
  }
  return marks
}

/** Where the marks stand in `bell`, behind the id of their log, and how much of the file that takes. */
const BELL_MARKS = [64, 128] as const
export const BELL_MARKED = 192

/** The notes in `bell` that are whole: id and marks. */
function bellNotes(bytes: Buffer): { id: Buffer; marks: Marks }[] {
  const data = view(bytes)
  return BELL_MARKS.flatMap((at) => {
    if (bytes.length < at + 40) return []
    const sum = native.crc32c(bytes.subarray(at, at + 32), 0)
    // Zeros have a CRC of zero.
    if (sum === 0 || data.getUint32(at + 32, LITTLE) !== sum) return []
    return { id: Buffer.from(bytes.subarray(at, at + 16)), marks: marksAt(data, at + 16) }
  })
}

/**
 * The marks that the writer has left in `bell`: who loses the newest segment would not know otherwise how far it went. Another log's do not count, nor
 * any whose CRC is wrong.
 */
export function parseBellMarks(bytes: Buffer, id: Buffer): Marks {
  return bellNotes(bytes)
    .filter((note) => note.id.equals(id))
    .reduce((marks, note) => latest(marks, note.marks), NO_MARKS)
}

/** Whose log the notes are of, if one of them is whole. */
export function parseBellId(bytes: Buffer): Buffer | undefined {
  return bellNotes(bytes)[0]?.id
}

export function writeBellMarks(bytes: Uint8Array, id: Buffer, marks: Marks, turn: number): void {
  const mark = Buffer.alloc(40)
  const data = view(mark)
  id.copy(mark)
  data.setBigUint64(16, BigInt(marks.durable), LITTLE)
  data.setBigUint64(24, BigInt(marks.start), LITTLE)
  data.setUint32(32, native.crc32c(mark.subarray(0, 32), 0), LITTLE)
  bytes.set(mark, BELL_MARKS[turn & 1]!)
}

/** Of two marks what each says most: neither durability nor retention takes anything back. */
export function latest(a: Marks, b: Marks): Marks {
  return { durable: Math.max(a.durable, b.durable), start: Math.max(a.start, b.start) }
}

/** Writes a mark over the older of the two. */
export function writeMarks(bytes: Uint8Array, header: Header, marks: Marks, turn: number): void {
  const mark = Buffer.alloc(24)
  const data = view(mark)
  data.setBigUint64(0, BigInt(marks.durable), LITTLE)
  data.setBigUint64(8, BigInt(marks.start), LITTLE)
  data.setUint32(16, markSum(mark.subarray(0, 16), header), LITTLE)
  bytes.set(mark, MARKS[turn & 1]!)
}

function markSum(mark: Uint8Array, header: Header): number {
  return native.crc32c(mark, seedOf(header.id, header.number))
}
