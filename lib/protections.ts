import type { Protection } from './types'

interface Run {
  readonly kind: Protection
  readonly from: number
  readonly to: number
}

/** What `protect` has done to a mapping, so that checked methods throw where the processor would fault. */
export class Protections {
  /** What may be done where nothing was changed: no run says that. */
  readonly #usual: Protection
  /** Sorted, and apart from each other. */
  readonly #runs: Run[] = []

  constructor(usual: 'read' | 'write') {
    this.#usual = usual
  }

  /** `from..to` is protected so from now on; `undefined` when everything is as usual again. */
  set(kind: Protection, from: number, to: number): Protections | undefined {
    const runs = this.#runs
    // Neighbours count: equal ones become one run.
    const first = this.#firstThat((run) => run.to >= from)
    const last = this.#firstThat((run) => run.from > to)
    const before: Run[] = []
    const behind: Run[] = []
    for (const run of runs.slice(first, last)) {
      if (run.kind === kind) {
        from = Math.min(from, run.from)
        to = Math.max(to, run.to)
        continue
      }
      if (run.from < from) before.push({ kind: run.kind, from: run.from, to: Math.min(run.to, from) })
      if (run.to > to) behind.push({ kind: run.kind, from: Math.max(run.from, to), to: run.to })
    }
    const now = kind === this.#usual ? [] : [{ kind, from, to }]
    runs.splice(first, last - first, ...before, ...now, ...behind)
    return runs.length === 0 ? undefined : this
  }

  /** The mapping ends at `end` now; `undefined` when everything is as usual again. */
  cut(end: number): Protections | undefined {
    const runs = this.#runs
    runs.length = this.#firstThat((run) => run.from >= end)
    const last = runs.at(-1)
    if (last !== undefined && last.to > end) runs[runs.length - 1] = { ...last, to: end }
    return runs.length === 0 ? undefined : this
  }

  /** Whether some byte of the range may not be used so. */
  forbids(use: 'read' | 'write', position: number, length: number): boolean {
    const end = position + length
    for (let at = this.#firstThat((run) => run.to > position); at < this.#runs.length; at++) {
      const { kind, from } = this.#runs[at]!
      if (from >= end) return false
      if (kind === 'none' || (use === 'write' && kind !== 'write')) return true
    }
    return false
  }

  /** How many runs do not pass the test, all of which come before those that do. */
  #firstThat(passes: (run: Run) => boolean): number {
    let low = 0
    let high = this.#runs.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (passes(this.#runs[middle]!)) high = middle
      else low = middle + 1
    }
    return low
  }
}
