import type { LogOptions } from './options';
import type { LogRecord } from './reader';
import type { LogRecovery } from './recovery';
import type { Bytes } from '../types';
/** Where a log lives. */
export type LogDirectory = string | URL;
/** Options of `tail`. */
export interface TailOptions {
    /** The position to begin at: 0 for the oldest record. Default: the end, so only what is appended from now on. */
    from?: number | bigint | undefined;
    /** Ends the iteration with an `AbortError` (`ABORT_ERR`), whose `cause` is the signal's reason. */
    signal?: AbortSignal | undefined;
}
/** What `stats` tells. */
export interface LogStats {
    /** How many files. */
    readonly segments: number;
    /** Their length together. */
    readonly bytes: number;
    /** The position from which on records are kept. */
    readonly start: number;
    /** The position of the next record, if it fits into the segment. */
    readonly end: number;
    /** Everything before this position is known to be on disk. */
    readonly durable: number;
}
/**
 * An append-only log of records in memory-mapped files. What `append` has returned for survives the death of the process, at the speed of memory;
 * after `flush` it survives that of the machine. One writer, any number of readers.
 *
 * @example
 * const log = MappedLog.openSync('app.log')
 * try {
 *   const position = log.append('started')
 *   log.read(position).toString() // 'started'
 *   await log.flush()
 * } finally {
 *   log.close()
 * }
 */
export declare class MappedLog implements Disposable {
    #private;
    private constructor();
    /**
     * Opens a log, and makes the directory where it is missing. Records are read and checked on another thread; locking, repairing and syncing
     * block. With `readOnly` nothing is made or locked.
     *
     * @throws `EBUSY` if another writer has it, `ENOENT` with `readOnly` if there is no such directory, `ENOSPC` if there is no room for the next
     *   file, `EEXIST` or `ENOTDIR` if something else has its name, `ERR_LOG_FORMAT` if the files are not a log's of this version and byte order:
     *   nothing is written then.
     */
    static open(directory: LogDirectory, options?: LogOptions): Promise<MappedLog>;
    /** The twin of {@link open} that waits for the records, too. */
    static openSync(directory: LogDirectory, options?: LogOptions): MappedLog;
    get closed(): boolean;
    /** The directory. */
    get path(): string;
    /** What opening found; with `readOnly` it is looked for at the first use, and nothing is changed. */
    get recovery(): LogRecovery;
    /**
     * Appends a record and returns its position. From then on it survives the death of this process. Never waits for the disk, except with `flush: 'always'`.
     *
     * @throws `ENOSPC` if the disk is full: the log is as it was, and `append` works again once there is room. `ERR_OUT_OF_RANGE` for a record longer
     *   than a segment has room for, `ERR_LOG_FAILED` after a failed flush, `ERR_INVALID_STATE` with `readOnly` and after `close()`.
     */
    append(data: string | Bytes): number;
    /**
     * Appends several records and returns their positions; with `flush: 'always'` there is one flush for all of them. A record that cannot be appended
     * is an error before the first one is; a disk that gets full in their midst leaves those before.
     */
    appendMany(records: Iterable<string | Bytes>): number[];
    /**
     * A copy of the record at a position.
     *
     * @throws `ERR_OUT_OF_RANGE` if there is none, `ERR_LOG_DAMAGED` if it was one.
     */
    read(position: number): Buffer<ArrayBuffer>;
    /** All records, oldest first, up to what is the end when the iteration gets there. Damage is skipped. */
    [Symbol.iterator](): IterableIterator<LogRecord>;
    /** The same, for `for await`. */
    [Symbol.asyncIterator](): AsyncIterableIterator<LogRecord>;
    /**
     * Records as they are appended, by this process or another; ends when the log is closed. Keeps the process alive.
     *
     * @throws `AbortError` (`ABORT_ERR`) from the iteration when the signal aborts.
     */
    tail(options?: TailOptions): AsyncIterableIterator<LogRecord>;
    /** Makes everything that was appended so far durable, as fsync does, and the names of new files. A failure is final: `ERR_LOG_FAILED` until it is opened again. */
    flush(): Promise<void>;
    /** The twin of {@link flush} that waits. */
    flushSync(): void;
    /** Gives up all records before a position, at most the end; files that have no others are deleted. */
    truncateBefore(position: number): void;
    stats(): LogStats;
    /** Flushes (unless `flush` is `'never'`), ends all `tail`s, and lets the next writer in. A second call does nothing. */
    close(): void;
    /** For `using`: {@link close}. */
    [Symbol.dispose](): void;
}
