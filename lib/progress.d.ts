import type { Task } from './types';
/** At most one call of `onProgress` in this time, in milliseconds. */
export declare const PACE = 16;
/** For work that goes on in this thread, block by block: whether it is still wanted, and how far it is. */
export declare class Progress {
    #private;
    constructor(task: Task, total: number);
    /** Throws an `AbortError` once the signal says so. */
    check(): void;
    /** So many bytes are done. What comes too soon after the report before it is left out. */
    tell(done: number): void;
    /** Everything is done: the last report is never left out, so it may have to wait. */
    finish(): Promise<void>;
}
