import { Writable } from 'node:stream';
import { MappedLog } from './log';
import type { LogOptions } from './options';
/**
 * The transport, in a worker: `pino.transport({ target: 'memmap/log/pino', options: { dir: 'app.log' } })`.
 *
 * Lines on their way to the worker die with the process; with `sync: true` in pino's options none are on the way when `logger.info()` returns.
 * A chunk may hold several lines: each becomes a record. While the disk is full they wait; one that no segment has room for is left out, with a warning.
 */
declare function transport(options: transport.PinoLogOptions): Writable;
declare namespace transport {
    /** Options of the transport and of `destination`. */
    interface PinoLogOptions extends LogOptions {
        /** The directory of the log. */
        dir: string;
    }
    /** What pino writes to: one line a call, with its newline. */
    interface PinoDestination {
        write(line: string): void;
        flushSync(): void;
        /** What `logger.flush(done)` calls: `done` when every line before is on disk. */
        flush(done?: (error?: unknown) => void): void;
        end(): void;
        readonly log: MappedLog;
        /** By this pino knows a stream from options: `pino(destination({ dir }))`. */
        readonly writable: true;
    }
    /** A destination in the process that logs, which loses no line when it is killed. */
    const destination: (options: PinoLogOptions) => PinoDestination;
}
export = transport;
