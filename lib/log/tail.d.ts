import type { LogRecord, Reader } from './reader';
/** What `tail` needs of its log. */
export interface Tailed {
    readonly directory: string;
    readonly reader: Reader;
    /** To be called when the log is closed. */
    readonly tails: Set<() => void>;
    isClosed(): boolean;
}
/** Records from a position on, as they come, until the log is closed or the signal aborts. */
export declare function tail(log: Tailed, from: number, signal: AbortSignal | undefined): AsyncIterableIterator<LogRecord, void>;
