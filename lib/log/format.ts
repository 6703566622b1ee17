import { Buffer } from 'node:buffer'
import { randomBytes } from 'node:crypto'
import { endianness } from 'node:os'

import { native } from '../native'

/** The format of docs/formats.md. */
export const HEADER = 128
/** Before each payload: word and CRC. */
export const HEAD = 8
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

/** Where the record after one with so much payload begins. */
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
  const data = view(bytes)
  if (!bytes.subarray(0, 8).equals(MAGIC)) return damagedOr(bytes, 'no segment of a log')
  const whole = (little: boolean) => data.getUint32(CHECKED, little) === native.crc32c(bytes.subarray(0, CHECKED), 0)
  if (data.getUint32(8, !LITTLE) === MARK && whole(!LITTLE)) {
    return { kind: 'foreign', why: 'in the other byte order', certain: true }
  }
  if (data.getUint32(8, LITTLE) !== MARK || !whole(LITTLE)) return damaged(bytes)
  const version = data.getUint32(12, LITTLE)
  if (version !== VERSION) return { kind: 'foreign', why: `of version ${version}; this is ${VERSION}`, certain: true }
  const header = fieldsOf(bytes)
  return {
    kind: 'valid',
    header,
    marks: parseMarks(bytes, header),
    sealedAt: Number(data.getBigUint64(SEALED_AT, LITTLE)),
  }
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
  return bytes.length < HEADER
    ? { kind: 'damaged', header: undefined, marks: { durable: 0, start: 0 } }
    : damaged(bytes)
}

/** The marks of a segment as they stand now; `bytes` is its header. */
export function parseMarks(bytes: Uint8Array, header: Header): Marks {
  const data = view(bytes)
  const marks = { durable: 0, start: 0 }
  for (const at of MARKS) {
    if (data.getUint32(at + 16, LITTLE) !== markSum(bytes.subarray(at, at + 16), header)) continue
    marks.durable = Math.max(marks.durable, Number(data.getBigUint64(at, LITTLE)))
    marks.start = Math.max(marks.start, Number(data.getBigUint64(at + 8, LITTLE)))
  }
  return marks
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
