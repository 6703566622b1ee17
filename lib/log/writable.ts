import { Writable } from 'node:stream'

import { optionalBoolean, optionsOf } from '../validate'
import { MappedLog } from './log'
import { LOG_OPTIONS } from './options'

import type { LogDirectory } from './log'
import type { LogOptions } from './options'

/** Options of a `LogWritable`: those of the log it opens. */
export interface LogWritableOptions extends LogOptions {
  /** Close the log when the stream ends. Default: only if the stream opened it. */
  closeLog?: boolean | undefined
}

/**
 * A stream whose chunks become records. A chunk is in the log when `write` returns, not later: there is nothing to lose in a buffer.
 *
 * `end()` flushes the log before `'finish'`.
 */
export class LogWritable extends Writable {
  readonly #log: MappedLog
  readonly #closeLog: boolean

  constructor(log: MappedLog | LogDirectory, options: LogWritableOptions = {}) {
    const isOpen = log instanceof MappedLog
    // One that is open has its options.
    const { closeLog, ...rest } = optionsOf(
      options,
      isOpen ? ['closeLog'] : ['closeLog', ...LOG_OPTIONS],
      'LogWritable',
    )
    const closes = optionalBoolean(closeLog, 'options.closeLog') ?? !isOpen
    // Strings go into the mapping as they are. One chunk at a time is never too many.
    super({ decodeStrings: false, highWaterMark: 1 << 20 })
    this.#log = isOpen ? log : MappedLog.openSync(log, rest)
    this.#closeLog = closes
  }

  /** The log that is written. */
  get log(): MappedLog {
    return this.#log
  }

  override _write(
    chunk: string | Uint8Array,
    encoding: BufferEncoding | 'buffer',
    done: (error?: Error) => void,
  ): void {
    try {
      const text = typeof chunk === 'string'
      this.#log.append(
        text && encoding !== 'utf8' && encoding !== 'utf-8' ? Buffer.from(chunk, encoding as BufferEncoding) : chunk,
      )
    } catch (error) {
      done(error as Error)
      return
    }
    done()
  }

  override _final(done: (error?: Error) => void): void {
    const flushing = this.#log.flush()
    flushing.then(() => done(), done) // oxlint-disable-line promise/no-callback-in-promise -- that is what a stream asks for
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    try {
      if (this.#closeLog) this.#log.close()
    } catch (failure) {
      error ??= failure as Error
    }
    done(error)
  }
}
