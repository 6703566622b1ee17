/** Who keeps buffers that may be dropped at any time. */
export interface Holder {
  /** The buffer that was entered under this key is to be let go. */
  drop(key: number): void
}

interface Entry {
  readonly owner: WeakRef<Holder>
  readonly key: number
  readonly bytes: number
}

/**
 * A bound on the bytes that all mappings of this environment keep reachable together: what was used longest ago is dropped first.
 * It knows its holders weakly, so that a mapping which nobody can reach is collected with its buffers.
 */
export class Budget {
  readonly #limit: number
  readonly #entries = new Map<number, Entry>()
  #total = 0
  #next = 0

  constructor(limit: number) {
    this.#limit = limit
  }

  /** Enters a buffer and drops the oldest ones that are too many now; returns the number for `touch` and `remove`. */
  add(owner: WeakRef<Holder>, key: number, bytes: number): number {
    const id = this.#next++
    this.#entries.set(id, { owner, key, bytes })
    this.#total += bytes
    for (const [old, entry] of this.#entries) {
      if (this.#total <= this.#limit || old === id) break
      this.remove(old)
      entry.owner.deref()?.drop(entry.key)
    }
    return id
  }

  /** It was used just now. */
  touch(id: number): void {
    const entry = this.#entries.get(id)
    if (entry === undefined) return
    this.#entries.delete(id)
    this.#entries.set(id, entry)
  }

  remove(id: number): void {
    const entry = this.#entries.get(id)
    if (entry === undefined) return
    this.#entries.delete(id)
    this.#total -= entry.bytes
  }
}
