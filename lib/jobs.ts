import { abortError, invalidArgType, invalidState, recapture } from './errors'
import { native } from './native'
import { PACE } from './progress'
import { checkSignal } from './validate'

import type { NativeJobs } from '../binding'
import type { Core } from './core'
import type { Task } from './types'

type Result = number | Float64Array | undefined

/** What a job reports of a larger whole: `base` bytes were done before it, `total` is everything. */
export interface Share {
  readonly base: number
  readonly total: number
  /** It ends at the first thing it finds. */
  readonly first?: boolean
}

/** Errors that were made elsewhere and deserve the stack of the `await` that meets them. */
const bare = new WeakSet<object>()

/** Loaded when there is work, not with the package. */
const threads = (): number => (require('node:os') as typeof import('node:os')).availableParallelism()

/** One job that somebody awaits. */
class Pending {
  readonly begun = performance.now()
  /** When `onProgress` was called last. */
  told = -Infinity
  /** With which number. */
  last = -1

  constructor(
    readonly id: number,
    readonly core: Core,
    readonly task: Task,
    readonly share: Share,
    readonly resolve: (result: Result) => void,
    readonly reject: (error: unknown) => void,
  ) {}

  /** The mapping was closed. */
  close(): void {
    const error = invalidState()
    bare.add(error)
    this.stop(error)
  }

  /** Called by an AbortSignal, and after an `onProgress` that threw. */
  stop(error: unknown): void {
    jobs!.cancel(this.id)
    this.settle()
    this.reject(error)
  }

  /** The process need not stay alive for this one any more. */
  settle(): void {
    running.delete(this.id)
    if (this.core.jobs?.delete(this) === true) this.core.pending--
    this.task.signal?.removeEventListener('abort', this.abort)
    if (running.size === 0) jobs!.hold(false)
  }

  readonly abort = (): void => this.stop(abortError(this.task.signal?.reason))

  progress(done: number): void {
    const now = performance.now()
    const left = ((now - this.begun) * (this.share.total - done)) / done
    // So near its end that this report would only delay the last one.
    if (done <= this.last || now - this.told < PACE || left < 2 * PACE) return
    this.tell(done)
  }

  tell(done: number): void {
    this.last = done
    try {
      this.task.onProgress!({ done, total: this.share.total })
      // Only now: however long it took, the next call keeps its distance.
      this.told = performance.now()
    } catch (error) {
      this.stop(error)
    }
  }

  /** With a last report, if there is nothing left to do; not sooner after the one before than promised. */
  finish(result: Result, complete: boolean): void {
    if (this.task.onProgress === undefined || !complete) return this.end(result)
    const wait = this.told + PACE - performance.now()
    // Timers come up to a millisecond early: looked at again then.
    if (wait > 0) return void setTimeout(() => this.finish(result, complete), wait)
    this.#last(result)
  }

  #last(result: Result): void {
    if (running.has(this.id)) this.tell(this.share.total)
    this.end(result)
  }

  end(result: Result): void {
    if (!running.has(this.id)) return
    this.settle()
    this.resolve(result)
  }
}

let jobs: NativeJobs | undefined
const running = new Map<number, Pending>()
const out = new Float64Array(3)

/** The native side has news. */
function drain(): void {
  while (jobs!.fetch(out)) {
    const [id, finished, done] = out as unknown as [number, number, number]
    const pending = running.get(id)
    if (pending === undefined) continue
    if (finished === 0) {
      pending.progress(pending.share.base + done)
      continue
    }
    let result: Result
    try {
      result = jobs!.take(id) ?? undefined
    } catch (error) {
      bare.add(error as object)
      pending.settle()
      pending.reject(error)
      continue
    }
    pending.finish(result, isComplete(result, pending.share))
  }
}

/** A search that found something early has not seen everything; a batch that names where to go on is not the last. */
function isComplete(result: Result, share: Share): boolean {
  if (typeof result === 'object') return result[0]! < 0
  return share.first !== true || result === -1
}

/**
 * Starts a job on threads of ours and waits for it. Rejects with an `AbortError` as soon as the signal says so, and with `ERR_INVALID_STATE`
 * as soon as the mapping is closed; the native side stops after its current slice.
 */
export async function run(
  core: Core,
  task: Task,
  share: Share,
  start: (jobs: NativeJobs, progress: boolean) => number,
): Promise<Result> {
  const { signal } = task
  if (signal?.aborted === true) throw abortError(signal.reason)
  jobs ??= new native.NativeJobs(threads(), drain)
  const id = start(jobs, task.onProgress !== undefined)
  try {
    return await new Promise<Result>((resolve, reject) => {
      const pending = new Pending(id, core, task, share, resolve, reject)
      if (running.size === 0) jobs!.hold(true)
      running.set(id, pending)
      ;(core.jobs ??= new Set()).add(pending)
      core.pending++
      signal?.addEventListener('abort', pending.abort, { once: true })
    })
  } catch (error) {
    throw bare.has(error as object) ? recapture(core.tell(error)) : error
  }
}

/** Checks the part of an options object that all long work takes. */
export function taskOf(given: Record<string, unknown>): Task {
  const { signal, onProgress } = given
  checkSignal(signal)
  if (onProgress !== undefined && typeof onProgress !== 'function') {
    throw invalidArgType('options.onProgress', 'of type function', onProgress)
  }
  return { signal, onProgress: onProgress as Task['onProgress'] }
}
