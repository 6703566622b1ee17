import { Buffer } from 'node:buffer';
import { Segment } from './segment';
import type { Bell } from './bell';
import type { Marks } from './format';
import type { LogSettings } from './options';
/** A segment that is complete. */
export interface Sealed {
    readonly base: number;
    readonly length: number;
    readonly path: string;
    readonly sealedAt: number;
    synced: boolean;
}
/** Where a writer begins. */
export interface WriterStart {
    readonly directory: string;
    readonly settings: LogSettings;
    readonly bell: Bell;
    readonly id: Buffer;
    readonly marks: Marks;
    readonly sealed: Sealed[];
    /** The segment to go on in, and where. */
    readonly segment: Segment;
    readonly offset: number;
}
/** The one that appends. */
export declare class Writer {
    #private;
    readonly sealed: Sealed[];
    failure: unknown;
    constructor(start: WriterStart);
    /** Where the next record goes, if it fits. */
    get end(): number;
    get segment(): Segment;
    get marks(): Marks;
    /** The hot path: 512 bytes take some 80 ns, half of them the CRC and the way to it. */
    append(bytes: Uint8Array): number;
    /** A string goes straight into the mapping. */
    appendString(text: string): number;
    fail(error: unknown): unknown;
    /** Throws for what no segment has room for. */
    checkSize(data: string | Uint8Array, name: string): void;
    /** Deletes what `retain` allows to: whole segments, the oldest first, never the one that is written. */
    retain(now?: number): void;
    /** Gives up all records before a position, and deletes the segments that have no others. */
    truncateBefore(position: number): void;
    flushSync(): void;
    flush(): Promise<void>;
    /** The last mark is synced too, so that the next opening knows that everything is there. */
    close(sync: boolean): void;
}
