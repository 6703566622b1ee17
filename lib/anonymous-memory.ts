import { chooseCarrier, isOverlay } from './carriers'
import { Mapping, adopters, openedWith } from './mapping'
import { native } from './native'
import { memoryRequest } from './options'
import { ANONYMOUS_MEMORY } from './sharing'
import { checkInteger } from './validate'

import type { MemoryOptions, NoSab, Sab } from './types'

/** Private memory without a file, zero-filled: given back to the system at `close()`, not when a collector comes round. */
export class AnonymousMemory<B extends ArrayBufferLike = ArrayBufferLike> extends Mapping<B> {
  private constructor(core: unknown) {
    super(core)
  }

  /**
   * Maps `length` bytes of zeros; 0 makes an empty mapping. The system provides pages when they are first stored to.
   *
   * @throws `ENOMEM` when the address space does not have so much.
   */
  static create(length: number, options: MemoryOptions & Sab): AnonymousMemory<SharedArrayBuffer>
  static create(length: number, options?: MemoryOptions & NoSab): AnonymousMemory<ArrayBuffer>
  static create(length: number, options?: MemoryOptions): AnonymousMemory
  static create(length: number, options?: MemoryOptions): AnonymousMemory {
    checkInteger(length, 'length')
    const { flags, sharedArrayBuffer } = memoryRequest(options)
    // What is to be on a carrier must be in two places: nameless shared memory is private, too, while nobody is told of it.
    const carried = isOverlay(chooseCarrier(sharedArrayBuffer)) && flags === 0
    const memory = carried
      ? native.NativeMapping.sharedNameless(length, [])
      : native.NativeMapping.anonymous(length, flags)
    return openedWith(
      memory,
      { access: 'write', path: undefined, isPrivate: !carried, sharedArrayBuffer, label: ANONYMOUS_MEMORY },
      (core) => new AnonymousMemory(core),
    )
  }

  /** Nobody else can open it by a descriptor. */
  override get fd(): undefined {
    return undefined
  }

  static {
    adopters[ANONYMOUS_MEMORY] = (core) => new AnonymousMemory(core)
  }
}
