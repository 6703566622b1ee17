import { constants } from 'node:buffer'
import { inspect, getSystemErrorMap } from 'node:util'

import type { InspectOptions } from 'node:util'
import type { MappingFault } from './types'

type ErrorClass = new (message: string) => Error

/** An error as Node makes its own: `code` on the object, `TypeError [ERR_…]: …` in the stack, a plain `name`. */
export function coded(Class: ErrorClass, code: string, message: string): NodeJS.ErrnoException {
  const error: NodeJS.ErrnoException = new Class(message)
  error.code = code
  withStack(error, `${error.name} [${code}]`)
  return error
}

/** The header of a stack is written when it is captured, from the name of that moment. */
function withStack(error: Error, name: string): void {
  Object.defineProperty(error, 'name', { value: name, configurable: true, writable: true, enumerable: false })
  Error.captureStackTrace(error, withStack)
  void error.stack
  Reflect.deleteProperty(error, 'name')
}

/**
 * Gives an error that was made on another thread the stack of the `await` that met it: its own has one line.
 * Errors of this package only; anything else comes back as it is.
 */
export function recapture(error: unknown): unknown {
  if (!(error instanceof Error)) return error
  const { code, errno } = error as NodeJS.ErrnoException
  withStack(error, code !== undefined && errno === undefined ? `${error.name} [${code}]` : error.name)
  return error
}

/** Getters, proxies and custom inspectors can throw, and in Node 20 and 22 a DataView that was detached. */
function shown(value: unknown, options?: InspectOptions): string {
  try {
    return inspect(value, options)
  } catch {
    return typeof value
  }
}

/** `Received type string ('abc')`, as Node's own messages end. */
function received(value: unknown): string {
  if (value === null || value === undefined) return `Received ${value}`
  if (typeof value === 'function' || typeof value === 'object') {
    const name = nameOf(value)
    if (typeof value === 'function') return `Received function ${name}`
    return name ? `Received an instance of ${name}` : `Received ${shown(value, { depth: -1 })}`
  }
  const text = shown(value)
  return `Received type ${typeof value} (${text.length > 28 ? `${text.slice(0, 25)}...` : text})`
}

/** A function's own, or that of the class. */
function nameOf(value: object): string {
  try {
    const owner = typeof value === 'function' ? value : (value.constructor as { name?: unknown } | undefined)
    return String(owner?.name ?? '')
  } catch {
    return ''
  }
}

/** A number past 2^32 with separators, as Node shows it. */
function readable(value: unknown): string {
  if (typeof value !== 'number' && typeof value !== 'bigint') return shown(value)
  const suffix = typeof value === 'bigint' ? 'n' : ''
  const large = Number.isInteger(Number(value)) && (value > 2 ** 32 || value < -(2 ** 32))
  return (large ? String(value).replace(/\B(?=(\d{3})+$)/g, '_') : String(value)) + suffix
}

/** `The "position" argument`, or `The "options.offset" property`. */
function named(name: string): string {
  return `The "${name}" ${name.includes('.') ? 'property' : 'argument'}`
}

/** `expected` ends the sentence: `of type number`, `an instance of Buffer`. */
export function invalidArgType(name: string, expected: string, value: unknown): TypeError {
  return coded(TypeError, 'ERR_INVALID_ARG_TYPE', `${named(name)} must be ${expected}. ${received(value)}`)
}

/** `reason` follows the name: `must be one of: 'read', 'write'`. */
export function invalidArgValue(name: string, value: unknown, reason = 'is invalid'): TypeError {
  const text = shown(value)
  const short = text.length > 128 ? `${text.slice(0, 128)}...` : text
  const what = name.includes('.') ? 'property' : 'argument'
  return coded(TypeError, 'ERR_INVALID_ARG_VALUE', `The ${what} '${name}' ${reason}. Received ${short}`)
}

/** `range` follows `It must be`: `>= 0 && <= 10`, `an integer`. */
export function outOfRange(name: string, range: string, value: unknown): RangeError {
  return coded(
    RangeError,
    'ERR_OUT_OF_RANGE',
    `The value of "${name}" is out of range. It must be ${range}. Received ${readable(value)}`,
  )
}

