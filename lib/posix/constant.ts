// One constant by name: the platform's number, or the object that stands for a number it does not have.
import { getSystemErrorMap } from 'node:util'
import { native } from '../native'

const offered = native.constants()
const absent = new Map<string, NotOffered>()

/**
 * Stands for a constant that this platform lacks. Every use as a number throws, so that `MAP_SHARED | MAP_SYNC` fails loudly
 * where undefined or 0 would silently drop the flag. `typeof MAP_SYNC === 'number'` is the test.
 */
class NotOffered {
  readonly name: string

  constructor(name: string) {
    this.name = name
    Object.freeze(this)
  }

  [Symbol.toPrimitive](): never {
    throw notOffered(this.name)
  }
}

/** The ENOTSUP for a constant, or later a call, that this platform lacks. */
export function notOffered(name: string): NodeJS.ErrnoException {
  const error: NodeJS.ErrnoException = new Error(`ENOTSUP: ${name} is not offered by ${process.platform}`)
  error.code = 'ENOTSUP'
  // os.constants has the C library's number, which on Windows is not the one that Node gives its errors.
  for (const [errno, [code]] of getSystemErrorMap()) if (code === 'ENOTSUP') error.errno = errno
  return error
}

/** The number of `name`; an absent one is always the same object, and is typed as the number that it refuses to be. */
export function constant(name: string): number {
  const value = offered[name]
  if (value !== undefined) return value
  let stand = absent.get(name)
  if (stand === undefined) absent.set(name, (stand = new NotOffered(name)))
  return stand as unknown as number
}
