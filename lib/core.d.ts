import { Protections } from './protections';
import type { AccessorWindows } from './accessor-windows';
import type { NativeMapping } from '../binding';
import type { Carrier, CarrierKind } from './carriers';
import type { Protection } from './types';
import type { Access, MappingFault } from './types';
import type { Windows } from './windows';
/** The window of a mapping that has none. */
export declare const NO_VIEW: DataView<ArrayBuffer>;
/** What only the opener knows. */
export interface Origin {
    readonly access: Access;
    readonly path: string | Buffer | undefined;
    /** Nothing that is stored ever reaches a file. */
    readonly isPrivate: boolean;
    readonly sharedArrayBuffer: boolean;
    /** Which class it is of: `lib/sharing.ts`. */
    readonly label: number;
    /** Whoever opens it brings its carrier with `use`. */
    readonly ownCarrier?: boolean;
    /** Its address is the caller's: private pages, which cannot be in two places, never move onto a carrier. */
    readonly staysPut?: boolean;
}
/**
 * The state behind a `Mapping`: plain fields for the parts of the facade, out of reach of users.
 *
 * Positions count from the user's first byte. Buffers count from the first byte of its page, `delta` bytes before.
 */
export declare class Core {
    #private;
    readonly native: NativeMapping;
    /** `seal` can narrow it, mprotect(2) widen it. */
    access: Access;
    readonly path: string | Buffer | undefined;
    readonly isPrivate: boolean;
    readonly sharedArrayBuffer: boolean;
    readonly label: number;
    byteLength: number;
    delta: number;
    fileOffset: number;
    fd: number | undefined;
    pageSize: number;
    mapped: boolean;
    /** Bytes of whole pages. */
    mapLength: number;
    /** Of the memory: mappings that share it have the same. */
    id: number;
    /** What views stand on, or will. */
    kind: CarrierKind;
    /** Asynchronous operations that are not settled. */
    pending: number;
    /** What may be done with pages that were protected, or are not the mapping's any more. */
    protections: Protections | undefined;
    /** The `Mapping`. */
    owner: object;
    closed: boolean;
    /** Work on other threads that somebody awaits: `close` ends it. */
    jobs: Set<{
        close(): void;
    }> | undefined;
    /** The accessors' window: `length` bytes from `start`, of which setters may use `writable`. */
    view: DataView;
    start: number;
    length: number;
    writable: number;
    /** Accesses that no window served yet. */
    misses: number;
    accessorWindows: AccessorWindows | undefined;
    windows: Windows | undefined;
    /** Tokens of the asynchronous waits in progress. */
    waits: Set<number> | undefined;
    /** `wait` and `notify` on the pages that this mapping has now; made when they are needed. */
    sleep: ((byteOffset: number, expected: number, milliseconds: number) => number) | undefined;
    wake: ((byteOffset: number, count: number) => number) | undefined;
    /** Bytes of all buffers ever made over this mapping. */
    exportedBytes: number;
    /** The user transferred a buffer of ours: its memory is in one that we don't know. */
    moved: boolean;
    /** The epoch at which this mapping was last known to be whole. */
    seen: number;
    /** The first fault was published. */
    announced: boolean;
    lastFault: MappingFault | null;
    constructor(native: NativeMapping, origin: Origin);
    /** Whoever shares the memory may have protected some of it, and others may have been mapped over a part. */
    learnRights(changes: number): void;
    /** Asks the native side what is new. */
    refresh(): void;
    /** Where the user's last byte ends, counted as buffers are. */
    get end(): number;
    /** The first line of every method that needs the memory. */
    checkOpen(): void;
    /** Whether it was opened for writing at all, whatever single pages allow. */
    checkAccess(syscall: string): void;
    /** Checked writers never store into a `'read'` mapping. */
    checkWritable(syscall: string, position?: number, length?: number): void;
    /** Checked readers never touch what `protect('none')` took away, nor what was mapped over the mapping. */
    checkReadable(position?: number, length?: number): void;
    /** Before and after each use of the memory. */
    checkFault(): void;
    /** Work on many bytes looks for faults itself: they are told as they are everywhere. */
    tell(error: unknown): unknown;
    /** Native work on many bytes. */
    look<T>(action: () => T): T;
    /**
     * Some mapping faulted, or its rights have changed. Throws if it was this one and its bytes cannot be trusted; a store to a protected page loses
     * nothing. True if its rights have changed: then what was read meanwhile is to be read again.
     */
    settle(): boolean;
    /** What the `fault` property says. */
    get fault(): MappingFault | null;
    clearFault(): void;
    /** A buffer over the pages from `start` on (counted from the page-aligned base). Only where `kind` is 'external'. */
    export(start: number, length: number): ArrayBuffer;
    /** The one buffer over everything, where `kind` is not 'external'. */
    whole(): ArrayBufferLike;
    /** The same for accessors, which can do without. */
    wholeIfAny(): ArrayBufferLike | undefined;
    /** Where in `whole()` the mapping's first page is. */
    get wholeAt(): number;
    /** A carrier of the user's. */
    use(carrier: Carrier): void;
    /** A carrier of the user's can come to lie elsewhere, and its buffer can be replaced: no window on it is kept. */
    get isMovable(): boolean;
    /** Whether the engine has moved the memory away. */
    get isMoved(): boolean;
    /** Whether the engine's own memory, or a SharedArrayBuffer, stands on these pages. */
    get isCarried(): boolean;
    /** Another length: see `Mapping.resize`. */
    resize(length: number, mayMove: boolean): void;
    /** After `protect`, with which there were so many changes: from now on every access asks first. */
    protect(kind: Protection, offset: number, length: number, changes: number): void;
    /** After `seal`, which may have taken the right to write away even if it failed. */
    learnAccess(): void;
    /** An asynchronous operation: nothing is resized under it, and what it finds after `close()` does not count. */
    whilePending<T>(operation: () => Promise<T>): Promise<T>;
    /** The file is taken away first, then every buffer that is still reachable becomes length 0. */
    close(): void;
}
