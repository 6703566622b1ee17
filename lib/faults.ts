import { mappingFault } from './errors'
import { direct, native } from './native'

import type { Core } from './core'
import type { FaultMessage, MappingFault } from './types'

/**
 * `epoch[0]` is counted up by the guard whenever any mapping of this process faults, before the access that faulted returns.
 * Its memory is never freed, as not every engine says when a worker ends (Deno); in V8's memory cage it is the engine's own, in a buffer of
 * its own: typed arrays of a few bytes live on the heap, where the collector moves them.
 */
export const epoch = new Int32Array(native.epochMemory() ?? new ArrayBuffer(64))

const KINDS = [undefined, 'truncated', 'io', 'nospace', 'protected', 'moved'] as const

const out = new Float64Array(4)

const channel = () =>
  (require('node:diagnostics_channel') as typeof import('node:diagnostics_channel')).channel('memmap:fault')

/** Node keeps a channel that somebody listens to; other engines may forget it. There it is loaded when there is something to say. */
let faults = process.versions['bun'] === undefined && process.versions['deno'] === undefined ? undefined : channel()

/** How many events the native side keeps; of more the oldest are lost. */
const RING = 256

native.setup(epoch, deliver)

let lost = false

/** Somebody has displaced the guard's handlers more often than it has handlers. */
export function warnOfLoss(): void {
  if (lost) return
  lost = true
  process.emitWarning(
    'The signal handlers of the fault guard were displaced for the fourth time and are not installed again: a fault can end the process now',
    { type: 'MemmapGuardWarning', code: 'MEMMAP_GUARD_LOST' },
  )
}

/** Publishes every fault since the last time, of all mappings of this thread. */
export function deliver(): void {
  const events = native.takeFaults()
  for (let at = 0; at < events.length; at += 3) {
    const kind = KINDS[events[at + 1]!]
    if (kind === undefined) continue
    for (const core of native.ownersOf(events[at]!) as Core[]) {
      publish(core, { kind, offset: Math.max(0, events[at + 2]! - core.delta) })
    }
  }
  if (events.length >= 3 * RING) catchUp()
}

/** The open mappings of this thread that stand on a memory. */
export function holdersOf(id: number): Core[] {
  return (native.ownersOf(id) as Core[]).filter((core) => !core.closed)
}

/** Events were lost; the first fault of each mapping was not. */
function catchUp(): void {
  for (const core of native.allOwners() as Core[]) {
    const fault = core.announced ? null : currentFault(core)
    if (fault !== null) publish(core, fault)
  }
}

/** The first fault of a mapping is also a process warning. */
function publish(core: Core, fault: MappingFault): void {
  const { path } = core
  core.lastFault = fault
  if (!core.announced) {
    core.announced = true
    const { message } = mappingFault(fault, path)
    process.emitWarning(message, { type: 'MemmapFaultWarning', code: 'MEMMAP_FAULT' })
  }
  faults ??= channel()
  if (faults.hasSubscribers) faults.publish({ mapping: core.owner, ...fault, path } satisfies FaultMessage)
}

/** Asks the native side, and remembers the answer for after `close()`. */
export function currentFault(core: Core): MappingFault | null {
  direct.fault(core.native, out)
  core.learnRights(out[3]!)
  const kind = KINDS[out[0]!]
  const fault = kind === undefined ? null : { kind, offset: out[1]! }
  if (fault !== null) core.lastFault = fault
  return fault
}
