// On an idle virtual machine a halted processor takes tens of microseconds to wake, for whoever waits: programs that use what nobody else wants
// (SCHED_IDLE) keep all of them awake meanwhile.
import { availableParallelism } from 'node:os'
import { Child } from './child.mjs'

export class Spinners {
  #children

  constructor(children, note) {
    this.#children = children
    /** What stands beside the results. */
    this.note = note
  }

  static async start(limits) {
    if (limits === undefined) return new Spinners([], 'the processors were left to sleep: the limits are not built')
    const children = Array.from({ length: availableParallelism() }, () => new Child('spinner', limits, ['spin']))
    try {
      for (const child of children) await child.line()
    } catch {
      return new Spinners(children, 'the processors were left to sleep: this system allows no SCHED_IDLE')
    }
    return new Spinners(
      children,
      `the processors were kept awake by ${children.length} spinners of SCHED_IDLE; asleep, they take tens of microseconds to wake on a virtual machine`,
    )
  }

  async end() {
    for (const child of this.#children) await child.end()
  }
}
