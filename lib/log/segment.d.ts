import type { Core } from '../core';
import type { NativeMapping, NativeSegmentMaker } from '../../binding';
import type { Header, Marks } from './format';
/** The segment that is written: mapped, with views. Plain fields, as `append` uses them for every record. */
export declare class Segment {
    #private;
    readonly path: string;
    readonly header: Header;
    readonly base: number;
    readonly length: number;
    readonly core: Core;
    readonly words: Int32Array;
    readonly bytes: Buffer;
    /** Finishes a record: its CRC where the length of its payload stands, then its word. */
    readonly seal: (offset: number) => void;
    /** `stage`: the buffer of several segments, and where in it this one lies. */
    constructor(path: string, header: Header, mapping: NativeMapping, stage?: ArrayBuffer, at?: number);
    /** Maps a segment that is there, at its full length. */
    static open(path: string, header: Header): Segment;
    /** The log goes on in the next segment, which exists. */
    sealAt(offset: number): void;
    mark(marks: Marks): void;
    /** Throws if the memory is not the file's any more. */
    check(): void;
    /**
     * Unmaps the file. The views are not detached: nobody else has them, and detaching any buffer makes typed arrays of the whole isolate
     * slower. With a `maker` on its thread.
     */
    close(maker?: NativeSegmentMaker): void;
}
