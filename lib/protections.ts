import type { Protection } from './types'

/** `'gone'`: the pages are not the mapping's any more. */
type Kind = Protection | 'gone'

/** As `src/region/permit.rs` counts them. */
const RIGHTS = ['none', 'read', 'write', undefined, 'gone'] as const

interface Run {
  readonly kind: Kind
  readonly from: number
  readonly to: number
}

/** What `protect` has done to a mapping, so that checked methods throw where the processor would fault. */
export class Protections {
  /** What may be done where nothing was changed: no run says that. */
  readonly #usual: Protection
  /** Sorted, and apart from each other. */
  readonly #runs: Run[]

  constructor(usual: 'read' | 'write', runs: Run[] = []) {
    this.#usual = usual
    this.#runs = runs
  }

  /** Whether some pages may be written, by the same numbers. */
  static grantWrite(rights: Float64Array, count: number): boolean {
    for (let at = 2; at < 3 * count; at += 3) if (RIGHTS[rights[at]!] === 'write') return true
    return false
  }

  /** `rights`: `count` times from, to and right, as the native side has them, `delta` bytes further on. */
  static of(usual: 'read' | 'write', rights: Float64Array, count: number, delta: number): Protections | undefined {
    const runs: Run[] = []
    for (let at = 0; at < 3 * count; at += 3) {
      const kind = RIGHTS[rights[at + 2]!]!
      if (kind !== usual) runs.push({ kind, from: rights[at]! - delta, to: rights[at + 1]! - delta })
    }
    return runs.length === 0 ? undefined : new Protections(usual, runs)
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

  /** The error of using some byte of the range so, if it may not be. */
  refusal(use: 'read' | 'write', position: number, length: number): 'EACCES' | 'ENOMEM' | undefined {
    if (length === 0) return undefined
    const end = position + length
    let refusal: 'EACCES' | undefined
    for (let at = this.#firstThat((run) => run.to > position); at < this.#runs.length; at++) {
      const { kind, from } = this.#runs[at]!
      if (from >= end) break
      // As the kernel says of ranges that munmap(2) has been in.
      if (kind === 'gone') return 'ENOMEM'
      if (kind === 'none' || (use === 'write' && kind !== 'write')) refusal = 'EACCES'
    }
    return refusal
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
