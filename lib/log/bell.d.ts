import type { Core } from '../core';
import type { Marks } from './format';
/** What readers sleep on: the file `bell`, because the log itself is read-only to them. */
export declare class Bell {
    #private;
    readonly core: Core;
    readonly words: Int32Array;
    private constructor();
    /** The writer makes the file; a reader only opens it, and gets `undefined` where it may not write it or the system has no such waits. */
    static open(directory: string, writer: boolean): Bell | undefined;
    /** Somebody sleeps: it arms again when it wants to sleep once more. */
    ring(): void;
    /** To be called before the last look at the log; gives what to pass to `sleep`. */
    arm(): number;
    /** Until it rings, or for `ms`: false then. */
    sleep(count: number, ms: number, signal: AbortSignal): Promise<boolean>;
    /** Notes how far the log has come. */
    mark(id: Buffer, marks: Marks): void;
    close(): void;
}
