import type { Marks } from './format';
/** A record: a copy of its bytes, and where it is. */
export interface LogRecord {
    readonly position: number;
    readonly data: Buffer<ArrayBuffer>;
}
/** How far somebody has read. */
export interface Place {
    /** The position from which on records are new. */
    next: number;
    /** Where the last walk came to the end of what was there: the next one goes on here. */
    walked: {
        readonly base: number;
        readonly offset: number;
    } | undefined;
}
/** Reads a log beside whoever writes it: maps its files read-only, and only loads. No buffer over them is made. */
export declare class Reader {
    #private;
    constructor(directory: string, live: (() => Marks) | undefined);
    get marks(): Marks;
    /** The payload of the record at a position. */
    read(position: number): Buffer<ArrayBuffer>;
    /** The first record at or behind a place, and those after it, up to what is the end when it gets there. */
    from(place: Place): Generator<LogRecord, void>;
    /** Where the next record would be. */
    end(): number;
    /** Looks at the directory again: segments come and go, or are replaced, and marks move. */
    refresh(): void;
    close(): void;
}
