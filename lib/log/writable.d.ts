import { Writable } from 'node:stream';
import { MappedLog } from './log';
import type { LogDirectory } from './log';
import type { LogOptions } from './options';
/** Options of a `LogWritable`: those of the log it opens. */
export interface LogWritableOptions extends LogOptions {
    /** Close the log when the stream ends. Default: only if the stream opened it. */
    closeLog?: boolean | undefined;
}
/**
 * A stream whose chunks become records. A chunk is in the log when `write` returns, not later: there is nothing to lose in a buffer.
 *
 * `end()` flushes the log before `'finish'`.
 */
export declare class LogWritable extends Writable {
    #private;
    constructor(log: MappedLog | LogDirectory, options?: LogWritableOptions);
    /** The log that is written. */
    get log(): MappedLog;
    _write(chunk: string | Uint8Array, encoding: BufferEncoding | 'buffer', done: (error?: Error) => void): void;
    _final(done: (error?: Error) => void): void;
    _destroy(error: Error | null, done: (error: Error | null) => void): void;
}
