import type { Buffer } from 'node:buffer';
import type { FileHandle } from 'node:fs/promises';
/** Properties that may be absent or `undefined`: friendly to `exactOptionalPropertyTypes`. */
export type Opt<T> = {
    [K in keyof T]?: T[K] | undefined;
};
/** `'read'`: stores never reach the file; `'write'`: shared with the file; `'copy'`: private, stores are kept and never reach the file. */
export type Access = 'read' | 'write' | 'copy';
/** Any memory of JavaScript. */
export type Bytes = NodeJS.ArrayBufferView | ArrayBufferLike;
/** What `fill` repeats and searches look for: text (UTF-8), one byte, or bytes. */
export type Needle = string | number | Uint8Array;
/** A range of a mapping, in bytes. `offset` defaults to 0, `length` to everything behind it. */
export type ByteRange = Opt<{
    offset: number;
    length: number;
}>;
/** What long work takes. */
export type Task = Opt<{
    /** Ends it: the Promise rejects with an `AbortError`. */
    signal: AbortSignal;
    /** Called at most every 16 ms, with bytes; the last time with `done === total`, if all of them were seen. */
    onProgress: (progress: {
        done: number;
        total: number;
    }) => void;
}>;
/** Options of `load`. */
export type LoadOptions = ByteRange & Task;
/** Options of `indexOfAsync`, `countAsync` and `indexesOf`. */
export type SearchOptions = ByteRange & Task & Opt<{
    /** On how many threads at most. More than two rarely help: one is nearly as fast as memory. Default 1. */
    threads: number;
}>;
/** Options of `lastLines`. */
export type LineOptions = Opt<{
    /** Default `'utf8'`. */
    encoding: 'utf8' | 'latin1';
}>;
/** Options of `lines`. Each iteration is a task: `for ... of` looks at the signal and reports from block to block (64 KiB). */
export type LinesOptions = ByteRange & LineOptions & Task;
/** Options of `chunks`. */
export type ChunkOptions = ByteRange & Opt<{
    /** Of each chunk but the last, in bytes. Default 1 MiB. */
    size: number;
    signal: AbortSignal;
}>;
/** Options of `createReadStream`. */
export type ReadStreamOptions = ByteRange & Opt<{
    highWaterMark: number;
    signal: AbortSignal;
}>;
/** A position in a mapping that reads and writes move: what `cursor()` returns. */
export interface Cursor {
    /** Copies up to `length` bytes (default: all that are left); short at the end, as a file's read. */
    read(length?: number): Buffer<ArrayBuffer>;
    /** @throws `ERR_OUT_OF_RANGE` at the end. */
    readByte(): number;
    /** A copy up to the next newline, which is part of it; empty at the end. */
    readLine(): Buffer<ArrayBuffer>;
    /** Copies all of `data` (text as UTF-8), or, when it does not fit, nothing; returns the number of bytes. */
    write(data: string | Bytes): number;
    writeByte(value: number): void;
    /** Moves to `offset` bytes from the beginning (`'set'`, default), from here or from the end, inside of the mapping; returns the position. */
    seek(offset: number, whence?: 'set' | 'cur' | 'end'): number;
    tell(): number;
    /** The file's length now, which can be other than the mapping's. */
    size(): number;
}
/** What a mapping will be used for. */
export type Advice = 'normal' | 'random' | 'sequential' | 'willneed' | 'cold' | 'pageout' | 'hugepage' | 'nohugepage' | 'dontdump' | 'dodump' | 'dontfork' | 'dofork' | 'mergeable' | 'unmergeable';
/** What pages may be used for: nothing, loads, loads and stores, loads and execution. */
export type Protection = 'none' | 'read' | 'write' | 'exec';
/** A right that is taken away from everybody for ever: `F_ADD_SEALS` of fcntl(2). */
export type Seal = 'shrink' | 'grow' | 'write' | 'futureWrite' | 'seal';
/** Plain data by which another thread of this process finds the memory; keeps nothing open. */
export interface MappingHandle {
    readonly memmap: 1;
    readonly id: string;
    readonly pid: number;
}
/** What `residency` says. */
export interface Residency {
    /** In bytes. */
    readonly pageSize: number;
    /** Pages that the range touches. */
    readonly pages: number;
    /** How many of them are in memory. */
    readonly resident: number;
    /** One bit a page, lowest bit of the first byte first. */
    readonly bitmap: Uint8Array<ArrayBuffer>;
    /** `false` where the system hides the truth from this process: Linux tells those who may not write a file that all of it is resident. */
    readonly exact: boolean;
}
/** Options of `SharedMemory.create`. */
export type ShmCreate = Opt<{
    /** Permissions of the object, less the umask. Default 0o600. */
    mode: number;
    /** It must not be there yet. Default `true`. */
    exclusive: boolean;
    /** Views stand on a SharedArrayBuffer, for workers and `Atomics`: after `close()` they read zeros, as it cannot be detached. Default `false`. */
    sharedArrayBuffer: boolean;
}>;
/** Options of `SharedMemory.open`. */
export type ShmOpen = Opt<{
    /** Default `'read'`. */
    access: 'read' | 'write';
    /** Views stand on a SharedArrayBuffer, for workers and `Atomics`: after `close()` they read zeros, as it cannot be detached. Default `false`. */
    sharedArrayBuffer: boolean;
}>;
/** What {@link Mapping.isSupported} can be asked about: whether this system, engine and version have it. */
export type Feature = 
/** `bytes`, `subarray`, `view`, `dataView`; else they throw `ERR_VIEWS_UNAVAILABLE`. */
'views'
/** The option `sharedArrayBuffer`. */
 | 'sharedArrayBuffer'
