// Accessors whose place is in no window (yet): the slow half of lib/accessors.ts.
import { AccessorWindows, PATIENCE } from './accessor-windows'
import { epoch as sharedEpoch } from './faults'
import { direct } from './native'
import { checkRange } from './validate'

import type { Core } from './core'

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
