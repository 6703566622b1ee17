import type { Protection } from './types'

interface Rule {
  readonly kind: Protection
  readonly from: number
  readonly to: number
}

/** What `protect` has done to a mapping, so that checked methods throw where the processor would fault. Later rules win. */
export class Protections {
  readonly #rules: readonly Rule[]

  constructor(rules: readonly Rule[] = []) {
    this.#rules = rules
  }

  with(kind: Protection, offset: number, length: number): Protections {
    const to = offset + length
    // What the new rule covers says nothing any more.
    const rest = this.#rules.filter((rule) => rule.from < offset || rule.to > to)
    return new Protections([...rest, { kind, from: offset, to }])
  }

  /** Whether some byte of the range may not be used so. */
  forbids(use: 'read' | 'write', position: number, length: number): boolean {
    const end = position + length
    let at = position
    while (at < end) {
      const { kind, to } = this.#ruleAt(at)
      if (kind === 'none' || (use === 'write' && (kind === 'read' || kind === 'exec'))) return true
      at = to
    }
    return false
  }

  /** The last rule that has a byte, and how far nothing changes behind it. */
  #ruleAt(at: number): { kind: Protection | undefined; to: number } {
    let kind: Protection | undefined
    let to = Infinity
    for (const rule of this.#rules) {
      if (at >= rule.from && at < rule.to) {
        kind = rule.kind
        to = rule.to
      } else if (rule.from > at) to = Math.min(to, rule.from)
    }
    return { kind, to }
  }
}
