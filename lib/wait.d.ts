import type { Core } from './core';
import type { WaitOptions, WaitResult } from './types';
/** Called by `close()`, before the memory goes. */
export declare function abandonWaits(core: Core): void;
/** Sleeps in this thread until a `notify` of the same word, in slices: between two of them JavaScript runs, so that workers can be terminated. */
export declare function wait(core: Core, byteOffset: unknown, expected: unknown, timeoutMs: unknown): WaitResult;
/** The same on another thread. With a time limit it keeps the process alive as a timer does; without one the process may exit while it waits. */
export declare function waitAsync(core: Core, byteOffset: unknown, expected: unknown, options: WaitOptions | undefined): Promise<WaitResult>;
/** Wakes up to `count` waiters of the word, in any thread and process; returns how many there were. */
export declare function notify(core: Core, byteOffset: unknown, count: unknown): number;
