import { Batches } from './batches'
import { run } from './jobs'
import { Progress } from './progress'
import { Turns } from './turns'

import type { Core } from './core'
import type { Range } from './options'
import type { Task } from './types'

/** What a batch of starts is asked of the native side. */
const WANT_STARTS = 2

/**
 * The starts of all occurrences, in order. One batch is searched for while another is handed out, and no more: whoever stops asking stops the
 * search.
 */
export function positionsOf(
  core: Core,
  needle: Uint8Array,
  range: Range,
  threads: number,
  task: Task,
): AsyncIterableIterator<number> {
  const end = range.offset + range.length
  const stopped = new AbortController()
  const abort = (): void => stopped.abort(signal?.reason)
  let hasBegun = false
  let ahead: Promise<Float64Array> | undefined
  let from = range.offset
  const { signal } = task
  const progress = new Progress(task, range.length)
  // At the pace of the whole, not of one batch.
  const onProgress = task.onProgress && (({ done }: { done: number }): void => progress.report(done))

  const search = (): Promise<Float64Array> => {
    const share = { base: from - range.offset, total: range.length }
    const found = run(core, { onProgress, signal: stopped.signal }, share, (jobs, reports) =>
      jobs.startSearch(core.native, WANT_STARTS, needle, from, end, threads, reports),
    ) as Promise<Float64Array>
    // Its failure is for the `next()` that asks for it, if one does.
    found.catch(() => undefined)
    return found
  }

  return new Batches<number>(
    async () => {
      if (from < 0) {
        await progress.finish()
        return undefined
      }
      // Whoever is never asked for anything listens to nothing.
      if (!hasBegun) signal?.addEventListener('abort', abort, { once: true })
      hasBegun = true
      const batch = await (ahead ?? search())
      from = batch[0]!
      if (from >= 0) progress.report(from - range.offset)
      ahead = from < 0 ? undefined : search()
      return batch.subarray(1).values()
    },
    () => {
      progress.check()
      core.checkOpen()
      core.checkFault()
    },
    () => {
      signal?.removeEventListener('abort', abort)
      stopped.abort()
    },
  )
}

/** Every position of a range, its end included: where an empty needle is found. */
export async function* everywhere(core: Core, range: Range, task: Task): AsyncGenerator<number, undefined> {
  const turns = new Turns()
  const progress = new Progress(task, range.length)
  for (let at = range.offset; at <= range.offset + range.length; at++) {
    if ((at & 1023) === 0) {
      if (turns.isOver) await turns.next()
      progress.report(at - range.offset)
    }
    progress.check()
    core.checkOpen()
    yield at
  }
  await progress.finish()
  return undefined
}
