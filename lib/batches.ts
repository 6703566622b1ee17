/** An async iterator whose values come in batches: only the empty-handed `next()` waits, so one value costs no more than its Promise. */
export class Batches<T> implements AsyncIterableIterator<T> {
  readonly #pull: () => Promise<ArrayLike<T> | undefined>
  readonly #check: () => void
  readonly #stop: () => void
  #batch: ArrayLike<T> = []
  #at = 0
  #done = false
  #turn: Promise<unknown> | undefined

  /**
   * @param pull the next batch, `undefined` at the end
   * @param check throws when values that are there already must not be handed out any more
   * @param stop called once, when nobody wants more
   */
  constructor(pull: () => Promise<ArrayLike<T> | undefined>, check: () => void, stop: () => void) {
    this.#pull = pull
    this.#check = check
    this.#stop = stop
  }

  next(): Promise<IteratorResult<T, undefined>> {
    if (this.#turn === undefined && !this.#done && this.#at < this.#batch.length) {
      try {
        this.#check()
      } catch (error) {
        return this.#fail(error)
      }
      return Promise.resolve({ value: this.#batch[this.#at++]!, done: false })
    }
    // Calls that do not wait for each other are answered in order.
    const mine: Promise<IteratorResult<T, undefined>> = (this.#turn ?? Promise.resolve()).then(() => this.#refill())
    const turn: Promise<unknown> = mine
      .catch(() => undefined)
      .then(() => {
        if (this.#turn === turn) this.#turn = undefined
      })
    this.#turn = turn
    return mine
  }

  return(): Promise<IteratorResult<T, undefined>> {
    this.#end()
    return Promise.resolve({ value: undefined, done: true })
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  async #refill(): Promise<IteratorResult<T, undefined>> {
    try {
      while (!this.#done) {
        this.#check()
        if (this.#at < this.#batch.length) return { value: this.#batch[this.#at++]!, done: false }
        const batch = await this.#pull()
        this.#at = 0
        this.#batch = batch ?? []
        if (batch === undefined) this.#end()
      }
      return { value: undefined, done: true }
    } catch (error) {
      // Stopped by `return()` while it waited: that is no failure.
      if (this.#done) return { value: undefined, done: true }
      return this.#fail(error)
    }
  }

  #fail(error: unknown): Promise<never> {
    this.#end()
    return Promise.reject(error)
  }

  #end(): void {
    if (this.#done) return
    this.#done = true
    this.#batch = []
    this.#stop()
  }
}
