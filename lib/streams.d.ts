import type { Readable, Writable } from 'node:stream';
import type { Checked } from './checked';
import type { Core } from './core';
/** Views of a range, one after the other; each is in memory before it is handed out. */
export declare function chunksOf<T>(core: Core, options: unknown, view: (begin: number, end: number) => T): AsyncIterableIterator<T>;
/** Copies, not views: what is in flight in a pipeline keeps its bytes when the mapping is closed or the file changes. */
export declare function readStreamOf(mapping: Checked, options: unknown): Readable;
/** Each write is copied to the mapping whole, or, past the end, refused whole. */
export declare function writeStreamOf(mapping: Checked, options: unknown): Writable;
