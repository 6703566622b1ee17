import { Writable } from 'node:stream'

import { invalidArgType } from '../errors'
import { optionsOf } from '../validate'
import { MappedLog } from './log'
import { LOG_OPTIONS } from './options'

import type { LogOptions } from './options'

/** What pino adds to the options of a transport. */
const OF_PINO = ['$context', 'pinoWillSendConfig']

function open(options: unknown, caller: string): MappedLog {
  const { dir, ...rest } = optionsOf(options, ['dir', ...LOG_OPTIONS, ...OF_PINO], caller)
  for (const name of OF_PINO) delete rest[name]
  if (typeof dir !== 'string') throw invalidArgType('options.dir', 'of type string', dir)
  return MappedLog.openSync(dir, rest)
}

/** The newline separates lines in a file; records need none. */
function strip(line: string): string {
  return line.endsWith('\n') ? line.slice(0, -1) : line
}

/**
 * A destination in the process that logs: `pino(destination({ dir: 'app.log' }))`. A line is in the log when `logger.info()` returns, so a killed process loses none.
 */
function toLog(options: transport.PinoLogOptions): transport.PinoDestination {
  const log = open(options, 'destination')
  return {
    log,
    writable: true,
    write: (line) => void log.append(strip(line)),
    flushSync: () => log.flushSync(),
    flush: (done = () => {}) => void log.flush().then(() => done(), done), // oxlint-disable-line promise/no-callback-in-promise -- that is what pino asks for
    end: () => log.close(),
  }
}

/** Milliseconds between two looks whether a full disk has room again. */
const RETRY = 100

/**
 * The transport, in a worker: `pino.transport({ target: 'memmap/log/pino', options: { dir: 'app.log' } })`.
 *
 * Lines on their way to the worker die with the process; with `sync: true` in pino's options none are on the way when `logger.info()` returns.
 * A chunk may hold several lines: each becomes a record. While the disk is full they wait; one that no segment has room for is left out, with a warning.
 */
function transport(options: transport.PinoLogOptions): Writable {
  const log = open(options, 'transport')
  // A chunk that ends within a line: kept as bytes, as it may end within a character.
  let partial: Buffer | undefined
  let timer: NodeJS.Timeout | undefined

  /** Appends a line; false while the disk is full. */
  function take(line: Buffer): boolean {
    try {
      log.append(line)
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      if (code === 'ENOSPC') return false
      if (code !== 'ERR_OUT_OF_RANGE') throw error
      process.emitWarning(`A line of ${line.length} bytes was not logged: ${(error as Error).message}`, { code })
    }
    return true
  }

  /** Calls `step` until it is through, which is at once unless the disk is full. */
  function persist(step: () => boolean, done: (error?: Error) => void): void {
    try {
      if (step()) done()
      else timer = setTimeout(persist, RETRY, step, done)
    } catch (error) {
      done(error as Error)
    }
  }

  return new Writable({
    autoDestroy: true,
    write(chunk: Buffer, _encoding, done) {
      let from = 0
      persist(() => {
        for (let at; (at = chunk.indexOf(10, from)) >= 0; from = at + 1) {
          const line = chunk.subarray(from, at)
          if (!take(partial === undefined ? line : Buffer.concat([partial, line]))) return false
          partial = undefined
        }
        const left = chunk.subarray(from)
        if (left.length > 0) partial = Buffer.concat(partial === undefined ? [left] : [partial, left])
        return true
      }, done)
    },
    final(done) {
      persist(() => {
        if (partial !== undefined && !take(partial)) return false
        log.flushSync()
        return true
      }, done)
    },
    destroy(error, done) {
      clearTimeout(timer)
      try {
        log.close()
        done(error)
      } catch (failure) {
        done(error ?? (failure as Error))
      }
    },
  })
}

// A namespace, because pino wants the module itself to be the transport.
namespace transport {
  /** Options of the transport and of `destination`. */
  export interface PinoLogOptions extends LogOptions {
    /** The directory of the log. */
    dir: string
  }

  /** What pino writes to: one line a call, with its newline. */
  export interface PinoDestination {
    write(line: string): void
    flushSync(): void
    /** What `logger.flush(done)` calls: `done` when every line before is on disk. */
    flush(done?: (error?: unknown) => void): void
    end(): void
    readonly log: MappedLog
    /** By this pino knows a stream from options: `pino(destination({ dir }))`. */
    readonly writable: true
  }

  /** A destination in the process that logs, which loses no line when it is killed. */
  export const destination: (options: PinoLogOptions) => PinoDestination = toLog
}

// Node finds the names that ESM may import by reading the source, where `export =` shows it none.
module.exports.destination = transport.destination
export = transport
