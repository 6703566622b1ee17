import { Buffer } from 'node:buffer';
import type { Holder } from './budget';
import type { Core } from './core';
/** Node 20 and Bun end at 4 GiB. */
export declare const MAX_LENGTH: number;
/**
 * The buffers that windows for users are cut from. Positions count from the page-aligned base of the mapping.
 *
 * A buffer per window costs 5 us and a C++ object, so windows that lie close together share chunks. Chunk `k` begins at `k * size / 2` and
 * is `size` long: a window of up to half a chunk always lies in one. Chunks grow while they are well used, and vanish when access is
 * random: then each window has the pages it needs and no more, as V8 counts every exported byte as memory that a GC might free.
 */
export declare class Windows implements Holder {
    #private;
    /** Which byte of the mapping is the first of the buffer that `at` returned. */
    origin: number;
    constructor(core: Core);
    /** One buffer over everything, kept until `close()`. */
    whole(): Buffer;
    /** A buffer that has `length` (> 0) bytes from `start` on, at `start - this.origin`. */
    at(start: number, length: number): ArrayBufferLike;
    /** A chunk that others need the room of. Views may stand on it: it is only forgotten. */
    drop(key: number): void;
    /** The mapping was closed. */
    clear(): void;
}
/** What a view of nothing stands on: of the kind that others stand on. */
export declare function emptyBuffer(core: Core): ArrayBufferLike;
