import { abortError } from './errors'

import type { Task } from './types'

/** At most one call of `onProgress` in this time, in milliseconds. */
export const PACE = 16

/** What a `Task` asks of work that goes from one block to the next in JavaScript. */
export class Progress {
  readonly #task: Task
  readonly #total: number
  #told = -Infinity

  constructor(task: Task, total: number) {
    this.#task = task
    this.#total = total
  }

  /** Throws if nobody wants the result any more. */
  check(): void {
    const { signal } = this.#task
    if (signal?.aborted === true) throw abortError(signal.reason)
  }

  /** So much is done, if it is time to say so. Of the end `finish` tells. */
  report(done: number): void {
    if (this.#task.onProgress === undefined || done >= this.#total || performance.now() - this.#told < PACE) return
    this.#tell(done)
  }

  /** The last report, no sooner after the one before than promised. */
  async finish(): Promise<void> {
    if (this.#task.onProgress === undefined) return
    // Timers come up to a millisecond early.
    for (let wait; (wait = this.#told + PACE - performance.now()) > 0;) {
      await new Promise((resolve) => setTimeout(resolve, wait))
    }
    this.check()
    this.#tell(this.#total)
  }

  /** The same where nothing can be awaited. */
  finishSync(): void {
    if (this.#task.onProgress === undefined) return
    while (performance.now() - this.#told < PACE);
    this.#tell(this.#total)
  }

  #tell(done: number): void {
    this.#task.onProgress!({ done, total: this.#total })
    // Only now: however long it took, the next call keeps its distance.
    this.#told = performance.now()
  }
}
