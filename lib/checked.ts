import { Buffer, constants } from 'node:buffer'

import { Accessors, hasState, stateOf } from './accessors'
import { bufferTooLarge, invalidArgType, invalidArgValue } from './errors'
import { direct } from './native'
import { bytesOf, checkInteger, checkRange, isBytes, lengthOf, relative } from './validate'

import type { Core } from './core'
import type { Bytes, Needle } from './types'

/**
 * Copies in and out of the mapping: no buffer over its memory is made for them, so they work on every platform and at every size.
 *
 * They throw what the accessors throw. Only `fill` and `copyWithin` clamp, as TypedArray's methods of these names do.
 */
export abstract class Checked extends Accessors {
  /**
   * Copies `length` bytes from `position` on.
   *
   * @example index.read(0, 4).toString('latin1')
   */
  read(position: number, length: number): Buffer<ArrayBuffer> {
    const core = stateOf(this)
    core.checkOpen()
    checkInteger(length, 'length')
    checkRange(position, 'position', length, core.byteLength)
    if (length > constants.MAX_LENGTH) throw bufferTooLarge(constants.MAX_LENGTH)
    core.checkReadable(position, length)
    core.checkFault()
    const copy = Buffer.allocUnsafe(length)
    if (length > 0) direct.readInto(core.native, copy, position)
    core.checkFault()
    return copy
  }

  /** Fills the whole of `target` with the bytes from `position` on. */
  readInto(target: Bytes, position: number): void {
    const core = stateOf(this)
    core.checkOpen()
    const bytes = bytesOf(target, 'target')
    const length = lengthOf(bytes)
    checkRange(position, 'position', length, core.byteLength)
    core.checkReadable(position, length)
    core.checkFault()
    if (length > 0) direct.readInto(core.native, bytes, position)
    core.checkFault()
  }

  /**
   * Copies all of `data` (text as UTF-8) to `position`, or nothing when it does not fit; returns the number of bytes.
   *
   * @example log.write('ready\n', 0) // 6
   */
  write(data: string | Bytes, position: number): number {
    const core = stateOf(this)
    core.checkOpen()
    const length =
      typeof data === 'string' ? Buffer.byteLength(data) : lengthOf(bytesOf(data, 'data', 'of type string or '))
    checkRange(position, 'position', length, core.byteLength)
    core.checkWritable('write', position, length)
    core.checkFault()
    const bytes = typeof data === 'string' ? Buffer.from(data) : bytesOf(data, 'data')
    if (length > 0) direct.writeFrom(core.native, bytes, position)
    core.checkFault()
    return length
  }

  /** Repeats text, a byte or bytes from `begin` (default 0) to `end` (default: the end of the mapping), as `Buffer.fill` does. */
  fill(value: Needle, begin?: number, end?: number): this {
    const core = stateOf(this)
    core.checkOpen()
    const pattern = patternOf(value)
    const from = relative(begin, 'begin', 0, core.byteLength)
    const to = relative(end, 'end', core.byteLength, core.byteLength)
    core.checkWritable('write', from, Math.max(0, to - from))
    core.checkFault()
    if (from < to) {
      if (lengthOf(pattern) === 0) throw invalidArgValue('value', value)
      core.native.fillBytes(pattern, from, to)
    }
    core.checkFault()
    return this
  }

  /** Copies the bytes from `begin` to `end` (default: the end of the mapping) to `target`, as `TypedArray.copyWithin` does; the ranges may overlap. */
  copyWithin(target: number, begin: number, end?: number): this {
    const core = stateOf(this)
    core.checkOpen()
    const size = core.byteLength
    const to = relative(target, 'target', 0, size)
    const from = relative(begin, 'begin', 0, size)
    const length = Math.min(relative(end, 'end', size, size) - from, size - to)
    core.checkWritable('write', to, Math.max(0, length))
    core.checkReadable(from, Math.max(0, length))
    core.checkFault()
    if (length > 0) core.native.copyWithin(to, from, from + length)
    core.checkFault()
    return this
  }

  /** Order of two byte strings as `Buffer.compare` has it: the shorter comes first where one begins the other. */
  compare(other: Checked | Uint8Array): -1 | 0 | 1 {
    const core = stateOf(this)
    core.checkOpen()
    const order = hasState(other) ? compareMappings(core, stateOf(other)) : compareBytes(core, other)
    return Math.sign(order) as -1 | 0 | 1
  }
}

function compareMappings(core: Core, other: Core): number {
  other.checkOpen()
  core.checkReadable()
  other.checkReadable()
  core.checkFault()
  other.checkFault()
  const order = core.native.compareWith(other.native)
  core.checkFault()
  other.checkFault()
  return order
}

function compareBytes(core: Core, other: unknown): number {
  if (!isBytes(other)) throw invalidArgType('other', 'an instance of Mapping or Uint8Array', other)
  core.checkReadable()
  core.checkFault()
  const order = core.native.compareBytes(other)
  core.checkFault()
  return order
}

/** `Buffer.fill`'s: an empty text is a zero byte, numbers count modulo 256. */
function patternOf(value: unknown): Uint8Array {
  if (typeof value === 'string') return value === '' ? new Uint8Array(1) : Buffer.from(value)
  if (typeof value === 'number') return Uint8Array.of(value & 255)
  if (isBytes(value)) return value
  throw invalidArgType('value', 'of type string or number or an instance of Uint8Array', value)
}
