import type { Holder } from './budget';
import type { Core } from './core';
/** So many accesses of one neighbourhood go through the native side before a buffer (5 us) is made there. */
export declare const PATIENCE = 8;
/**
 * The accessors' own buffers. No user ever sees one, so nobody can transfer it under the accessors' feet, and a window that others need
 * the room of is detached at once: V8 gets its bytes back without a GC.
 */
export declare class AccessorWindows implements Holder {
    #private;
    constructor(core: Core);
    /** An access at `at` (counted from the page-aligned base) found no window. */
    miss(at: number): void;
    /** Detaches a window. */
    drop(key: number): void;
    /** Whether a buffer of length 0 is one that `drop` detached. */
    wasDropped(buffer: ArrayBuffer): boolean;
    /** Lets all windows go: the mapping has another length, or protected pages. */
    reset(): void;
    /** The mapping was closed, which detached everything. */
    clear(): void;
    /** How many bytes have a window over everything. */
    get covered(): number;
}
