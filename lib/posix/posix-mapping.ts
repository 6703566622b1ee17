// What mmap and its kin return: a Mapping like all others.
import { Core } from '../core'
import { holdersOf } from '../faults'
import { Mapping, openedWith } from '../mapping'
import { ANONYMOUS_MEMORY, MAPPED_FILE } from '../sharing'

import type { NativeMapping } from '../../binding'
import type { Origin } from '../core'
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
export function mappingOf(native: NativeMapping, origin: Origin): Mapping<ArrayBuffer> {
  return openedWith(native, () => PosixMapping.of(new Core(native, origin)) as Mapping as Mapping<ArrayBuffer>)
}

/** Closes the mappings of this thread that stand on these memories; `false`: some memory has none here. */
export function closeAll(ids: Iterable<number>): boolean {
  let all = true
  for (const id of ids) {
    const holders = holdersOf(id)
    if (holders.length === 0) all = false
    for (const core of holders) core.close()
  }
  return all
}