/** Use after `close()`. */
export function invalidState(): Error {
  return coded(Error, 'ERR_INVALID_STATE', 'Invalid state: the mapping is closed')
}

/** Private pages are nowhere else: whoever transferred their buffer has taken them along. */
export function memoryTransferred(): Error {
  return coded(Error, 'ERR_INVALID_STATE', 'Invalid state: the memory was transferred with a buffer that it stood on')
}

/** As Node's own: whoever aborted says why in `cause`. */
export function abortError(cause: unknown): Error {
  const error = coded(Error, 'ABORT_ERR', 'The operation was aborted')
  error.name = 'AbortError'
  if (cause !== undefined) error.cause = cause
  return error
}

/** A handle of another process leads to no memory of this one. */
export function otherProcess(): Error {
  return coded(
    Error,
    'ERR_INVALID_STATE',
    'Invalid state: the handle belongs to another process. Use SharedMemory.open() or MappedFile.open() there',
  )
}

/** Use of a reservation after `close()`. */
export function invalidReservation(): Error {
  return coded(Error, 'ERR_INVALID_STATE', 'Invalid state: the reservation is closed')
}

/** More than the engine can address through one buffer. */
export function bufferTooLarge(limit: number): RangeError {
  return coded(
    RangeError,
    'ERR_BUFFER_TOO_LARGE',
    `Cannot create a Buffer larger than ${limit} bytes: use subarray() for a part, or the methods that take a position`,
  )
}

/** The engine allows no buffer over foreign memory. */
export function viewsUnavailable(): Error {
  return coded(
    Error,
    'ERR_VIEWS_UNAVAILABLE',
    'This engine allows no ArrayBuffer over mapped memory. Use getUint8() and its kin, read(), readInto() and write(), which need none',
  )
}

/** `new MappedFile()`. */
export function illegalConstructor(makers: string): TypeError {
  return coded(TypeError, 'ERR_ILLEGAL_CONSTRUCTOR', `Illegal constructor: use ${makers}`)
}

/** As Node says it of `toString`. */
export function stringTooLong(): Error {
  const most = constants.MAX_STRING_LENGTH.toString(16)
  return coded(Error, 'ERR_STRING_TOO_LONG', `Cannot create a string longer than 0x${most} characters`)
}

/** The bytes of the mapping are not those of the file any more. */
export function mappingFault(fault: MappingFault, path: string | Uint8Array | undefined): Error {
  const why = {
    truncated: 'the file was truncated, bytes from there on read as zeros',
    io: 'the file could not be read, that page reads as zeros',
    nospace: 'the disk is full, what was stored in that page is lost',
    protected: 'a store to a read-only page, which is a private copy now',
    moved: 'the engine moved the memory, the mapping is gone from it',
  }[fault.kind]
  const file = path === undefined ? '' : ` of '${String(path)}'`
  const cure = fault.kind === 'moved' ? 'Close it and map again' : "clearFault() maps the file's pages again"
  const message = `The mapping${file} faulted at ${fault.offset} (${fault.kind}): ${why}. ${cure}`
  return Object.assign(coded(Error, 'ERR_MAPPING_FAULT', message), { fault })
}

/** A system error that no system call was needed for. */
export function systemError(
  code: 'EACCES' | 'EAGAIN' | 'EBADF' | 'EBUSY' | 'EINVAL' | 'ENOMEM' | 'ENOTSUP',
  syscall: string,
  path?: string | Uint8Array,
): Error {
  for (const [errno, [name]] of getSystemErrorMap()) {
    if (name === code) return systemErrorOf(-errno, syscall, path)
  }
  return systemErrorOf(0, syscall, path)
}

/** A system error by its (positive) number, as the native side saw it. */
export function systemErrorOf(number: number, syscall: string, path?: string | Uint8Array): Error {
  const [code, text] = getSystemErrorMap().get(-number) ?? ['UNKNOWN', 'unknown error']
  const file = path === undefined ? '' : ` '${String(path)}'`
  const error = new Error(`${code}: ${text}, ${syscall}${file}`)
  return Object.assign(error, { errno: -number, code, syscall }, path === undefined ? {} : { path })
}
