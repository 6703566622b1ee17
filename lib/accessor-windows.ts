import { Budget } from './budget'
import { NO_VIEW } from './core'
import { MAX_LENGTH } from './windows'
import { detach } from './detach'
import { epoch as sharedEpoch } from './faults'
import { direct } from './native'
import { checkRange } from './validate'

import type { Holder } from './budget'
import type { Core } from './core'

const KiB = 1024
const MiB = 1024 * KiB

const SMALLEST = 64 * KiB
const LARGEST = MiB
const STEP = 4

/** So many accesses of one neighbourhood go through the native side before a buffer (5 us) is made there. */
const PATIENCE = 8

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

/** A local name, as in the accessors. */
const epoch = sharedEpoch

/** Eight bytes on their way to or from a place that has no window, and the same as the native side takes them, by their number. */
const scratch = new DataView(new ArrayBuffer(8))
const scratchBytes = Array.from({ length: 9 }, (_, size) => new Uint8Array(scratch.buffer, 0, size))

/** A getter outside of the window: the bytes at `position` as the first of the view that returns. */
export function load(core: Core, position: number, size: number): DataView {
  core.checkOpen()
  checkRange(position, 'position', size, core.byteLength)
  core.checkReadable(position, size)
  core.checkFault()
  move(core, position)
  const at = position - core.start
  if (at >= 0 && at + size <= core.length) {
    copy(core.view, at, scratch, 0, size)
    // As in the getters: what was read while others protected the page is read again.
    if (epoch[0] !== core.seen && core.settle()) return load(core, position, size)
    return scratch
  }
  direct.readInto(core.native, scratchBytes[size]!, position)
  core.checkFault()
  return scratch
}

/** A setter outside of the window: checks everything; the value goes into the view that returns, and then `store` does it. */
export function prepare(core: Core, position: number, size: number): DataView {
  core.checkOpen()
  checkRange(position, 'position', size, core.byteLength)
  core.checkWritable('write', position, size)
  core.checkFault()
  return scratch
}

/** After `prepare`. */
export function store(core: Core, position: number, size: number): void {
  // Converting the value can run the user's code, which can close the mapping, or protect it.
  core.checkOpen()
  core.checkWritable('write', position, size)
  move(core, position)
  const at = position - core.start
  if (at >= 0 && at + size <= core.writable) {
    copy(scratch, 0, core.view, at, size)
    if (epoch[0] !== core.seen) core.settle()
    return
  }
  direct.writeFrom(core.native, scratchBytes[size]!, position)
  core.checkFault()
}

/** One load and one store: others may be storing there. */
function copy(from: DataView, at: number, to: DataView, where: number, size: number): void {
  if (size === 4) to.setInt32(where, from.getInt32(at))
  else if (size === 8) to.setBigUint64(where, from.getBigUint64(at))
  else if (size === 1) to.setInt8(where, from.getInt8(at))
  else to.setInt16(where, from.getInt16(at))
}

/** Brings the window to where accesses gather. The first few of a mapping leave nothing behind: opening, one look and closing stay cheap. */
function move(core: Core, position: number): void {
  if (++core.misses <= PATIENCE / 2 || core.protections !== undefined || core.kind === 'none' || core.isMovable) return
  if (core.kind !== 'external') {
    enterWhole(core)
    return
  }
  core.accessorWindows ??= new AccessorWindows(core)
  core.accessorWindows.miss(core.delta + position)
}

/** One window over everything: the carrier's buffer is there for views, too. */
function enterWhole(core: Core): void {
  const buffer = core.wholeIfAny()
  if (buffer === undefined) return
  core.view = new DataView(buffer, core.delta, core.byteLength)
  core.start = 0
  core.length = core.byteLength
  core.writable = core.access === 'read' ? 0 : core.length
}

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
