import { Bell } from './bell';
import { Writer } from './writer';
import type { NativeLock } from '../../binding';
import type { LogFindings } from './findings';
import type { LogSettings } from './options';
import type { Inventory, LogRecovery } from './recovery';
/** A writer that holds the lock of its directory. */
export interface Opened {
    readonly writer: Writer;
    readonly bell: Bell;
    readonly lock: NativeLock;
    readonly recovery: LogRecovery;
}
/** What is to be read between the two halves of opening; waiting for it is all that `open` and `openSync` do differently. */
export interface Opening {
    readonly inventory: Inventory;
    finish(findings: LogFindings[]): Opened;
    /** Gives the lock back after a failure. */
    abandon(): void;
}
/** Takes the lock. A directory that is somebody else's is an error before anything is written. */
export declare function beginOpen(directory: string, settings: LogSettings): Opening;
