import { native } from '../native'

/** One segment to verify. */
export interface LogSegment {
  readonly path: string
  /** What the CRC of its records begins with. */
  readonly seed: number
  /** Where its first record is. */
  readonly from: number
  /** Where it ends. */
  readonly length: number
  /** Up to where everything is promised to be there. */
  readonly durable: number
  /** From where on records are kept. */
  readonly start: number
}

/** What is in it. */
export interface LogFindings {
  /** 0: at the end of the log, 1: sealed, 2: at something that is no record. */
  readonly ended: number
  /** Where that is. */
  readonly end: number
  /** The file's length. */
  readonly size: number
  readonly records: number
  /** How many of them are not given up. */
  readonly kept: number
  /** Pairs of offset and length. */
  readonly damaged: Float64Array
}

/** Reads segments and checks every record. */
export function verifySync(segments: readonly LogSegment[]): LogFindings[] {
  return unpack(native.logVerifySync(pathsOf(segments), numbersOf(segments)))
}

/** The same on another thread. */
export async function verify(segments: readonly LogSegment[]): Promise<LogFindings[]> {
  return unpack(await native.logVerify(pathsOf(segments), numbersOf(segments)))
}

const pathsOf = (segments: readonly LogSegment[]): string[] => segments.map(({ path }) => path)

/** Seed, first record, length, durable offset and start of each segment. */
function numbersOf(segments: readonly LogSegment[]): Float64Array {
  return Float64Array.from(
    segments.flatMap(({ seed, from, length, durable, start }) => [seed, from, length, durable, start]),
  )
}

/** Of each segment six numbers, the last of which says how many more follow: the pairs of `damaged`. */
function unpack(numbers: Float64Array): LogFindings[] {
  const all = []
  for (let at = 0; at < numbers.length;) {
    const [ended, end, size, records, kept, count] = numbers.subarray(at, at + 6) as unknown as [
      number,
      number,
      number,
      number,
      number,
      number,
    ]
    at += 6 + count
    all.push({ ended, end, size, records, kept, damaged: numbers.subarray(at - count, at) })
  }
  return all
}
