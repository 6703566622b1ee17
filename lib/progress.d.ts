import type { Task } from './types';
/** At most one call of `onProgress` in this time, in milliseconds. */
export declare const PACE = 16;
/** What a `Task` asks of work that goes from one block to the next in JavaScript. */
export declare class Progress {
    #private;
    constructor(task: Task, total: number);
    /** Throws if nobody wants the result any more. */
    check(): void;
    /** So much is done, if it is time to say so. Of the end `finish` tells. */
    report(done: number): void;
    /** The last report, no sooner after the one before than promised. */
    finish(): Promise<void>;
    /** The same where nothing can be awaited. */
    finishSync(): void;
}
