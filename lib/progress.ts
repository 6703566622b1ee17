import { abortError } from './errors'

import type { Task } from './types'

/** At most one call of `onProgress` in this time, in milliseconds. */
export const PACE = 16

/** For work that goes on in this thread, block by block: whether it is still wanted, and how far it is. */
export class Progress {
  readonly #task: Task
  readonly #total: number
  /** When `onProgress` was called last, and with which number. */
  #told = -Infinity
  #last = -1

  constructor(task: Task, total: number) {
    this.#task = task
    this.#total = total
  }

  /** Throws an `AbortError` once the signal says so. */
  check(): void {
    const { signal } = this.#task
    if (signal?.aborted === true) throw abortError(signal.reason)
  }

  /** So many bytes are done. What comes too soon after the report before it is left out. */
  tell(done: number): void {
    const { onProgress } = this.#task
    if (onProgress === undefined || done === this.#last || performance.now() - this.#told < PACE) return
    this.#last = done
    onProgress({ done, total: this.#total })
    // Only now: however long it took, the next call keeps its distance.
    this.#told = performance.now()
  }

  /** Everything is done: the last report is never left out, so it may have to wait. */
  async finish(): Promise<void> {
    if (this.#task.onProgress === undefined) return
    // Timers come up to a millisecond early.
    for (let wait; (wait = this.#told + PACE - performance.now()) > 0;) {
      await new Promise((resolve) => setTimeout(resolve, wait))
    }
    this.tell(this.#total)
  }
}
