// What a caller of memmap/posix passes, as the native side takes it. Values are the kernel's business; types are ours.
import { stateOf } from '../accessors'
import { invalidArgType, invalidArgValue, outOfRange } from '../errors'
import { Mapping } from '../mapping'

const UINT32 = 2 ** 32
const UINT64 = 2n ** 64n

/** A C `int` or `unsigned`: bits of a flag, a descriptor, an id. A constant that this platform lacks throws its ENOTSUP here. */
export function int(value: unknown, name: string): number {
  const number = typeof value === 'object' && value !== null && Symbol.toPrimitive in value ? +(value as never) : value
  if (typeof number !== 'number') throw invalidArgType(name, 'of type number', value)
  if (!Number.isInteger(number)) throw outOfRange(name, 'an integer', value)
  if (number < -UINT32 / 2 || number >= UINT32) throw outOfRange(name, `>= ${-UINT32 / 2} && < ${UINT32}`, value)
  return number | 0
}

/** A `size_t`. */
export function size(value: unknown, name: string): bigint {
  if (typeof value !== 'number' && typeof value !== 'bigint')
    throw invalidArgType(name, 'of type number or bigint', value)
  if (typeof value === 'number' && !Number.isSafeInteger(value)) throw outOfRange(name, 'a safe integer', value)
  if (value < 0 || value >= UINT64) throw outOfRange(name, '>= 0 && < 2 ** 64', value)
  return BigInt(value)
}

/** An `off_t`, which may be negative: the kernel says what it thinks of that. */
export function fileOffset(value: unknown, name: string): bigint {
  if (typeof value !== 'number' && typeof value !== 'bigint')
    throw invalidArgType(name, 'of type number or bigint', value)
  if (typeof value === 'number' && !Number.isSafeInteger(value)) throw outOfRange(name, 'a safe integer', value)
  if (value < -UINT64 / 2n || value >= UINT64 / 2n) throw outOfRange(name, '>= -(2 ** 63) && < 2 ** 63', value)
  return BigInt(value)
}

/** A wished address; `null`: wherever the kernel likes. */
export function hint(value: unknown, name: string): bigint {
  if (value === null) return 0n
  if (typeof value !== 'bigint') throw invalidArgType(name, 'of type bigint or null', value)
  if (value < 0n || value >= UINT64) throw outOfRange(name, '>= 0 && < 2 ** 64', value)
  return value
}

/** Of a mapping, or inside of one: whose it is, the native side knows. */
export function addressOf(value: unknown, name: string): bigint {
  if (value instanceof Mapping) {
    stateOf(value).checkOpen()
    return value.address
  }
  if (typeof value !== 'bigint') throw invalidArgType(name, 'of type bigint or an instance of Mapping', value)
  return hint(value, name)
}

/** A C string. */
export function text(value: unknown, name: string): string {
  if (typeof value !== 'string') throw invalidArgType(name, 'of type string', value)
  if (value.includes('\0')) throw invalidArgValue(name, value, 'must be a string without null bytes')
  return value
}
