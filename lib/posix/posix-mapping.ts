// What mmap and its kin return: a Mapping like all others.
import { holdersOf } from '../faults'
import { Mapping, openedWith } from '../mapping'
import { native } from '../native'
import { ANONYMOUS_MEMORY, MAPPED_FILE } from '../sharing'

import type { NativeMapping } from '../../binding'
import type { Core, Origin } from '../core'
import type { Access } from '../types'

class PosixMapping extends Mapping {
  private constructor(core: unknown) {
    super(core)
  }

  static of(core: Core): PosixMapping {
    return new PosixMapping(core)
  }
}

/** What the core of such a mapping is made from. In another thread, `Mapping.from` makes one of the ordinary classes of it. */
export function originOf(access: Access, isPrivate: boolean, hasFile: boolean, path?: string | Buffer): Origin {
  return {
    access,
    isPrivate,
    path,
    sharedArrayBuffer: false,
    label: hasFile ? MAPPED_FILE : ANONYMOUS_MEMORY,
    staysPut: true,
  }
}

/** Wraps what the native side mapped. */
export function mappingOf(memory: NativeMapping, origin: Origin): Mapping<ArrayBuffer> {
  return openedWith(memory, origin, (core) => PosixMapping.of(core) as Mapping as Mapping<ArrayBuffer>)
}

/** Closes the mappings of this thread that stand on these memories. */
export function closeAll(ids: Iterable<number>): void {
  for (const id of ids) for (const core of holdersOf(id)) core.close()
}

/** munmap(2) of a range: what it covers as a whole is closed, views and all. */
export function unmap(address: bigint, length: bigint): void {
  const whole = native.posixUnmap(address, length, false)
  // Mappings of other threads are closed by their threads: here only their pages go. First, as what is closed is nobody's any more (EINVAL).
  if (whole.some((id) => holdersOf(id).length === 0)) native.posixUnmap(address, length, true)
  closeAll(whole)
}
