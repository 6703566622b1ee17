import { setImmediate } from 'node:timers'

/** So long, in milliseconds, may values that are there already keep the event loop waiting. */
const TURN = 4

/**
 * Awaiting what is there already never lets the event loop go on: timers, sockets and the signal that should end it all would wait for the last value.
 * So who hands out values without end gives up its turn now and then.
 */
export class Turns {
  #since = performance.now()

  /** Whether it is time to let others go first. */
  get isOver(): boolean {
    return performance.now() - this.#since >= TURN
  }

  /** After everything that waits now has had its turn. */
  async next(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve))
    this.#since = performance.now()
  }
}
