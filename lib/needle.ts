import { Buffer } from 'node:buffer'

import { invalidArgType } from './errors'
import { isBytes, lengthOf } from './validate'

/**
 * Text as UTF-8; a number modulo 256, its fraction cut, as `Buffer.indexOf` takes it; of bytes a copy: they can change or be detached while a search
 * goes on.
 */
export function needleOf(value: unknown): Uint8Array {
  if (typeof value === 'string') return Buffer.from(value)
  if (typeof value === 'number') return Uint8Array.of(value)
  if (isBytes(value)) {
    const copy = Buffer.allocUnsafe(lengthOf(value))
    copy.set(value)
    return copy
  }
  throw invalidArgType('needle', 'of type string or number or an instance of Uint8Array', value)
}

/**
 * Where `Buffer.indexOf` and `lastIndexOf` begin to look; -1 where they don't look at all. Negative counts from the end, NaN is absent, and
 * both are clamped, for empty needles to the end itself.
 */
export function startOf(from: unknown, needle: number, size: number, forward: boolean): number {
  if (from !== undefined && typeof from !== 'number') throw invalidArgType('from', 'of type number', from)
  const given = from === undefined || Number.isNaN(from) ? (forward ? 0 : size) : Math.trunc(from) || 0
  if (given < 0) {
    if (given + size >= 0) return given + size
    return forward || needle === 0 ? 0 : -1
  }
  if (given + needle <= size) return given
  if (needle === 0) return size
  return forward ? -1 : size - 1
}
