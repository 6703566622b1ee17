import type { Holder } from './budget';
import type { Core } from './core';
/** A getter outside of the window: the bytes at `position` as the first of the view that returns. */
export declare function load(core: Core, position: number, size: number): DataView;
/** A setter outside of the window: checks everything; the value goes into the view that returns, and then `store` does it. */
export declare function prepare(core: Core, position: number, size: number): DataView;
/** After `prepare`. */
export declare function store(core: Core, position: number, size: number): void;
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
