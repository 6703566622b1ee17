import { Turns } from './turns'

/** After so many values the clock is looked at: a power of two. */
const LOOK = 1024

/** An async iterator whose values come in batches, each a plain iterator: only the empty-handed `next()` waits, so one value costs no more than its Promise. */
export class Batches<T> implements AsyncIterableIterator<T> {
  readonly #pull: () => Promise<Iterator<T, undefined> | undefined>
  readonly #check: () => void
  readonly #stop: () => void
  #batch: Iterator<T, undefined> | undefined
  #done = false
  /** Calls that were not answered yet, and the last of them. The count falls before the answer is out: whoever awaits it asks for the next at once. */
  #waiting = 0
  #turn: Promise<unknown> = Promise.resolve()
  readonly #turns = new Turns()
  #given = 0

  /**
   * @param pull the next batch, `undefined` at the end
   * @param check throws when values that are there already must not be handed out any more
   * @param stop called once, when nobody wants more
   */
  constructor(pull: () => Promise<Iterator<T, undefined> | undefined>, check: () => void, stop: () => void) {
    this.#pull = pull
    this.#check = check
    this.#stop = stop
  }

  next(): Promise<IteratorResult<T, undefined>> {
    if (this.#waiting === 0 && this.#batch !== undefined && !this.#mustWait()) {
      try {
        this.#check()
        const item = this.#batch.next()
        if (item.done !== true) return Promise.resolve(item)
      } catch (error) {
        return this.#fail(error)
      }
    }
    // Calls that do not wait for each other are answered in order.
    this.#waiting++
    const mine = this.#turn.then(() => this.#refill())
    this.#turn = mine.catch(() => undefined)
    return mine
  }

  #mustWait(): boolean {
    return (++this.#given & (LOOK - 1)) === 0 && this.#turns.isOver
  }

  return(value?: undefined): Promise<IteratorResult<T, undefined>> {
    this.#end()
    return Promise.resolve({ value, done: true })
  }

  throw(error: unknown): Promise<never> {
    return this.#fail(error)
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  async #refill(): Promise<IteratorResult<T, undefined>> {
    try {
      while (!this.#done) {
        if (this.#turns.isOver) {
          await this.#turns.next()
          continue
        }
        this.#check()
        const item = this.#batch?.next()
        if (item !== undefined && item.done !== true) return item
        const batch = await this.#pull()
        if (this.#done) break
        this.#batch = batch
        if (batch === undefined) this.#end()
      }
      return { value: undefined, done: true }
    } catch (error) {
      // Stopped by `return()` while it waited: that is no failure.
      if (this.#done) return { value: undefined, done: true }
      return this.#fail(error)
    } finally {
      this.#waiting--
    }
  }

  #fail(error: unknown): Promise<never> {
    this.#end()
    return Promise.reject(error)
  }

  #end(): void {
    if (this.#done) return
    this.#done = true
    this.#batch = undefined
    this.#stop()
  }
}
