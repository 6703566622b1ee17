import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

import { illegalConstructor, invalidArgType, invalidArgValue, recapture } from '../errors'
import { byteCount, bytesOf, checkAttached, checkSignal, optionsOf } from '../validate'
import { readSegmentFiles } from './directory'
import { logClosed, logReadOnly } from './errors'
import { verify, verifySync } from './findings'
import { beginOpen } from './open'
import { checkPosition, logSettings } from './options'
import { Reader } from './reader'
import { judge, takeInventory, verifyRequest } from './recovery'
import { tail } from './tail'

import type { Opened } from './open'
import type { LogOptions, LogSettings } from './options'
import type { LogRecord } from './reader'
import type { LogRecovery } from './recovery'
import type { Bytes } from '../types'

/** Where a log lives. */
export type LogDirectory = string | URL

/** Options of `tail`. */
export interface TailOptions {
  /** The position to begin at: 0 for the oldest record. Default: the end, so only what is appended from now on. */
  from?: number | bigint | undefined
  /** Ends the iteration with an `AbortError` (`ABORT_ERR`), whose `cause` is the signal's reason. */
  signal?: AbortSignal | undefined
}

/** What `stats` tells. */
export interface LogStats {
  /** How many files. */
  readonly segments: number
  /** Their length together. */
  readonly bytes: number
  /** The position from which on records are kept. */
  readonly start: number
  /** The position of the next record, if it fits into the segment. */
  readonly end: number
  /** Everything before this position is known to be on disk. */
  readonly durable: number
}

const KEY = Symbol('MappedLog')

/**
 * An append-only log of records in memory-mapped files. What `append` has returned for survives the death of the process, at the speed of memory;
 * after `flush` it survives that of the machine. One writer, any number of readers.
 *
 * @example
 * const log = MappedLog.openSync('app.log')
 * try {
 *   const position = log.append('started')
 *   log.read(position).toString() // 'started'
 *   await log.flush()
 * } finally {
 *   log.close()
 * }
 */
export class MappedLog implements Disposable {
  readonly #directory: string
  readonly #settings: LogSettings
  readonly #opened: Opened | undefined
  #reader: Reader | undefined
  #recovery: LogRecovery | undefined
  #timer: NodeJS.Timeout | undefined
  #flushing: Promise<void> | undefined
  #closed = false
  /** What to call when the log is closed: one for each tail. */
  readonly #tails = new Set<() => void>()

  private constructor(key: unknown, directory: string, settings: LogSettings, opened: Opened | undefined) {
    if (key !== KEY) throw illegalConstructor('MappedLog.open() or MappedLog.openSync()')
    this.#directory = directory
    this.#settings = settings
    this.#opened = opened
    this.#recovery = opened?.recovery
    if (opened === undefined) this.#reader = new Reader(directory, undefined)
    else if (settings.flush === 'interval') this.#startTimer()
  }

  /**
   * Opens a log, and makes the directory where it is missing. Records are read and checked on another thread; locking, repairing and syncing
   * block. With `readOnly` nothing is made or locked.
   *
   * @throws `EBUSY` if another writer has it, `ENOENT` with `readOnly` if there is no such directory, `ENOSPC` if there is no room for the next
   *   file, `EEXIST` or `ENOTDIR` if something else has its name, `ERR_LOG_FORMAT` if the files are not a log's of this version and byte order:
   *   nothing is written then.
   */
  static async open(directory: LogDirectory, options?: LogOptions): Promise<MappedLog> {
    const path = pathOf(directory)
    const settings = logSettings(options, 'MappedLog.open')
    if (settings.readOnly) return new MappedLog(KEY, path, settings, undefined)
    const opening = beginOpen(path, settings)
    let findings
    try {
      findings = await verify(verifyRequest(opening.inventory))
    } catch (error) {
      opening.abandon()
      throw recapture(error)
    }
    return new MappedLog(KEY, path, settings, opening.finish(findings))
  }

  /** The twin of {@link open} that waits for the records, too. */
  static openSync(directory: LogDirectory, options?: LogOptions): MappedLog {
    const path = pathOf(directory)
    const settings = logSettings(options, 'MappedLog.openSync')
    if (settings.readOnly) return new MappedLog(KEY, path, settings, undefined)
    const opening = beginOpen(path, settings)
    let findings
    try {
      findings = verifySync(verifyRequest(opening.inventory))
    } catch (error) {
      opening.abandon()
      throw error
    }
    return new MappedLog(KEY, path, settings, opening.finish(findings))
  }

