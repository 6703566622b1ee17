import { invalidArgType, invalidArgValue, otherProcess } from './errors'
import { native } from './native'

import type { NativeMapping } from '../binding'
import type { Core } from './core'
import type { Access, MappingHandle } from './types'

/** Which class a mapping comes back as in another thread: the low bits of the label that travels with the memory. */
export const MAPPED_FILE = 1
export const ANONYMOUS_MEMORY = 2
export const SHARED_MEMORY = 3
const CLASS = 15
const SHARED_ARRAY_BUFFER = 16
const PRIVATE = 32
const ACCESS = { read: 0, write: 64, copy: 128 } as const

/** The handle of a mapping. */
export function handleOf(core: Core): MappingHandle {
  core.checkOpen()
  const label =
    core.label |
    (core.sharedArrayBuffer ? SHARED_ARRAY_BUFFER : 0) |
    (core.isPrivate ? PRIVATE : 0) |
    ACCESS[core.access]
  return { memmap: 1, id: core.native.share(label), pid: process.pid }
}

/** What a handle leads to. */
export interface Received {
  readonly native: NativeMapping
  readonly label: number
  readonly access: Access
  readonly isPrivate: boolean
  readonly sharedArrayBuffer: boolean
}

/** One more mapping of the memory behind a handle. */
export function receive(handle: unknown): Received {
  if (typeof handle !== 'object' || handle === null)
    throw invalidArgType('handle', 'a MappingHandle of share()', handle)
  const { memmap, id, pid } = handle as Partial<MappingHandle>
  if (memmap !== 1 || typeof id !== 'string' || typeof pid !== 'number') {
    throw invalidArgValue('handle', handle, 'must be a MappingHandle of share()')
  }
  if (pid !== process.pid) throw otherProcess()
  const mapping = native.NativeMapping.fromHandle(id)
  const { label } = mapping
  const access = (label & ACCESS.copy) !== 0 ? 'copy' : (label & ACCESS.write) !== 0 ? 'write' : 'read'
  return {
    native: mapping,
    label: label & CLASS,
    access,
    isPrivate: (label & PRIVATE) !== 0,
    sharedArrayBuffer: (label & SHARED_ARRAY_BUFFER) !== 0,
  }
}
