import { Core } from './core'
import { Mapping } from './mapping'
import { native } from './native'
import { checkMemoryOptions } from './options'
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
    checkMemoryOptions(options)
    const memory = native.NativeMapping.anonymous(length, 0)
    return new AnonymousMemory(new Core(memory, { access: 'write', path: undefined, isPrivate: true }))
  }
}