  get closed(): boolean {
    return this.#closed
  }

  /** The directory. */
  get path(): string {
    return this.#directory
  }

  /** What opening found; with `readOnly` it is looked for at the first use, and nothing is changed. */
  get recovery(): LogRecovery {
    if (this.#recovery === undefined) {
      const { recovered, damaged } = lookOn(this.#directory)
      this.#recovery = Object.freeze({ recovered, cut: 0, damaged: Object.freeze(damaged) })
    }
    return this.#recovery
  }

  /**
   * Appends a record and returns its position. From then on it survives the death of this process. Never waits for the disk, except with `flush: 'always'`.
   *
   * @throws `ENOSPC` if the disk is full: the log is as it was, and `append` works again once there is room. `ERR_OUT_OF_RANGE` for a record longer
   *   than a segment has room for, `ERR_LOG_FAILED` after a failed flush, `ERR_INVALID_STATE` with `readOnly` and after `close()`.
   */
  append(data: string | Bytes): number {
    const { writer } = this.#writable()
    const position = typeof data === 'string' ? writer.appendString(data) : writer.append(recordOf(data, 'data'))
    if (this.#settings.flush === 'always') writer.flushSync()
    return position
  }

  /**
   * Appends several records and returns their positions; with `flush: 'always'` there is one flush for all of them. A record that cannot be appended
   * is an error before the first one is; a disk that gets full in their midst leaves those before.
   */
  appendMany(records: Iterable<string | Bytes>): number[] {
    this.#writable()
    if (typeof records !== 'object' || records === null || !(Symbol.iterator in records)) {
      throw invalidArgType('records', 'an iterable of records', records)
    }
    const all = Array.from(records, (data, at) => (typeof data === 'string' ? data : recordOf(data, `records[${at}]`)))
    // What makes them may have closed the log.
    const { writer } = this.#writable()
    for (const [at, data] of all.entries()) writer.checkSize(data, `records[${at}].length`)
    const positions = all.map((data) => (typeof data === 'string' ? writer.appendString(data) : writer.append(data)))
    if (this.#settings.flush === 'always') writer.flushSync()
    return positions
  }

  /**
   * A copy of the record at a position.
   *
   * @throws `ERR_OUT_OF_RANGE` if there is none, `ERR_LOG_DAMAGED` if it was one.
   */
  read(position: number): Buffer<ArrayBuffer> {
    checkPosition(position, 'position')
    return this.#readerOf().read(position)
  }

  /** All records, oldest first, up to what is the end when the iteration gets there. Damage is skipped. */
  *[Symbol.iterator](): IterableIterator<LogRecord> {
    const reader = this.#readerOf()
    reader.refresh()
    yield* reader.from({ next: 0, walked: undefined })
  }

  /** The same, for `for await`. */
  async *[Symbol.asyncIterator](): AsyncIterableIterator<LogRecord> {
    yield* this[Symbol.iterator]()
  }

  /**
   * Records as they are appended, by this process or another; ends when the log is closed. Keeps the process alive.
   *
   * @throws `AbortError` (`ABORT_ERR`) from the iteration when the signal aborts.
   */
  tail(options?: TailOptions): AsyncIterableIterator<LogRecord> {
    const given = options === undefined ? {} : optionsOf(options, ['from', 'signal'], 'tail')
    const { from, signal } = given
    const first = from === undefined ? undefined : byteCount(from, 'options.from')
    checkSignal(signal)
    const reader = this.#readerOf()
    // The end is where it is now, not where it is at the first `next()`.
    const begin = first ?? this.#end()
    return tail({ directory: this.#directory, reader, tails: this.#tails, isClosed: () => this.#closed }, begin, signal)
  }

  /** Makes everything that was appended so far durable, as fsync does, and the names of new files. A failure is final: `ERR_LOG_FAILED` until it is opened again. */
  async flush(): Promise<void> {
    const { writer } = this.#writable()
    // One that runs has begun too early for what was appended since.
    while (this.#flushing !== undefined) await this.#flushing.catch(() => {})
    if (writer.failure !== undefined) throw writer.failure
    // Whoever closed it with `flush: 'never'` has left this undone.
    if (this.#closed && writer.marks.durable < writer.end) throw logClosed()
    if (this.#closed) return
    this.#flushing = writer.flush().finally(() => (this.#flushing = undefined))
    await this.#flushing
  }

  /** The twin of {@link flush} that waits. */
  flushSync(): void {
    this.#writable().writer.flushSync()
  }

  /** Gives up all records before a position, at most the end; files that have no others are deleted. */
  truncateBefore(position: number): void {
    checkPosition(position, 'position')
    const { writer } = this.#writable()
    writer.truncateBefore(position)
    this.#reader?.refresh()
  }

  stats(): LogStats {
    if (this.#closed) throw logClosed()
    if (this.#opened === undefined) {
      const files = readSegmentFiles(this.#directory).filter(
        ({ base, parsed }) => parsed.kind === 'valid' && parsed.header.base === base,
      )
      const end = this.#end()
      // Without those that were made ahead.
      const used = files.filter(({ base }, at) => at === 0 || base < end)
      const bytes = used.reduce((sum, { size }) => sum + size, 0)
      return { segments: used.length, bytes, ...this.#readerOf().marks, end }
    }
    const { writer } = this.#opened
    const bytes = writer.sealed.reduce((sum, { length }) => sum + length, writer.segment.length)
    return { segments: writer.sealed.length + 1, bytes, ...writer.marks, end: writer.end }
  }

  /** Flushes (unless `flush` is `'never'`), ends all `tail`s, and lets the next writer in. A second call does nothing. */
  close(): void {
    if (this.#closed) return
    this.#closed = true
    clearInterval(this.#timer)
    for (const end of this.#tails) end()
    // Before the writer deletes segments: Windows deletes none that is mapped.
    this.#reader?.close()
    try {
      this.#opened?.writer.close(this.#settings.flush !== 'never')
    } finally {
      try {
        this.#opened?.bell.ring()
        this.#opened?.bell.close()
      } finally {
        this.#opened?.lock.release()
      }
    }
  }

  /** For `using`: {@link close}. */
  [Symbol.dispose](): void {
    this.close()
  }

  #startTimer(): void {
    const log = new WeakRef(this)
    // Weakly held: a log that nobody uses any more is collected, and its lock with it.
    const timer = setInterval(() => {
      const live = log.deref()
      if (live === undefined) clearInterval(timer)
      // A failure is met by the next append.
      else if (live.#flushing === undefined && !live.#closed && live.#opened!.writer.failure === undefined) {
        live.flush().catch(() => {})
        live.#opened!.writer.retain()
      }
    }, this.#settings.flushMs)
    timer.unref()
    this.#timer = timer
  }

  #writable(): Opened {
    if (this.#closed) throw logClosed()
    const opened = this.#opened
    if (opened === undefined) throw logReadOnly()
    if (opened.writer.failure !== undefined) throw opened.writer.failure
    return opened
  }

  #readerOf(): Reader {
    if (this.#closed) throw logClosed()
    const writer = this.#opened?.writer
    return (this.#reader ??= new Reader(this.#directory, writer && (() => writer.marks)))
  }

  #end(): number {
    if (this.#opened !== undefined) return this.#opened.writer.end
    const reader = this.#readerOf()
    reader.refresh()
    return reader.end()
  }
}

/** What opening would find, beside a writer whose retention may delete a file before it is read. */
function lookOn(directory: string): LogRecovery {
  for (let turn = 0; ; turn++) {
    const inventory = takeInventory(directory, readSegmentFiles(directory))
    try {
      return judge(inventory, verifySync(verifyRequest(inventory)))
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || turn === PATIENCE) throw error
    }
  }
}

/** Looks at a directory whose oldest files go while it is looked at. */
const PATIENCE = 100

function pathOf(directory: unknown): string {
  if (directory instanceof URL) return fileURLToPath(directory)
  if (typeof directory !== 'string')
    throw invalidArgType('directory', 'of type string or an instance of URL', directory)
  if (directory === '') throw invalidArgValue('directory', directory, 'must not be empty')
  return resolve(directory)
}

function recordOf(data: unknown, name: string): Uint8Array {
  const bytes = bytesOf(data, name, 'of type string or ')
  if (bytes.length === 0) checkAttached(bytes, name)
  return bytes
}
