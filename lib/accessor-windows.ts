import { Budget } from './budget'
import { NO_VIEW } from './core'
import { detach } from './detach'
import { MAX_LENGTH } from './windows'

import type { Holder } from './budget'
import type { Core } from './core'

const KiB = 1024
const MiB = 1024 * KiB

const SMALLEST = 64 * KiB
const LARGEST = MiB
const STEP = 4

/** So many accesses of one neighbourhood go through the native side before a buffer (5 us) is made there. */
export const PATIENCE = 8

/** Neighbourhoods that are counted at the same time. */
const PLACES = 8

/** All mappings of the environment together keep windows of so many bytes. */
const windows = new Budget(16 * MiB)

/**
 * Random accesses find no neighbourhood. When enough have gone through the native side (0.5 us each), the mapping gets one window over everything:
 * each has paid for so many bytes of it.
 */
const WORTH = 16 * KiB

/** A buffer from this length on costs the engine a major GC. */
const DEAR = 64 * MiB
const WORTH_DEAR = 8 * KiB

/** All mappings of the environment together have windows over everything for so many bytes; others go on as before. */
const COVERED = 4096 * MiB

/** Who has one. */
const covering = new Set<WeakRef<AccessorWindows>>()

interface Window {
  readonly buffer: ArrayBuffer
  readonly view: DataView
  readonly start: number
  /** In the budget, or -1. */
  id: number
}

/**
 * The accessors' own buffers. No user ever sees one, so nobody can transfer it under the accessors' feet, and a window that others need
 * the room of is detached at once: V8 gets its bytes back without a GC.
 */
export class AccessorWindows implements Holder {
  readonly #core: Core
  /** Made when it is needed, as V8 keeps what a WeakRef stands for until the job ends. */
  #self: WeakRef<this> | undefined
  readonly #windows = new Map<number, Window>()
  readonly #dropped = new WeakSet<ArrayBuffer>()
  readonly #places: number[] = new Array<number>(PLACES).fill(-1)
  readonly #counts: number[] = new Array<number>(PLACES).fill(0)
  #size = SMALLEST
  #missesSinceWindow = 0
  #misses = 0
  /** Over everything, once enough accesses were random. */
  #whole: Window | undefined

  constructor(core: Core) {
    this.#core = core
  }

  /** An access at `at` (counted from the page-aligned base) found no window. */
  miss(at: number): void {
    if (this.#whole === undefined && this.#isWorthAll()) this.#cover()
    if (this.#whole !== undefined) return this.#enter(this.#whole)
    this.#missesSinceWindow++
    const half = this.#size / 2
    const last = Math.max(0, Math.ceil(this.#core.end / half) - 2)
    const key = Math.min(Math.floor(at / half), last)
    const window = this.#windows.get(key)
    if (window !== undefined) {
      windows.touch(window.id)
      this.#enter(window)
      return
    }
    const place = key % PLACES
    if (this.#places[place] !== key) {
      this.#places[place] = key
      this.#counts[place] = 0
    }
    if (++this.#counts[place]! < PATIENCE) return
    this.#counts[place] = 0
    if (this.#missesSinceWindow <= 2 * PATIENCE && this.#windows.size > 0) this.#grow()
    this.#missesSinceWindow = 0
    this.#open(at)
  }

  /** Detaches a window. */
  drop(key: number): void {
    const window = this.#windows.get(key)
    if (window === undefined) return
    this.#windows.delete(key)
    this.#detach(window)
  }

  #detach(window: Window): void {
    const core = this.#core
    if (core.view === window.view) {
      core.view = NO_VIEW
      core.start = core.length = core.writable = 0
    }
    if (detach(window.buffer)) this.#dropped.add(window.buffer)
  }

  /** Whether a buffer of length 0 is one that `drop` detached. */
  wasDropped(buffer: ArrayBuffer): boolean {
    return this.#dropped.has(buffer)
  }

  /** Lets all windows go: the mapping has another length, or protected pages. */
  reset(): void {
    for (const [key, window] of this.#windows) {
      windows.remove(window.id)
      this.drop(key)
    }
    this.#places.fill(-1)
    if (this.#whole !== undefined) this.#detach(this.#whole)
    this.#uncover()
  }

  /** The mapping was closed, which detached everything. */
  clear(): void {
    for (const window of this.#windows.values()) windows.remove(window.id)
    this.#windows.clear()
    this.#uncover()
  }

  /** How many bytes have a window over everything. */
  get covered(): number {
    return this.#whole?.buffer.byteLength ?? 0
  }

  #isWorthAll(): boolean {
    const { end } = this.#core
    return ++this.#misses * (end < DEAR ? WORTH : WORTH_DEAR) >= end
  }

  #cover(): void {
    this.#misses = 0
    const { end } = this.#core
    let room = Math.min(COVERED, MAX_LENGTH) - end
    for (const one of covering) {
      const bytes = one.deref()?.covered
      if (bytes === undefined) covering.delete(one)
      else room -= bytes
    }
    if (room < 0) return
    this.reset()
    try {
      this.#whole = this.#make(0, end)
    } catch {
      // The engine has no room for it: it goes on as it was.
      return
    }
    this.#self ??= new WeakRef(this)
    covering.add(this.#self)
  }

  #uncover(): void {
    this.#whole = undefined
    this.#misses = 0
    if (this.#self !== undefined) covering.delete(this.#self)
  }

  /** One window followed close upon the other: larger ones are worth it. */
  #grow(): void {
    if (this.#size >= Math.min(LARGEST, this.#core.end)) return
    this.reset()
    this.#size = Math.min(this.#size * STEP, LARGEST)
  }

  #open(at: number): void {
    const { end } = this.#core
    const half = this.#size / 2
    const key = Math.min(Math.floor(at / half), Math.max(0, Math.ceil(end / half) - 2))
    const from = key * half
    const length = Math.min(this.#size, end - from)
    this.#self ??= new WeakRef(this)
    const window = this.#make(from, length)
    window.id = windows.add(this.#self, key, length)
    this.#windows.set(key, window)
    this.#enter(window)
  }

  /** From and length count from the page-aligned base. */
  #make(from: number, length: number): Window {
    const { delta } = this.#core
    const buffer = this.#core.export(from, length)
    const skip = Math.max(0, delta - from)
    return { buffer, view: new DataView(buffer, skip, length - skip), start: from + skip - delta, id: -1 }
  }

  #enter(window: Window): void {
    const core = this.#core
    core.view = window.view
    core.start = window.start
    core.length = window.view.byteLength
    core.writable = core.access === 'read' ? 0 : core.length
  }
}
