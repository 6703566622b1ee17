import { Searching } from './searching';
import type { Buffer } from 'node:buffer';
import type { Readable, Writable } from 'node:stream';
import type { ByteRange, ChunkOptions, Cursor, LoadOptions, ReadStreamOptions } from './types';
/** Going through the mapping from one end to the other, and having it in memory before that. */
export declare abstract class Sequential<B extends ArrayBufferLike = ArrayBufferLike> extends Searching {
    abstract subarray(begin?: number, end?: number): Buffer<B>;
    /**
     * Reads a range into memory on another thread, so that touching it later waits for no disk.
     *
     * @throws `ERR_MAPPING_FAULT` where the file is shorter than the mapping; system errors as errors, `AbortError`, `ERR_INVALID_STATE` at `close()`.
     */
    load(options?: LoadOptions): Promise<void>;
    /** Takes the whole pages of a range out of memory, as far as the system likes to; changes are kept, and the bytes stay what they are. */
    evict(range?: ByteRange): void;
    /** A position that reads and writes move, as in a file; it begins at 0, and there can be many. */
    cursor(): Cursor;
    /**
     * Views of `size` bytes (default 1 MiB) over a range, one after the other, no copy. Each is loaded before it is handed out, and dropped from memory
     * when the next but one is asked for, if it was not there before: files larger than memory pass through.
     *
     * @example for await (const chunk of file.chunks()) hash.update(chunk)
     */
    chunks(options?: ChunkOptions): AsyncIterableIterator<Buffer<B>>;
    /** A Readable of copies of a range, loaded ahead on another thread. `highWaterMark` defaults to 64 KiB. */
    createReadStream(options?: ReadStreamOptions): Readable;
    /** A Writable that fills a range (default: the whole mapping) from its beginning. What does not fit is `ERR_OUT_OF_RANGE`. */
    createWriteStream(options?: ByteRange): Writable;
}
