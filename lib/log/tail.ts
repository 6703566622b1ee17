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
export async function* tail(
  log: Tailed,
  from: number,
  signal: AbortSignal | undefined,
): AsyncGenerator<LogRecord, void> {
  const place: Place = { next: from, walked: undefined }
  const bell = Bell.open(log.directory, false)
  // One signal for both ends: a promise that is raced at each turn would keep what was raced against it for ever.
  const stop = new AbortController()
  const end = () => stop.abort()
  log.tails.add(end)
  signal?.addEventListener('abort', end, { once: true })
  let poll = SHORTEST_POLL
  let rung = false
  try {
    for (;;) {
      signal?.throwIfAborted()
      if (log.isClosed()) return
      // Armed before the last look: whatever is appended after that look rings.
      const count = bell?.arm()
      let found = false
      // What a bell announces stands behind what was read last; all else is looked for now and then.
      if (!rung) log.reader.refresh()
      for (const record of log.reader.from(place)) {
        found = true
        yield record
        signal?.throwIfAborted()
        if (log.isClosed()) return
      }
      if (found) {
        poll = SHORTEST_POLL
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
