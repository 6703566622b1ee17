import { native as binding } from './native'
import { recapture } from './errors'
import { LOCK } from './flags'
import { Mapping, adopters, openedWith } from './mapping'
import { MAPPED_FILE } from './sharing'
import { openRequest } from './options'
import { explained, nativeTarget } from './target'

import type { NativeMapping } from '../binding'
import type { NativeTarget } from './target'
import type { OpenRequest } from './options'
import type { NoSab, OpenOptions, Sab, Target } from './types'

/** A file as memory. */
export class MappedFile<B extends ArrayBufferLike = ArrayBufferLike> extends Mapping<B> {
  private constructor(core: unknown) {
    super(core)
  }

  static #of(native: NativeMapping, target: NativeTarget, request: OpenRequest): MappedFile {
    const path = typeof target === 'number' ? undefined : target
    const { access, sharedArrayBuffer, advice } = request
    const origin = { access, path, isPrivate: access === 'copy', sharedArrayBuffer, label: MAPPED_FILE }
    return openedWith(native, origin, (core) => {
      // Private pages have moved onto a carrier by now, and left the lock behind.
      if ((request.flags & LOCK) !== 0 && core.isCarried) native.lock(0, core.byteLength)
      if (advice !== undefined) native.advise(advice, 0, core.byteLength)
      return new MappedFile(core)
    })
  }

  static {
    adopters[MAPPED_FILE] = (core) => new MappedFile(core)
  }

  /**
   * Maps a file: read-only and whole unless the options say otherwise. Empty files make empty mappings.
   *
   * System errors are Node's (`ENOENT`, `EACCES`, `EISDIR`, `ENODEV` for pipes and sockets, `ENOSPC` before anything is mapped); a range
   * that the file does not have is `ERR_OUT_OF_RANGE` unless `access: 'write'` extends it.
   *
   * @example
   * const index = await MappedFile.open('big.idx')
   * try {
   *   index.getUint32(12, true)
   * } finally {
   *   index.close()
   * }
   */
  static open(target: Target, options: OpenOptions & Sab): Promise<MappedFile<SharedArrayBuffer>>
  static open(target: Target, options?: OpenOptions & NoSab): Promise<MappedFile<ArrayBuffer>>
  static open(target: Target, options?: OpenOptions): Promise<MappedFile>
  static async open(target: Target, options?: OpenOptions): Promise<MappedFile> {
    const path = nativeTarget(target)
    const request = openRequest(options)
    let native: NativeMapping
    try {
      native = await binding.NativeMapping.open(
        path,
        request.flags,
        request.offset,
        request.length,
        request.mode,
        request.capacity,
      )
    } catch (error) {
      throw recapture(explained(error, path))
    }
    return MappedFile.#of(native, path, request)
  }

  /** The twin of {@link open} that waits. */
  static openSync(target: Target, options: OpenOptions & Sab): MappedFile<SharedArrayBuffer>
  static openSync(target: Target, options?: OpenOptions & NoSab): MappedFile<ArrayBuffer>
  static openSync(target: Target, options?: OpenOptions): MappedFile
  static openSync(target: Target, options?: OpenOptions): MappedFile {
    const path = nativeTarget(target)
    const request = openRequest(options)
    let native: NativeMapping
    try {
      native = binding.NativeMapping.openSync(
        path,
        request.flags,
        request.offset,
        request.length,
        request.mode,
        request.capacity,
      )
    } catch (error) {
      throw explained(error, path)
    }
    return MappedFile.#of(native, path, request)
  }
}
