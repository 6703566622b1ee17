import { run } from './jobs'

import type { Core } from './core'

/** Loaded, and dropped, in one piece: page caches keep up to 2 MiB together. */
const WINDOW = 4 << 20
/** So far ahead of the loading is looked which windows are cold: the system's own readahead would make the next ones look warm. */
const PROBES = 8

interface Part {
  readonly from: number
  readonly to: number
  /** It was not in memory before: so it need not stay there. */
  readonly cold: boolean
  ready: Promise<unknown> | undefined
}

/**
 * For those who go through a range once, forwards: the window ahead is loaded on another thread while this one is used, and windows that came from
 * the disk are dropped when they are behind, so that a file larger than memory streams through a few megabytes and pushes nothing else out.
 */
export class Ahead {
  readonly #core: Core
  readonly #end: number
  readonly #window: number
  readonly #signal: AbortSignal | undefined
  readonly #parts: Part[] = []
  readonly #from: number
  /** Of the windows that were looked at, in order from `#from`. */
  readonly #cold: boolean[] = []
  #next: number

  constructor(core: Core, from: number, end: number, size: number, signal?: AbortSignal) {
    this.#core = core
    this.#end = end
    this.#window = Math.max(WINDOW, size)
    this.#signal = signal
    this.#from = from
    this.#next = from
  }

  /** `undefined` if the bytes are in memory already, else a Promise of that. What lies before `from` will not be used again. */
  ready(from: number, to: number): Promise<unknown> | undefined {
    while (this.#parts.length > 0 && this.#parts[0]!.to <= from) this.#drop(this.#parts.shift()!)
    while (this.#next < Math.min(this.#limit, to + this.#window)) this.#begin()
    const waiting = this.#parts.filter((part) => part.from < to && part.ready !== undefined)
    if (waiting.length === 0) return undefined
    return Promise.all(waiting.map(({ ready }) => ready))
  }

  /** Nothing more is wanted. */
  stop(): void {
    for (const part of this.#parts.splice(0)) this.#drop(part)
    this.#next = this.#end
  }

  /** The mapping may be shorter than it was. */
  get #limit(): number {
    return Math.min(this.#end, this.#core.byteLength)
  }

  #begin(): void {
    const core = this.#core
    const from = this.#next
    const to = Math.min(this.#limit, from + this.#window)
    const index = Math.floor((from - this.#from) / this.#window)
    while (this.#cold.length < index + PROBES) this.#probe()
    const part: Part = { from, to, cold: this.#cold[index]!, ready: undefined }
    const { pages, resident, exact } = this.#residency(from, to - from)
    if (!exact || resident < pages) {
      const task = { signal: this.#signal }
      const ready = run(core, task, { base: 0, total: to - from }, (jobs, progress) =>
        jobs.startLoad(core.native, from, to - from, progress),
      )
        .catch((error: NodeJS.ErrnoException) => {
          // Some page was protected, perhaps one that is never asked for: each reader asks for its own.
          if (error.code !== 'EACCES') throw error
        })
        .then(() => {
          part.ready = undefined
        })
      // Its failure is for who waits for this part, if somebody does.
      ready.catch(() => undefined)
      part.ready = ready
    }
    this.#parts.push(part)
    this.#next = to
  }

  #probe(): void {
    const from = this.#from + this.#cold.length * this.#window
    const length = Math.min(this.#window, this.#limit - from)
    if (length <= 0) return void this.#cold.push(false)
    const { pages, resident, exact } = this.#residency(from, length)
    this.#cold.push(exact && resident * 2 < pages)
  }

  /** Where a sandbox refuses mincore(2) nothing is known, and reading goes on. */
  #residency(from: number, length: number): { pages: number; resident: number; exact: boolean } {
    try {
      return this.#core.native.residency(from, length)
    } catch (error) {
      if ((error as { syscall?: string }).syscall !== 'mincore') throw error
      return { pages: 1, resident: 0, exact: false }
    }
  }

  #drop({ from, to, cold, ready }: Part): void {
    if (!cold) return
    const evict = (): void => {
      try {
        this.#core.checkOpen()
      } catch {
        // Closed, or moved away: nothing is kept in memory by it.
        return
      }
      this.#core.native.evict(from, to - from)
    }
    // Who leaves in the middle leaves a window that is still being loaded: what came after the dropping would stay.
    if (ready === undefined) evict()
    else ready.then(evict, evict)
  }
}
