import { invalidArgType, invalidArgValue } from '../errors'
import { byteCount, checkInteger, optionalBoolean, optionsOf } from '../validate'
import { HEADER, MAX_POSITION } from './format'

/** Options of `MappedLog.open`. */
export interface LogOptions {
  /** Length of the files that the log is made of, a multiple of 4,096 (rounded up). Default 16 MiB, at most 1 GiB. A record must fit. */
  segmentSize?: number | bigint | undefined
  /**
   * What may be deleted, in whole segments: when a segment is full, when the log is opened, and with `flush: 'interval'` every `flushMs`.
   * Default: nothing.
   */
  retain?:
    | {
        /** Keep the files at or below so many bytes together. */
        bytes?: number | bigint | undefined
        /** Keep at most so many files. */
        segments?: number | undefined
        /** Delete files whose last record is older than so many milliseconds. */
        ageMs?: number | undefined
      }
    | undefined
  /** When records are made durable: by `flush()` only, every `flushMs`, or before each `append` returns. Default `'interval'`. */
  flush?: 'never' | 'interval' | 'always' | undefined
  /** Milliseconds between two flushes of `'interval'`. Default 1000. */
  flushMs?: number | undefined
  /** Only read, beside the one writer. The directory must be there (`ENOENT`). Default `false`. */
  readOnly?: boolean | undefined
}

/** The same, checked. */
export interface LogSettings {
  readonly segmentSize: number
  readonly bytes: number
  readonly segments: number
  readonly ageMs: number
  readonly flush: 'never' | 'interval' | 'always'
  readonly flushMs: number
  readonly readOnly: boolean
}

/** What `MappedLog.open` takes. */
export const LOG_OPTIONS = ['segmentSize', 'retain', 'flush', 'flushMs', 'readOnly'] as const

const PAGE = 4096
const LARGEST = 2 ** 30
const DEFAULT_SIZE = 16 * 2 ** 20

/** The largest payload of a segment: its header, the record's own and the seal take the rest. */
export const largestPayload = (segmentSize: number): number => segmentSize - HEADER - 16

export function logSettings(options: unknown, caller: string): LogSettings {
  const given = options === undefined ? {} : optionsOf(options, LOG_OPTIONS, caller)
  const retain = given['retain'] === undefined ? {} : retainOf(given['retain'], caller)
  const { flush = 'interval', flushMs = 1000 } = given
  if (typeof flush !== 'string') throw invalidArgType('options.flush', 'of type string', flush)
  if (flush !== 'never' && flush !== 'interval' && flush !== 'always') {
    throw invalidArgValue('options.flush', flush, "must be one of: 'never', 'interval', 'always'")
  }
  checkInteger(flushMs, 'options.flushMs', 1, 0x7fff_ffff)
  const size =
    given['segmentSize'] === undefined ? DEFAULT_SIZE : byteCount(given['segmentSize'], 'options.segmentSize')
  checkInteger(size, 'options.segmentSize', PAGE, LARGEST)
  return {
    segmentSize: Math.ceil(size / PAGE) * PAGE,
    bytes: retain['bytes'] === undefined ? Infinity : byteCount(retain['bytes'], 'options.retain.bytes'),
    segments: positive(retain['segments'], 'options.retain.segments'),
    ageMs: positive(retain['ageMs'], 'options.retain.ageMs'),
    flush,
    flushMs,
    readOnly: optionalBoolean(given['readOnly'], 'options.readOnly') ?? false,
  }
}

function retainOf(retain: unknown, caller: string): Record<string, unknown> {
  return optionsOf(retain, ['bytes', 'segments', 'ageMs'], caller, 'options.retain')
}

function positive(value: unknown, name: string): number {
  if (value === undefined) return Infinity
  checkInteger(value, name, 1)
  return value
}

/** A position of the log, as a caller gives it. */
export function checkPosition(position: unknown, name: string): asserts position is number {
  checkInteger(position, name, 0, MAX_POSITION)
}
