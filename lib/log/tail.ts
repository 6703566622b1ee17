import { Bell } from './bell'

import type { LogRecord, Reader } from './reader'

/** A bell that does not ring within this time is looked past: its writer may have been replaced by one with a new file. */
const LONGEST = 1000
/** Without a bell: milliseconds between two looks, growing while nothing comes. */
const SHORTEST_POLL = 1
const LONGEST_POLL = 50

/** What `tail` needs of its log. */
export interface Tailed {
  readonly directory: string
  readonly reader: Reader
  readonly closed: boolean
  /** Resolves when the log is closed. */
  readonly closing: Promise<void>
}

/** Records from a position on, as they come, until the log is closed or the signal aborts. */
export async function* tail(
  log: Tailed,
  from: number,
  signal: AbortSignal | undefined,
): AsyncGenerator<LogRecord, void> {
  const state = { next: from }
  const bell = Bell.open(log.directory, false)
  let poll = SHORTEST_POLL
  try {
    for (;;) {
      signal?.throwIfAborted()
      if (log.closed) return
      // Armed before the last look: whatever is appended after that look rings.
      const count = bell?.arm()
      let found = false
      log.reader.refresh(state.next)
      for (const record of log.reader.from(state.next, state)) {
        found = true
        yield record
        signal?.throwIfAborted()
        if (log.closed) return
      }
      if (found) {
        poll = SHORTEST_POLL
        continue
      }
      if (bell !== undefined) await Promise.race([bell.sleep(count!, LONGEST, signal), log.closing])
      else {
        await Promise.race([pause(poll, signal), log.closing])
        poll = Math.min(poll * 2, LONGEST_POLL)
      }
    }
  } finally {
    bell?.close()
  }
}

function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const abort = () => {
      clearTimeout(timer)
      reject(signal!.reason)
    }
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', abort)
      resolve()
    }, ms)
    signal?.addEventListener('abort', abort, { once: true })
  })
}
