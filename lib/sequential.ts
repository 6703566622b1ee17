import { stateOf } from './accessors'
import { later } from './on-demand'
import { rangeOf, within } from './options'
import { Searching } from './searching'
import { optionsOf } from './validate'

import type { Buffer } from 'node:buffer'
import type { Readable, Writable } from 'node:stream'
import type { ByteRange, ChunkOptions, Cursor, LoadOptions, ReadStreamOptions } from './types'

/** Going through the mapping from one end to the other, and having it in memory before that. */
export abstract class Sequential<B extends ArrayBufferLike = ArrayBufferLike> extends Searching {
  abstract subarray(begin?: number, end?: number): Buffer<B>

  /**
   * Reads a range into memory on another thread, so that touching it later waits for no disk.
   *
   * @throws `ERR_MAPPING_FAULT` where the file is shorter than the mapping; system errors as errors, `AbortError`, `ERR_INVALID_STATE` at `close()`.
   */
  async load(options?: LoadOptions): Promise<void> {
    const core = stateOf(this)
    core.checkOpen()
    const given = options === undefined ? {} : optionsOf(options, ['offset', 'length', 'signal', 'onProgress'], 'load')
    const { offset, length } = within(given, core)
    const task = later().taskOf(given)
    core.checkReadable(offset, length)
    core.checkFault()
    await later().run(core, task, { base: 0, total: length }, (jobs, progress) =>
      jobs.startLoad(core.native, offset, length, progress),
    )
    core.checkFault()
  }

  /** Takes the whole pages of a range out of memory, as far as the system likes to; changes are kept, and the bytes stay what they are. */
  evict(range?: ByteRange): void {
    const core = stateOf(this)
    core.checkOpen()
    const { offset, length } = rangeOf(range, core, 'evict')
    if (length > 0) core.native.evict(offset, length)
  }

  /** A position that reads and writes move, as in a file; it begins at 0, and there can be many. */
  cursor(): Cursor {
    stateOf(this).checkOpen()
    return new (later().MappingCursor)(this)
  }

  /**
   * Views of `size` bytes (default 1 MiB) over a range, one after the other, no copy. Each is loaded before it is handed out, and dropped from memory
   * when the next but one is asked for, if it was not there before: files larger than memory pass through.
   *
   * @example for await (const chunk of file.chunks()) hash.update(chunk)
   */
  chunks(options?: ChunkOptions): AsyncIterableIterator<Buffer<B>> {
    return later().chunksOf(stateOf(this), options, (begin, end) => this.subarray(begin, end))
  }

  /** A Readable of copies of a range, loaded ahead on another thread. `highWaterMark` defaults to 64 KiB. */
  createReadStream(options?: ReadStreamOptions): Readable {
    return later().readStreamOf(this, options)
  }

  /** A Writable that fills a range (default: the whole mapping) from its beginning. What does not fit is `ERR_OUT_OF_RANGE`. */
  createWriteStream(options?: ByteRange): Writable {
    return later().writeStreamOf(this, options)
  }
}
