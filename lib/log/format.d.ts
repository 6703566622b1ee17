import { Buffer } from 'node:buffer';
/** The format of docs/formats.md. */
export declare const HEADER = 128;
/** Before each payload: word and CRC. */
export declare const HEAD = 8;
/** Records begin at multiples of this. */
export declare const ALIGN = 8;
/** The word after the last record of a segment. */
export declare const SEALED = 4294967295;
export declare const MAX_POSITION: number;
export declare const SEALED_AT = 72;
/** What the header of a segment says. */
export interface Header {
    readonly id: Buffer;
    readonly base: number;
    readonly number: number;
    readonly length: number;
    readonly created: number;
}
/** Where the log begins and up to where it is on disk. */
export interface Marks {
    readonly durable: number;
    readonly start: number;
}
/** `'zeros'`: made ahead of time and not used; `'foreign'`: `why` says what it is instead. */
export type Parsed = {
    readonly kind: 'valid';
    readonly header: Header;
    readonly marks: Marks;
    readonly sealedAt: number;
} | {
    readonly kind: 'damaged';
    readonly header: Header | undefined;
    readonly marks: Marks;
} | {
    readonly kind: 'zeros';
} | {
    readonly kind: 'foreign';
    readonly why: string;
    readonly certain: boolean;
};
export declare const newId: () => Buffer;
/** The name of a segment's file. */
export declare function fileName(base: number): string;
/** The position that a file name gives, or `undefined` for other files. */
export declare function baseOf(name: string): number | undefined;
/** Where the record after one with so much payload begins; it fits into a segment, so 32 bits are enough. */
export declare const after: (offset: number, length: number) => number;
export declare function encodeHeader(header: Header): Buffer;
/** What the CRC of every record of a segment begins with. */
export declare function seedOf(id: Buffer, number: number): number;
/** Reads the first bytes of a file that has the name of a segment. */
export declare function parseHeader(bytes: Buffer): Parsed;
/** Nothing is known to be on the disk, and nothing was given up. */
export declare const NO_MARKS: Marks;
/** The marks of a segment as they stand now; `bytes` is its header. */
export declare function parseMarks(bytes: Uint8Array, header: Header): Marks;
export declare const BELL_MARKED = 192;
/**
 * The marks that the writer has left in `bell`: who loses the newest segment would not know otherwise how far it went. Another log's do not count, nor
 * any whose CRC is wrong.
 */
export declare function parseBellMarks(bytes: Buffer, id: Buffer): Marks;
/** Whose log the notes are of, if one of them is whole. */
export declare function parseBellId(bytes: Buffer): Buffer | undefined;
export declare function writeBellMarks(bytes: Uint8Array, id: Buffer, marks: Marks, turn: number): void;
/** Of two marks what each says most: neither durability nor retention takes anything back. */
export declare function latest(a: Marks, b: Marks): Marks;
/** Writes a mark over the older of the two. */
export declare function writeMarks(bytes: Uint8Array, header: Header, marks: Marks, turn: number): void;
