import type { NativeJobs } from '../binding';
import type { Core } from './core';
import type { Task } from './types';
type Result = number | Float64Array | undefined;
/** What a job reports of a larger whole: `base` bytes were done before it, `total` is everything. */
export interface Share {
    readonly base: number;
    readonly total: number;
    /** It ends at the first thing it finds. */
    readonly first?: boolean;
}
/**
 * Starts a job on threads of ours and waits for it. Rejects with an `AbortError` as soon as the signal says so, and with `ERR_INVALID_STATE`
 * as soon as the mapping is closed; the native side stops after its current slice.
 */
export declare function run(core: Core, task: Task, share: Share, start: (jobs: NativeJobs, progress: boolean) => number): Promise<Result>;
/** Checks the part of an options object that all long work takes. */
export declare function taskOf(given: Record<string, unknown>): Task;
export {};
