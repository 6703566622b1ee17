import { Buffer } from 'node:buffer';
import { stateOf } from './accessors';
import { Core } from './core';
import { Sequential } from './sequential';
import type { NativeMapping } from '../binding';
import type { CarrierKind } from './carriers';
import type { Origin } from './core';
import type { Access, Advice, ByteRange, Feature, FlushOptions, MappingFault, MappingHandle, Opt, Protection, Residency, ViewConstructor, ViewOf, WaitOptions, WaitResult } from './types';
/**
 * Memory that is mapped: a file's, one that processes share, or nobody's. Instances come from `MappedFile`, `AnonymousMemory`, `SharedMemory`,
 * `memmap/posix` and `memmap/wasm`. `B` is the buffer that its views stand on.
 */
export declare abstract class Mapping<B extends ArrayBufferLike = ArrayBufferLike> extends Sequential<B> {
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
    /**
     * Another mapping of the memory behind a handle: the same pages, no copy. Each is closed on its own; the memory goes with the last.
     *
     * @throws `ERR_INVALID_STATE` for a handle of another process, and where no mapping of the memory is open any more.
     * @example
     * worker.postMessage(mapping.share()) // in the worker: Mapping.from(message)
     */
    static from(handle: MappingHandle): Mapping;
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
    /** Of the mapping's first byte in this process; 0n after `close()`, for an empty mapping, and where the engine has moved the memory away. */
    get address(): bigint;
    /** Of this mapping, in bytes. */
    get pageSize(): number;
    /** Whether `close()` was called. */
    get closed(): boolean;
    /** Whether its bytes are the file's pages, not a private copy that was read (`ifUnsafe: 'copy'`). */
    get mapped(): boolean;
    /** What views stand on: `'none'` where the engine allows none, and after `close()`. */
    get carrier(): CarrierKind;
    /** What happened to the memory since it was mapped or `clearFault()` was called, or `null`. */
    get fault(): MappingFault | null;
    /**
     * The one line to write after reading through views, which show zeros where the file is gone.
     *
     * @throws `ERR_MAPPING_FAULT` if the bytes cannot be trusted; a `'protected'` fault loses none. `ERR_INVALID_STATE` after `close()`, which
     *   has made the views empty, unless there was a fault.
     */
    throwIfFaulted(): void;
    /**
     * Maps the file's pages again where a fault had replaced them.
     *
     * @throws `ENOTSUP` of shared memory that no descriptor leads to (System V, `MAP_SHARED | MAP_ANONYMOUS`): attach it again.
     *   `ERR_MAPPING_FAULT` where the engine moved the memory (`'moved'`): close it and map again.
     */
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
     * Sleeps until another thread or process calls `notify` for the 32-bit word at `byteOffset`: Atomics.wait across processes.
     * `'not-equal'` if the word is not `expected` at the call, signed or unsigned; `'ok'` may come early. Blocks the event loop.
     *
     * Waiters and notifiers of a shared file meet whichever mapping they use; those of a `'copy'` mapping only on that mapping.
     *
     * @param byteOffset the memory address must be a multiple of 4
     * @param timeoutMs in milliseconds; default: for ever
     * @throws `ENOTSUP` where `Mapping.isSupported('wait')` is false
     */
    wait(byteOffset: number, expected: number, timeoutMs?: number): WaitResult;
    /**
     * The same without blocking. With a `timeoutMs` it keeps the process alive, as a timer does; without one the process may end while it
     * waits. `close()` rejects it with `ERR_INVALID_STATE`, an aborted signal with an `AbortError` (`ABORT_ERR`).
     *
     * @example while (state.getInt32(0, true) === seen) await state.waitAsync(0, seen)
     */
    waitAsync(byteOffset: number, expected: number, options?: WaitOptions): Promise<WaitResult>;
    /** Wakes up to `count` (default: all) waiters of the word, in this process and others, and returns how many there were. Store the new value first. */
    notify(byteOffset: number, count?: number): number;
    /**
     * Tells the system what the pages will be used for: a hint that loses nothing. See madvise(2).
     *
     * @throws `ENOTSUP` for an advice that this system does not know: `Mapping.isSupported(advice)` tells.
     */
    advise(advice: Advice, range?: ByteRange): void;
    /**
     * Drops contents: a hole in a `'write'` file or in shared memory, zeros in anonymous memory, the file's own bytes again in a `'copy'`.
     * Exact to the byte; whole pages are given back to the system.
     *
     * @throws `EACCES` on a `'read'` mapping, `ENOTSUP` where the file system has no holes.
     */
    discard(range: ByteRange): void;
    /**
     * Keeps the pages of a range in memory, mlock(2); private pages that were not written are not copied for it.
     *
     * @throws `ENOMEM`, `EPERM` or `EAGAIN` where the process may not lock so much (`ulimit -l`).
     */
    lock(range?: ByteRange): void;
    /** Takes a lock back, munlock(2). */
    unlock(range?: ByteRange): void;
    /**
     * Changes what the pages that a range touches may be used for, mprotect(2): `'exec'` is read and execute, never write and execute.
     * Checked methods throw `EACCES` for what is forbidden, those of all mappings that share the memory; through views it is a `'protected'` fault.
     * `'write'` first does what `clearFault()` does after such a fault, so that what is stored from then on reaches the file.
     *
     * @throws `EACCES` for `'write'` on a `'read'` mapping, and for `'exec'` on a file system mounted noexec. `ENOTSUP` for `'write'` after such a
     *   fault in shared memory that no descriptor leads to (System V): attach it again.
     */
    protect(protection: Protection, range?: ByteRange): void;
    /** Which pages of a range are in memory, mincore(2). */
    residency(range?: ByteRange): Residency;
    /**
     * Gives the mapping another length. A `'write'` file is extended (allocated, unless `sparse`) or truncated with it, but never cut where it
     * went on behind the mapping; a `'read'` mapping shows more or less of its file: without argument, its present size.
     *
     * Old views become length 0, unless the mapping was opened with a `capacity` that the new length does not pass: then they stay valid.
     *
     * @param options `mayMove` (default `true`): `false` throws `ENOMEM` instead of moving.
     * @throws `EBUSY` while an operation is pending, the mapping is shared, or the engine carries it (`carrier` is not `'external'` and views
     * were made); `ENOTSUP` on a `'copy'`, on what was read instead of mapped (`ifUnsafe`), on character devices, on what `memmap/posix` made and,
     * on Windows, on shared memory; `ERR_OUT_OF_RANGE` for more than the file of a `'read'` mapping has; `EPERM` where a seal forbids it. These,
     * `ENOSPC` and all else leave file and mapping as they were.
     */
    resize(length?: number, options?: Opt<{
        mayMove: boolean;
    }>): void;
    /** A handle by which another thread of this process maps the same memory: `Mapping.from`. Keep this mapping open until it has. */
    share(): MappingHandle;
    /**
     * Unmaps; every view becomes length 0, every method throws `ERR_INVALID_STATE` from now on. A second call does nothing.
     * What was stored in a `'write'` mapping reaches the file, as all of a process's writes do; `flush` first to know when it is durable.
     */
    close(): void;
    /** For `using`: {@link close}. A view that is returned out of a `using` block has length 0. */
    [Symbol.dispose](): void;
}
/** For the subclasses. */
export { stateOf as coreOf };
/** Makes a mapping of the class that a handle came from; each class enters itself. */
export declare const adopters: Record<number, (core: Core, name: string | undefined) => Mapping>;
/** The facade of what the native side has opened. Where that fails, all is closed again, with what it has come to stand on. */
export declare function openedWith<T>(mapping: NativeMapping, origin: Origin, make: (core: Core) => T): T;
