import { types } from 'node:util'

import { invalidArgType, invalidArgValue, outOfRange } from './errors'

/** Whole, safe, and inside [min, max]. */
export function checkInteger(
  value: unknown,
  name: string,
  min = 0,
  max = Number.MAX_SAFE_INTEGER,
): asserts value is number {
  if (typeof value !== 'number') throw invalidArgType(name, 'of type number', value)
  if (!Number.isInteger(value)) throw outOfRange(name, 'an integer', value)
  if (value < min || value > max) throw outOfRange(name, `>= ${min} && <= ${max}`, value)
}

/** A byte count of an options object: number or bigint. */
export function byteCount(value: unknown, name: string): number {
  if (typeof value === 'bigint') {
    if (value < 0n || value > Number.MAX_SAFE_INTEGER)
      throw outOfRange(name, `>= 0 && <= ${Number.MAX_SAFE_INTEGER}`, value)
    return Number(value)
  }
  if (typeof value !== 'number') throw invalidArgType(name, 'of type number or bigint', value)
  checkInteger(value, name)
  return value
}

/** `length` bytes at `position` must be there: never clamped. */
export function checkRange(position: unknown, name: string, length: number, size: number): asserts position is number {
  checkInteger(position, name)
  if (position <= size - length) return
  const range =
    length <= size ? `>= 0 && <= ${size - length}` : `inside of the mapping: it has ${size} bytes, ${length} are needed`
  throw outOfRange(name, range, position)
}

/** A `begin` or `end` as TypedArray takes it: negative counts from the end, and it is clamped. */
export function relative(value: unknown, name: string, fallback: number, size: number): number {
  if (value === undefined) return fallback
  if (typeof value !== 'number') throw invalidArgType(name, 'of type number', value)
  const whole = Math.trunc(value) || 0
  return whole < 0 ? Math.max(0, size + whole) : Math.min(whole, size)
}

/** `undefined` is absent. */
export function optionalBoolean(value: unknown, name: string): boolean | undefined {
  if (value !== undefined && typeof value !== 'boolean') throw invalidArgType(name, 'of type boolean', value)
  return value
}

/** Permissions as `node:fs` takes them: a number or an octal string. */
export function fileMode(value: unknown, name: string): number {
  if (typeof value === 'string') {
    if (!/^[0-7]+$/.test(value))
      throw invalidArgValue(name, value, 'must be a 32-bit unsigned integer or an octal string')
    value = Number.parseInt(value, 8)
  }
  if (typeof value !== 'number') throw invalidArgType(name, 'of type number or string', value)
  checkInteger(value, name, 0, 2 ** 32 - 1)
  return value
}

/** Prototypes can be anybody's: asked is the value itself, too. */
export const isBytes = (value: unknown): value is Uint8Array => value instanceof Uint8Array && ArrayBuffer.isView(value)

/** What a subclass says of its length is not believed. */
export const lengthOf = Function.prototype.call.bind(
  Object.getOwnPropertyDescriptor(Object.getPrototypeOf(Uint8Array.prototype), 'byteLength')!.get!,
) as (bytes: Uint8Array) => number

/** The memory behind any view or buffer. */
export function bytesOf(value: unknown, name: string, also = ''): Uint8Array {
  if (isBytes(value)) return value
  try {
    if (ArrayBuffer.isView(value)) return new Uint8Array(value.buffer, value.byteOffset, value.byteLength)
    if (types.isAnyArrayBuffer(value)) return new Uint8Array(value)
  } catch {
    throw gone(name, value)
  }
  throw invalidArgType(name, `${also}an instance of TypedArray, DataView, ArrayBuffer or SharedArrayBuffer`, value)
}

const NOTHING = new Uint8Array(0)

/** What is detached has a length of 0, too. */
export function checkAttached(bytes: Uint8Array, name: string): void {
  try {
    NOTHING.set(bytes)
  } catch {
    throw gone(name, bytes)
  }
}

const gone = (name: string, value: unknown) => invalidArgValue(name, value, 'has been detached, or is not what it says')

/** `undefined` is absent. Signals of other realms and of polyfills are no instances of ours: what is used of them counts. */
export function checkSignal(signal: unknown): asserts signal is AbortSignal | undefined {
  if (signal === undefined) return
  const { aborted, addEventListener, removeEventListener } = (signal ?? {}) as Partial<AbortSignal>
  if (
    typeof aborted !== 'boolean' ||
    typeof addEventListener !== 'function' ||
    typeof removeEventListener !== 'function'
  ) {
    throw invalidArgType('options.signal', 'an instance of AbortSignal', signal)
  }
}

/** An options object whose every property is among `known`: a misspelt one is an error that names it. `name`: what the object itself is called. */
export function optionsOf(
  options: unknown,
  known: readonly string[],
  caller: string,
  name = 'options',
): Record<string, unknown> {
  if (options === null || typeof options !== 'object' || Array.isArray(options)) {
    throw invalidArgType(name, 'of type object', options)
  }
  for (const key of Object.keys(options)) {
    if (known.includes(key)) continue
    const near = nearest(key, known)
    const hint = near === undefined ? '' : ` (did you mean '${near}'?)`
    throw invalidArgValue(
      `${name}.${key}`,
      (options as Record<string, unknown>)[key],
      `is not an option of ${caller}${hint}`,
    )
  }
  return options as Record<string, unknown>
}

/** The known name that is at most a third of its letters away. */
function nearest(key: string, known: readonly string[]): string | undefined {
  let best: string | undefined
  let least = Infinity
  for (const name of known) {
    const far = distance(key.toLowerCase(), name.toLowerCase())
    if (far < least && far <= Math.max(2, name.length / 3)) [best, least] = [name, far]
  }
  return best
}

/** Levenshtein's. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const change = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)
      next.push(Math.min(change, row[j]! + 1, next[j - 1]! + 1))
    }
    row = next
  }
  return row[b.length]!
}
