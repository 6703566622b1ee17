import type { Marks } from './format';
/** A record: a copy of its bytes, and where it is. */
export interface LogRecord {
    readonly position: number;
    readonly data: Buffer<ArrayBuffer>;
}
/** Reads a log beside whoever writes it: maps its files read-only, and only loads. No buffer over them is made. */
export declare class Reader {
    #private;
    constructor(directory: string);
    get marks(): Marks;
    /** The payload of the record at a position. */
    read(position: number): Buffer<ArrayBuffer>;
    /** The first record at or behind a position, and those after it, up to what is the end when it gets there. */
    from(position: number, state: {
        next: number;
    }): Generator<LogRecord, void>;
    /** Where the next record would be. */
    end(): number;
    /** Looks at the directory again: segments come and go, marks move. */
    refresh(position?: number): void;
    close(): void;
}
