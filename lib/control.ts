import { invalidArgType, invalidArgValue } from './errors'
import { holdersOf } from './faults'
import { adviceOf, rangeOf } from './options'
import { checkInteger, optionalBoolean, optionsOf } from './validate'

import type { Core } from './core'
import type { Protection, Residency } from './types'

/** As `src/mapping_control.rs` counts them. */
const PROTECTIONS: readonly Protection[] = ['none', 'read', 'write', 'exec']

export function advise(core: Core, advice: unknown, range: unknown): void {
  core.checkOpen()
  const name = adviceOf(advice, 'advice')
  const { offset, length } = rangeOf(range, core, 'advise')
  core.native.advise(name, offset, length)
}

export function discard(core: Core, range: unknown): void {
  core.checkOpen()
  // Dropping everything by a forgotten argument would be a costly slip.
  if (range === undefined) throw invalidArgType('range', 'of type object', range)
  const { offset, length } = rangeOf(range, core, 'discard')
  core.checkWritable('madvise', offset, length)
  core.look(() => core.native.discard(offset, length))
}

export function lock(core: Core, range: unknown): void {
  core.checkOpen()
  const { offset, length } = rangeOf(range, core, 'lock')
  core.look(() => core.native.lock(offset, length))
}

export function unlock(core: Core, range: unknown): void {
  core.checkOpen()
  const { offset, length } = rangeOf(range, core, 'unlock')
  core.native.unlock(offset, length)
}

export function protect(core: Core, protection: unknown, range: unknown): void {
  core.checkOpen()
  if (typeof protection !== 'string') throw invalidArgType('protection', 'of type string', protection)
  const code = (PROTECTIONS as readonly string[]).indexOf(protection)
  if (code < 0) throw invalidArgValue('protection', protection, `must be one of: '${PROTECTIONS.join("', '")}'`)
  const { offset, length } = rangeOf(range, core, 'protect')
  const changes = core.native.protect(code, offset, length)
  if (length === 0) return
  // The system knows whole pages only: so do the checks.
  const { delta, pageSize } = core
  const from = Math.floor((delta + offset) / pageSize) * pageSize - delta
  const to = Math.ceil((delta + offset + length) / pageSize) * pageSize - delta
  // Those of other threads look when they are used.
  for (const one of holdersOf(core.id)) one.protect(protection as Protection, from, to - from, changes)
}

export function residency(core: Core, range: unknown): Residency {
  core.checkOpen()
  const { offset, length } = rangeOf(range, core, 'residency')
  const { pages, resident, bitmap, exact } = core.native.residency(offset, length)
  return { pageSize: core.pageSize, pages, resident, bitmap: bitmap as Uint8Array<ArrayBuffer>, exact }
}

export function resize(core: Core, length: unknown, options: unknown): void {
  core.checkOpen()
  if (length !== undefined) checkInteger(length, 'length')
  const given = options === undefined ? {} : optionsOf(options, ['mayMove'], 'resize')
  const mayMove = optionalBoolean(given['mayMove'], 'options.mayMove') ?? true
  core.checkFault()
  core.resize(length ?? -1, mayMove)
}
