import { Buffer } from 'node:buffer'
import { fileURLToPath } from 'node:url'

import { invalidArgType, invalidArgValue, systemError } from './errors'
import { checkInteger } from './validate'

/** What the native side opens, or duplicates. */
export type NativeTarget = string | Buffer | number

const EXPECTED = 'of type string or number or an instance of Buffer, URL or FileHandle'

/** Takes a path, a `file:` URL, a FileHandle or a descriptor as `node:fs` does. */
export function nativeTarget(target: unknown): NativeTarget {
  if (typeof target === 'string') return withoutNul(target, target)
  if (typeof target === 'number') {
    checkInteger(target, 'target', 0, 2 ** 31 - 1)
    return target
  }
  if (typeof target !== 'object' || target === null) throw invalidArgType('target', EXPECTED, target)
  if (target instanceof Uint8Array) return withoutNul(Buffer.from(target), target)
  if ('href' in target && 'protocol' in target) return withoutNul(fileURLToPath(target as URL), target)
  const { fd } = target as { fd?: unknown }
  if (typeof fd !== 'number') throw invalidArgType('target', EXPECTED, target)
  // A FileHandle that was closed.
  if (fd === -1) throw systemError('EBADF', 'dup')
  checkInteger(fd, 'target.fd', 0, 2 ** 31 - 1)
  return fd
}

/** What opening it ended in, with a word on paths inside of an archive. Only for those is that loaded: there may be no descriptor left to read it. */
export function explained(error: unknown, target: NativeTarget): unknown {
  if (!/\.asar/i.test(String(target))) return error
  return (require('./asar.js') as typeof import('./asar')).explainArchive(error, target)
}

/** The system would cut the path at its first NUL and open another file. */
function withoutNul<T extends string | Buffer>(path: T, target: unknown): T {
  const found = typeof path === 'string' ? path.includes('\0') : path.includes(0)
  if (found) throw invalidArgValue('target', target, 'must be a string, Buffer or URL without null bytes')
  return path
}
