import type { Parsed } from './format';
/** A file with the name of a segment. */
export interface SegmentFile {
    readonly base: number;
    readonly path: string;
    readonly size: number;
    readonly parsed: Parsed;
}
export declare const segmentPath: (directory: string, base: number) => string;
/** The positions of all segments, in order. */
export declare function listBases(directory: string): number[];
/** Reads one header; `undefined` if the file is gone meanwhile. */
export declare function readSegmentFile(directory: string, base: number): SegmentFile | undefined;
export declare function readSegmentFiles(directory: string): SegmentFile[];
/** The file that a writer locks. */
export declare const lockPath: (directory: string) => string;
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
/** fsync of a file by its path, which also writes what an unmapped mapping had stored. */
export declare function syncFileSync(path: string): void;
export declare function syncFile(path: string): Promise<void>;
/** fsync of a directory: the names in it are durable. */
export declare function syncDirectorySync(path: string): void;
export declare function syncDirectory(path: string): Promise<void>;
