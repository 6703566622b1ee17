import type { AccessorWindows } from './accessor-windows';
import type { NativeMapping } from '../binding';
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
}
/**
 * The state behind a `Mapping`: plain fields for the parts of the facade, out of reach of users.
 *
 * Positions count from the user's first byte. Buffers count from the first byte of its page, `delta` bytes before.
 */
export declare class Core {
    #private;
    readonly native: NativeMapping;
    readonly access: Access;
    readonly path: string | Buffer | undefined;
    readonly isPrivate: boolean;
    readonly byteLength: number;
    readonly delta: number;
    readonly fileOffset: number;
    readonly fd: number | undefined;
    readonly pageSize: number;
    readonly mapped: boolean;
    readonly id: number;
    /** The `Mapping`. */
    owner: object;
    closed: boolean;
    /** The accessors' window: `length` bytes from `start`, of which setters may use `writable`. */
    view: DataView;
    start: number;
    length: number;
    writable: number;
    /** Accesses that no window served yet. */
    misses: number;
    accessorWindows: AccessorWindows | undefined;
    windows: Windows | undefined;
    /** Bytes of all buffers ever made over this mapping. */
    exportedBytes: number;
    /** The engine refuses buffers over foreign memory. */
    refused: boolean;
    /** The user transferred a buffer of ours: its memory is in one that we don't know. */
    moved: boolean;
    /** The epoch at which this mapping was last known to be whole. */
    seen: number;
    /** How many faults were published. */
    faults: number;
    lastFault: MappingFault | null;
    constructor(native: NativeMapping, origin: Origin);
    /** Where the user's last byte ends, counted as buffers are. */
    get end(): number;
    /** The first line of every method that needs the memory. */
    checkOpen(): void;
    /** Checked writers never store into a `'read'` mapping. */
    checkWritable(syscall: string): void;
    /** Before and after each use of the memory. */
    checkFault(): void;
    /** Some mapping faulted. Throws if it was this one and its bytes cannot be trusted; a store to a protected page loses nothing. */
    settle(): void;
    /** What the `fault` property says. */
    get fault(): MappingFault | null;
    clearFault(): void;
    /** A buffer over the pages from `start` on (counted from the page-aligned base); `undefined` where the engine allows none. */
    tryExport(start: number, length: number): ArrayBuffer | undefined;
    /** As above, for those who cannot do without. */
    export(start: number, length: number): ArrayBuffer;
    /** The file is taken away first, then every buffer that is still reachable becomes length 0. */
    close(): void;
}
