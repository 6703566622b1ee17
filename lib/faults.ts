import { channel } from 'node:diagnostics_channel'

import { mappingFault } from './errors'
import { native } from './native'

import type { Core } from './core'
import type { FaultMessage, MappingFault } from './types'

/**
 * `epoch[0]` is counted up by the guard whenever any mapping of this process faults, before the access that faulted returns.
 * It has a buffer of its own: typed arrays of a few bytes live on the heap, where the collector moves them.
 */
export const epoch = new Int32Array(new ArrayBuffer(64))

const KINDS = [undefined, 'truncated', 'io', 'nospace', 'protected', 'moved'] as const

const faults = channel('memmap:fault')
const out = new Float64Array(3)

/** Mappings that are open, by the id of their native side. */
const live = new Map<number, WeakRef<Core>>()
let sweepAt = 1024

native.setup(epoch, () => {
  for (const reference of live.values()) {
    const core = reference.deref()
    if (core !== undefined) announce(core)
  }
})

/** From now on faults of this mapping are published. */
export function register(core: Core): void {
  live.set(core.id, new WeakRef(core))
  if (live.size >= sweepAt) sweep()
}

/** It was closed. */
export function unregister(core: Core): void {
  live.delete(core.id)
}

/** Mappings that were collected without `close()` leave their entries behind. */
function sweep(): void {
  for (const [id, reference] of live) {
    if (reference.deref() === undefined) live.delete(id)
  }
  sweepAt = Math.max(1024, live.size * 2)
}

/** Asks the native side, and remembers the answer for after `close()`. */
export function currentFault(core: Core): MappingFault | null {
  core.native.fault(out)
  const kind = KINDS[out[0]!]
  const fault = kind === undefined ? null : { kind, offset: out[1]! }
  if (fault !== null) core.lastFault = fault
  return fault
}

/** Publishes what has happened to a mapping since the last time; the first fault of a mapping is also a process warning. */
export function announce(core: Core): void {
  const now = currentFault(core)
  const count = out[2]!
  if (count === core.faults) return
  const first = core.faults === 0
  core.faults = count
  const fault = now ?? core.lastFault
  if (fault === null) return
  const { path } = core
  if (first) {
    const { message } = mappingFault(fault, path)
    process.emitWarning(message, { type: 'MemmapFaultWarning', code: 'MEMMAP_FAULT' })
  }
  if (faults.hasSubscribers) faults.publish({ mapping: core.owner, ...fault, path } satisfies FaultMessage)
}
