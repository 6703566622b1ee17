import { Buffer } from 'node:buffer';
import type { Checked } from './checked';
import type { Bytes, Cursor } from './types';
/** A position in a mapping that reads and writes move, as in a file. The face of Python's mmap object. */
export declare class MappingCursor implements Cursor {
    #private;
    constructor(mapping: Checked);
    read(length?: number): Buffer<ArrayBuffer>;
    readByte(): number;
    readLine(): Buffer<ArrayBuffer>;
    write(data: string | Bytes): number;
    writeByte(value: number): void;
    seek(offset: number, whence?: 'set' | 'cur' | 'end'): number;
    tell(): number;
    size(): number;
}
