// What mmap and its kin return: a Mapping like all others.
import { Core } from '../core.js'
import { holdersOf } from '../faults.js'
import { Mapping } from '../mapping.js'

import type { NativeMapping } from '../../binding.js'
import type { Access } from '../types.js'

class PosixMapping extends Mapping {
  constructor(core: Core) {
    super(core)
  }
}

/** Wraps what the native side mapped. */
export function mappingOf(native: NativeMapping, access: Access, isPrivate: boolean, path?: string | Buffer): Mapping {
  return new PosixMapping(new Core(native, { access, isPrivate, path }))
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
