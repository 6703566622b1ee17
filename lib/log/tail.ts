import { abortError } from '../errors'
import { Bell } from './bell'

import type { LogRecord, Place, Reader } from './reader'

/** A bell that does not ring within this time is looked past: its writer may have been replaced by one with a new file. */
const LONGEST = 1000
/** Without a bell: milliseconds between two looks, growing while nothing comes. */
const SHORTEST_POLL = 1
const LONGEST_POLL = 50

/** What `tail` needs of its log. */
export interface Tailed {
  readonly directory: string
  readonly reader: Reader
  /** To be called when the log is closed. */
  readonly tails: Set<() => void>
  isClosed(): boolean
}

/** Records from a position on, as they come, until the log is closed or the signal aborts. */
export function tail(
  log: Tailed,
  from: number,
  signal: AbortSignal | undefined,
): AsyncIterableIterator<LogRecord, void> {
  // One signal for all ends: a promise that is raced at each turn would keep what was raced against it for ever.
  const stop = new AbortController()
  const records = follow(log, from, signal, stop)
  // A generator lets `return` wait for the `next` before it, which waits for a record that may never come.
  const iterator: AsyncIterableIterator<LogRecord, void> & AsyncDisposable = {
    next: () => records.next(),
    return: () => {
      stop.abort()
      return records.return()
    },
    throw: (error) => {
      stop.abort()
      return records.throw(error)
    },
    [Symbol.asyncIterator]: () => iterator,
    [Symbol.asyncDispose]: async () => void (await iterator.return!()),
  }
  return iterator
}

async function* follow(
  log: Tailed,
  from: number,
  signal: AbortSignal | undefined,
  stop: AbortController,
): AsyncGenerator<LogRecord, void> {
  const place: Place = { next: from, walked: undefined }
  const bell = Bell.open(log.directory, false)
  const end = () => stop.abort()
  log.tails.add(end)
  signal?.addEventListener('abort', end, { once: true })
  let poll = SHORTEST_POLL
  let rung = false
  try {
    for (;;) {
      checkAborted(signal)
      if (stop.signal.aborted || log.isClosed()) return
      // Armed before the last look: whatever is appended after that look rings.
      const count = bell?.arm()
      let found = false
      // What a bell announces stands behind what was read last; all else is looked for now and then.
      if (!rung) log.reader.refresh()
      for (const record of log.reader.from(place)) {
        found = true
        yield record
        checkAborted(signal)
        if (stop.signal.aborted || log.isClosed()) return
      }
      if (found) {
        poll = SHORTEST_POLL
        continue
      }
      // It rang for something: a new writer may have put it into a new file.
      if (rung) {
        rung = false
        continue
      }
      try {
        if (bell === undefined) await pause(poll, stop.signal)
        else rung = await bell.sleep(count!, LONGEST, stop.signal)
      } catch (error) {
        if (!stop.signal.aborted) throw error
      }
      poll = Math.min(poll * 2, LONGEST_POLL)
    }
  } finally {
    log.tails.delete(end)
    signal?.removeEventListener('abort', end)
    bell?.close()
  }
}

function checkAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) throw abortError(signal.reason)
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const abort = () => {
      clearTimeout(timer)
      reject(signal.reason)
    }
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', abort)
      resolve()
    }, ms)
    signal.addEventListener('abort', abort, { once: true })
  })
}
