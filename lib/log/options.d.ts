/** Options of `MappedLog.open`. */
export interface LogOptions {
    /** Length of the files that the log is made of, a multiple of 4,096 (rounded up). Default 16 MiB, at most 1 GiB. A record must fit. */
    segmentSize?: number | bigint | undefined;
    /**
     * What may be deleted, in whole segments: when a segment is full, when the log is opened, and with `flush: 'interval'` every `flushMs`.
     * Default: nothing.
     */
    retain?: {
        /** Keep the files at or below so many bytes together. */
        bytes?: number | bigint | undefined;
        /** Keep at most so many files. */
        segments?: number | undefined;
        /** Delete files whose last record is older than so many milliseconds. */
        ageMs?: number | undefined;
    } | undefined;
    /** When records are made durable: by `flush()` only, every `flushMs`, or before each `append` returns. Default `'interval'`. */
    flush?: 'never' | 'interval' | 'always' | undefined;
    /** Milliseconds between two flushes of `'interval'`. Default 1000. */
    flushMs?: number | undefined;
    /** Only read, beside the one writer. The directory must be there (`ENOENT`). Default `false`. */
    readOnly?: boolean | undefined;
}
/** The same, checked. */
export interface LogSettings {
    readonly segmentSize: number;
    readonly bytes: number;
    readonly segments: number;
    readonly ageMs: number;
    readonly flush: 'never' | 'interval' | 'always';
    readonly flushMs: number;
    readonly readOnly: boolean;
}
/** What `MappedLog.open` takes. */
export declare const LOG_OPTIONS: readonly ['segmentSize', 'retain', 'flush', 'flushMs', 'readOnly'];
/** The largest payload of a segment: its header, the record's own and the seal take the rest. */
export declare const largestPayload: (segmentSize: number) => number;
export declare function logSettings(options: unknown, caller: string): LogSettings;
/** A position of the log, as a caller gives it. */
export declare function checkPosition(position: unknown, name: string): asserts position is number;
