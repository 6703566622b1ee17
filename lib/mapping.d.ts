import { Buffer } from 'node:buffer';
import { Checked } from './checked';
import type { Access, Feature, FlushOptions, MappingFault, ViewConstructor, ViewOf } from './types';
/** Memory that is mapped: a file's, or nobody's. Instances come from `MappedFile` and `AnonymousMemory`. `B` is the buffer that its views stand on. */
export declare abstract class Mapping<B extends ArrayBufferLike = ArrayBufferLike> extends Checked {
    /** The system's page, in bytes. */
    static readonly pageSize: number;
    /** What file offsets of the system's own mappings are multiples of, in bytes. `offset` need not be. */
    static readonly allocationGranularity: number;
    /**
     * Whether this system, engine and version have a feature.
     *
     * @throws `ERR_INVALID_ARG_VALUE` for a feature that no version has.
     */
    static isSupported(feature: Feature): boolean;
    protected constructor(core: unknown);
    /** In bytes; 0 after `close()`. */
    get byteLength(): number;
    /** Position in the file of the mapping's first byte. */
    get fileOffset(): number;
    /** What stores do: `'read'`, `'write'` or `'copy'`. */
    get access(): Access;
    /** The file as it was given to `open` (a `file:` URL as its path); `undefined` for descriptors and memory without a file. */
    get path(): string | Buffer | undefined;
    /** The mapping's own descriptor of the file, which `close()` closes; `undefined` then, and where there is none. */
    get fd(): number | undefined;
    /** Of the mapping's first byte in this process; 0n after `close()` and for an empty mapping. */
    get address(): bigint;
    /** Of this mapping, in bytes. */
    get pageSize(): number;
    /** Whether `close()` was called. */
    get closed(): boolean;
    /** Whether its bytes are the file's pages, not a private copy that was read (`ifUnsafe: 'copy'`). */
    get mapped(): boolean;
    /** What views stand on: `'none'` where the engine allows none, and after `close()`. */
    get carrier(): 'external' | 'shared' | 'wasm' | 'resizable' | 'none';
    /** What happened to the memory since it was mapped or `clearFault()` was called, or `null`. */
    get fault(): MappingFault | null;
    /**
     * The one line to write after reading through views, which show zeros where the file is gone.
     *
     * @throws `ERR_MAPPING_FAULT` if the bytes cannot be trusted; a `'protected'` fault loses none.
     */
    throwIfFaulted(): void;
    /** Maps the file's pages again where a fault had replaced them. */
    clearFault(): void;
    /** The file's length now, in bytes; the mapping's own where there is no file. */
    size(): number;
    /**
     * A Buffer over the whole mapping, no copy; always the same one. `byteOffset` in its ArrayBuffer need not be 0.
     *
     * @throws `ERR_BUFFER_TOO_LARGE` where the engine cannot address so much at once: use `subarray`.
     */
    get bytes(): Buffer<B>;
    /** A Buffer over the bytes from `begin` (default 0) to `end` (default: the end), no copy. Negative counts from the end; both are clamped. */
    subarray(begin?: number, end?: number): Buffer<B>;
    /**
     * A typed array over the mapping, no copy.
     *
     * @param byteOffset default 0. The memory address must be a multiple of the element size: `offset % pageSize + byteOffset` must be.
     * @param length in elements; default: to the end of the mapping, whose bytes must be a whole number of elements.
     * @throws RangeError for a misaligned offset, part of an element, or more than the mapping has.
     * @example index.view(BigUint64Array, 64, 1000)
     */
    view<C extends ViewConstructor>(Ctor: C, byteOffset?: number, length?: number): ViewOf<C, B>;
    /** A DataView over the mapping, no copy. `byteOffset` defaults to 0, `byteLength` to everything behind it. */
    dataView(byteOffset?: number, byteLength?: number): DataView<B>;
    /**
     * Makes what was stored durable, as fsync does; the default range is the whole mapping. Nothing to do where stores are private.
     *
     * @throws `EACCES` on a `'read'` mapping, `ERR_MAPPING_FAULT` after a fault, `ERR_INVALID_STATE` if the mapping is closed meanwhile.
     */
    flush(options?: FlushOptions): Promise<void>;
    /** The twin of {@link flush} that waits. */
    flushSync(options?: FlushOptions): void;
    /**
     * Unmaps; every view becomes length 0, every method throws `ERR_INVALID_STATE` from now on. A second call does nothing.
     * What was stored in a `'write'` mapping reaches the file, as all of a process's writes do; `flush` first to know when it is durable.
     */
    close(): void;
    /** For `using`: {@link close}. A view that is returned out of a `using` block has length 0. */
    [Symbol.dispose](): void;
}
