import { Writable } from 'node:stream'

import { MappedLog } from './log'

import type { LogOptions } from './options'

/** What pino adds to the options of a transport. */
const OF_PINO = ['$context', 'pinoWillSendConfig']

function split({ dir, ...options }: transport.PinoLogOptions): [string, LogOptions] {
  for (const name of OF_PINO) delete (options as Record<string, unknown>)[name]
  return [dir, options]
}

/** The newline separates lines in a file; records need none. */
function strip(line: string): string {
  return line.endsWith('\n') ? line.slice(0, -1) : line
}

/**
 * A destination in the process that logs: `pino(destination({ dir: 'app.log' }))`. A line is in the log when `logger.info()` returns, so a killed process loses none.
 */
function toLog(options: transport.PinoLogOptions): transport.PinoDestination {
  const [dir, rest] = split(options)
  const log = MappedLog.openSync(dir, rest)
  return {
    log,
    write: (line) => void log.append(strip(line)),
    flushSync: () => log.flushSync(),
    flush: (done = () => {}) => void log.flush().then(() => done(), done), // oxlint-disable-line promise/no-callback-in-promise -- that is what pino asks for
    end: () => log.close(),
  }
}

/**
 * The transport, in a worker: `pino.transport({ target: 'memmap/log/pino', options: { dir: 'app.log' } })`.
 *
 * Lines on their way to the worker die with the process; with `sync: true` in pino's options none are on the way when `logger.info()` returns.
 * A chunk may hold several lines: each becomes a record.
 */
function transport(options: transport.PinoLogOptions): Writable {
  const [dir, rest] = split(options)
  const log = MappedLog.openSync(dir, rest)
  // A chunk that ends within a line: kept as bytes, as it may end within a character.
  let partial: Buffer | undefined
  return new Writable({
    autoDestroy: true,
    write(chunk: Buffer, _encoding, done) {
      try {
        let from = 0
        for (let at; (at = chunk.indexOf(10, from)) >= 0; from = at + 1) {
          const line = chunk.subarray(from, at)
          log.append(partial === undefined ? line : Buffer.concat([partial, line]))
          partial = undefined
        }
        const left = chunk.subarray(from)
        if (left.length > 0) partial = Buffer.concat(partial === undefined ? [left] : [partial, left])
        done()
      } catch (error) {
        done(error as Error)
      }
    },
    final(done) {
      try {
        if (partial !== undefined) log.append(partial)
        log.flushSync()
        done()
      } catch (error) {
        done(error as Error)
      }
    },
    destroy(error, done) {
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
  }

  /** A destination in the process that logs, which loses no line when it is killed. */
  export const destination: (options: PinoLogOptions) => PinoDestination = toLog
}

// Node finds the names that ESM may import by reading the source, where `export =` shows it none.
module.exports.destination = transport.destination
export = transport
