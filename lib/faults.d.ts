import type { Core } from './core';
import type { MappingFault } from './types';
/**
 * `epoch[0]` is counted up by the guard whenever any mapping of this process faults, before the access that faulted returns.
 * Its memory is never freed, as not every engine says when a worker ends (Deno); in V8's memory cage it is the engine's own, in a buffer of
 * its own: typed arrays of a few bytes live on the heap, where the collector moves them.
 */
export declare const epoch: Int32Array<ArrayBuffer>;
/** Somebody has displaced the guard's handlers more often than it has handlers. */
export declare function warnOfLoss(): void;
/** Publishes every fault since the last time, of all mappings of this thread. */
export declare function deliver(): void;
/** The open mappings of this thread that stand on a memory. */
export declare function holdersOf(id: number): Core[];
/** Asks the native side, and remembers the answer for after `close()`. */
export declare function currentFault(core: Core): MappingFault | null;
