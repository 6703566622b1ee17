import './mapped-file';
import { Mapping } from './mapping';
import type { OpenOptions, Opt, Target } from './types';
/** `WebAssembly.Memory`, as far as this needs it; declared here so that no DOM library is needed. */
export interface WebAssemblyMemory {
    readonly buffer: ArrayBufferLike;
    grow(pages: never): unknown;
}
/** Where in the memory: a multiple of 64 KiB below its length. Default: the memory grows, and the file lies in the fresh pages. */
export type MapIntoOptions = OpenOptions & Opt<{
    at: number | bigint;
}>;
/** A mapping that lies in a WebAssembly memory. */
export declare class WasmMapping<B extends ArrayBufferLike = ArrayBufferLike> extends Mapping<B> {
    /** Where the mapping's first byte is for the module, in bytes from the memory's start. */
    readonly at: number;
    /** Not for users: `mapInto` makes them. */
    constructor(core: unknown, at: number);
}
/**
 * Maps a file into the linear memory of a module. Positions of the mapping's methods count from the file's first byte; the module finds it
 * at `at`. Views derive from `memory.buffer` at each call: growing the memory makes old ones length 0. `close()` gives zero pages back.
 *
 * @throws `ENOTSUP` on Windows, Bun and 32-bit systems; `ERR_OUT_OF_RANGE` where the memory has no such place or `offset` is not a multiple
 * of the system's page; `ENOMEM` where the memory cannot grow; `ERR_INVALID_ARG_VALUE` where another mapping lies there; and what
 * `MappedFile.openSync` throws.
 * @example
 * const memory = new WebAssembly.Memory({ initial: 1, maximum: 65536 })
 * const file = mapInto(memory, 'model.bin')
 * try {
 *   instance.exports.scan(file.at, file.byteLength)
 * } finally {
 *   file.close()
 * }
 */
export declare function mapInto(memory: WebAssemblyMemory, target: Target, options?: MapIntoOptions): WasmMapping;
