import type { Parsed } from './format';
/** A file with the name of a segment. */
export interface SegmentFile {
    readonly base: number;
    readonly path: string;
    readonly size: number;
    /** Which file it is, as long as something has it open or mapped. */
    readonly inode: bigint;
    readonly parsed: Parsed;
}
export declare const segmentPath: (directory: string, base: number) => string;
/** The positions of all segments, in order. */
export declare function listBases(directory: string): number[];
/** Reads one header and has it used while the file is open; `undefined` if there is no such file. */
export declare function withSegmentFile<R>(directory: string, base: number, use: (file: SegmentFile) => R): R | undefined;
export declare function readSegmentFile(directory: string, base: number): SegmentFile | undefined;
/** What its name stands for now; `undefined` if for nothing. */
export declare function statSegment(directory: string, base: number): {
    size: number;
    inode: bigint;
} | undefined;
export declare function readSegmentFiles(directory: string): SegmentFile[];
/** The file that a writer locks. */
export declare const lockPath: (directory: string) => string;
/** What readers sleep on, and where the writer notes how far it has come. */
export declare const bellPath: (directory: string) => string;
/** The beginning of `bell`, as far as there is one that can be read. */
export declare function readBell(directory: string, length: number): Buffer;
/** A writer has been here. */
export declare const isLogDirectory: (directory: string) => boolean;
/** Nothing was ever written into this file. */
export declare function isZeros(path: string): boolean;
/** Takes a segment out of the log without losing a byte of it. */
export declare function setAside(path: string): void;
/** Deletes a file that may be gone already. */
export declare function remove(path: string): void;
/** The same of a file that others may have mapped, which Windows then does not delete: false, and it is to be tried again. */
export declare function removeIfFree(path: string): boolean;
/**
 * Deletes a segment that was made and not written, so that its name is free at once. What a reader has mapped Windows does not delete, but renames:
 * `discardUnused` comes back to it.
 */
export declare function discard(path: string): void;
/** Deletes what `discard` could only rename, as far as nobody has it mapped any more. */
export declare function discardUnused(directory: string): void;
/** fsync of a file by its path, which also writes what an unmapped mapping had stored. */
export declare function syncFileSync(path: string): void;
export declare function syncFile(path: string): Promise<void>;
/** fsync of a directory: the names in it are durable. */
export declare function syncDirectorySync(path: string): void;
export declare function syncDirectory(path: string): Promise<void>;