/** Faults are survived and reported; not with `MEMMAP_FAULT_GUARD=0`. */
 | 'faultGuard'
/** `wait`, `waitAsync` and `notify`, across processes. */
 | 'wait'
/** `SharedMemory.anonymous` with a descriptor, which a child can inherit. */
 | 'memfd'
/** `SharedMemory.seal`, and the option `seal` of `SharedMemory.anonymous`. */
 | 'seal'
/** `SharedMemory` by name: `create`, `open`, `unlink`. On Windows that is a named section. */
 | 'posixShm'
/** `SysvSharedMemory` of `memmap/posix`, `shmget` and its kin. */
 | 'sysvShm'
/** The option `hugePages`: the kernel has them, though their pool may be empty. */
 | 'hugePages'
/** `residency`. */
 | 'residency'
/** `lock`, `unlock` and the option `lock`, within the limits of the process. */
 | 'lock'
/** The option `capacity`, within which `resize` leaves views valid. */
 | 'resizeInPlace'
/** `mapInto` of `memmap/wasm`. */
 | 'wasm'
/** `advise` with this advice. */
 | Advice;
/** What happened to the memory of a mapping, and at which byte of it. */
export interface MappingFault {
    /**
     * `'truncated'`: the file became shorter, zeros from its end on; `'io'`, `'nospace'`: zeros in that page;
     * `'protected'`: a store to a read-only page, which is a private copy from then on; `'moved'`: the engine moved the memory.
     */
    readonly kind: 'truncated' | 'io' | 'nospace' | 'protected' | 'moved';
    /** In bytes from the mapping's first byte. */
    readonly offset: number;
}
/** What is published on the diagnostics channel `memmap:fault`. */
export interface FaultMessage extends MappingFault {
    /** The {@link Mapping} that faulted. */
    readonly mapping: object;
    /** Its file, as it was given to `open`. */
    readonly path: string | Buffer | undefined;
}
interface Kinds<B extends ArrayBufferLike> {
    Int8Array: Int8Array<B>;
    Uint8Array: Uint8Array<B>;
    Uint8ClampedArray: Uint8ClampedArray<B>;
    Int16Array: Int16Array<B>;
    Uint16Array: Uint16Array<B>;
    Int32Array: Int32Array<B>;
    Uint32Array: Uint32Array<B>;
    Float32Array: Float32Array<B>;
    Float64Array: Float64Array<B>;
    BigInt64Array: BigInt64Array<B>;
    BigUint64Array: BigUint64Array<B>;
}
/** A typed array constructor or a subclass of one. */
export interface ViewConstructor {
    new (buffer: any, byteOffset?: number, length?: number): ArrayBufferView & {
        readonly [Symbol.toStringTag]: string;
    };
    readonly BYTES_PER_ELEMENT: number;
}
/** The view that a constructor makes. The plain constructors follow the mapping's buffer type; subclasses and Float16Array keep their own. */
export type ViewOf<C extends ViewConstructor, B extends ArrayBufferLike> = InstanceType<C> extends {
    readonly [Symbol.toStringTag]: infer K;
} ? K extends keyof Kinds<B> ? Kinds<ArrayBuffer>[K] extends InstanceType<C> ? Kinds<B>[K] : InstanceType<C> : InstanceType<C> : never;
type OpenCommon = Opt<{
    /** First byte of the file to map; any byte, not only a page's first. Default 0. */
    offset: number | bigint;
    /** How many bytes to map. Default: to the end of the file. 0 makes an empty mapping. */
    length: number | bigint;
    /** Map for execution, too (`PROT_EXEC`); with `access: 'read'` only. Default `false`. */
    exec: boolean;
    /** Bring all pages in before `open` returns; private ones are not copied for it. Default `false`. */
    populate: boolean;
    /** Reserve no swap space (`MAP_NORESERVE`): memory that is not there is missed at the first store. Default `false`. */
    noReserve: boolean;
    /** Keep the pages in memory, as `lock()` does. Default `false`. */
    lock: boolean;
    /** Insist on huge pages: `ENOMEM` when the pool is empty, `ENOTSUP` for a file that is not on a hugetlbfs. Default `false`. */
    hugePages: boolean;
    /** Advice for the whole mapping, as `advise()` gives it. */
    advice: Advice;
    /**
     * Where the file can vanish under a mapping (network, FUSE, removable disk): map it all the same (`'map'`, the default), read a private
     * copy (`'copy'`), or throw `ENOTSUP` (`'throw'`). Of a copy `mapped` is `false`; `length` is at most free memory (where the system tells
     * it: Linux, Windows) and `buffer.constants.MAX_LENGTH`, else `ERR_FS_FILE_TOO_LARGE`; with `access: 'write'` it is
     * `ERR_INVALID_ARG_VALUE`.
     */
    ifUnsafe: 'map' | 'copy' | 'throw';
    /** Views stand on a SharedArrayBuffer, for workers and `Atomics`: after `close()` they read zeros, as it cannot be detached. Default `false`. */
    sharedArrayBuffer: boolean;
}>;
type WriteOnly = Opt<{
    /** `true`: create the file when it is not there; `'exclusive'`: it must not be there (`EEXIST`, also for a descriptor). Default `false`. */
    create: boolean | 'exclusive';
    /** Permissions of a file that is created, as `node:fs` takes them: a number or an octal string. Default `0o666`, less the umask. */
    mode: number | string;
    /** Extend the file without allocating its blocks, which a full disk then refuses at the first store. Default `false`. */
    sparse: boolean;
    /**
     * Address space in bytes, at least `length`: `resize` up to it never moves the memory, so views stay valid. It costs no memory.
     * Default: none beyond the last page.
     */
    capacity: number | bigint;
}>;
/** Options of {@link MappedFile.open}. `create`, `mode`, `sparse` and `capacity` need `access: 'write'`. */
export type OpenOptions = (OpenCommon & {
    /** Default `'read'`. */
    access?: 'read' | 'copy' | undefined;
}) | (OpenCommon & {
    access: 'write';
} & WriteOnly);
/** Options of {@link AnonymousMemory.create}. */
export type MemoryOptions = Opt<{
    /** Views stand on a SharedArrayBuffer, for workers and `Atomics`: after `close()` they read zeros, as it cannot be detached. Default `false`. */
    sharedArrayBuffer: boolean;
    /** Insist on huge pages: `ENOMEM` when the pool is empty, `ENOTSUP` where the system has none. Default `false`. */
    hugePages: boolean;
    /** Reserve no swap space (`MAP_NORESERVE`): memory that is not there is missed at the first store. Default `false`. */
    noReserve: boolean;
}>;
/** How a `wait` ended; `'ok'` may come early, so look at the word again. */
export type WaitResult = 'ok' | 'not-equal' | 'timed-out';
/** Options of `waitAsync`. */
export type WaitOptions = Opt<{
    /** Milliseconds; default: for ever. */
    timeoutMs: number;
    /** Aborts the wait: it rejects with an `AbortError` (`ABORT_ERR`), whose `cause` is the signal's reason. */
    signal: AbortSignal;
}>;
/** Options of `flush` and `flushSync`. */
export type FlushOptions = ByteRange & Opt<{
    /** Wait until the bytes are durable. `false` only starts writing. Default `true`. */
    wait: boolean;
    /** Also make other mappings of the file read it again (`MS_INVALIDATE`). Default `false`. */
    invalidate: boolean;
}>;
/** Views stand on a SharedArrayBuffer. */
export type Sab = {
    sharedArrayBuffer: true;
};
/** Views stand on an ArrayBuffer. */
export type NoSab = {
    sharedArrayBuffer?: false | undefined;
};
/** What can be mapped: a path, a `file:` URL, an open FileHandle or a descriptor (both are duplicated: the caller's stays theirs). */
export type Target = string | Buffer | URL | FileHandle | number;
export {};
