import type { SegmentFile } from './directory';
import type { LogFindings, LogSegment } from './findings';
import type { Header, Marks } from './format';
/** What opening found. */
export interface LogRecovery {
    /** How many records are there, those before the start of the log not counted. */
    readonly recovered: number;
    /** Bytes behind the end of the log that were made zero: a record that was not finished, or what a power loss left of ones that were never flushed. */
    readonly cut: number;
    /**
     * What was durable once and is no record now: position and length of each range. It is skipped and stays on disk.
     *
     * A file with a broken header in which no record can be recognised is one range from its first to its last byte; it is set aside (`.seg.aside`), and as
     * nothing proves its place, the positions may be given to new records.
     */
    readonly damaged: readonly {
        readonly position: number;
        readonly length: number;
    }[];
}
/** A segment as it is, or as its neighbours say that it was. */
export interface KnownSegment {
    readonly file: SegmentFile;
    readonly header: Header;
    /** Its header is its own. */
    readonly intact: boolean;
    /** When the next one followed, for `retain.ageMs`. */
    readonly sealedAt: number;
}
/** The files of a log, before their records are looked at. */
export interface Inventory {
    readonly segments: readonly KnownSegment[];
    readonly marks: Marks;
    readonly id: Buffer | undefined;
}
/** What is to be done. */
export interface Verdict extends LogRecovery {
    /** The segments of the log, in order. */
    readonly kept: readonly KnownSegment[];
    /** Where the log goes on in the last one of `kept`; `undefined`: in a new segment. */
    readonly end: number | undefined;
    /** Where a new segment begins. */
    readonly next: number;
    /** The last of `kept` cannot be gone on in, as its header is damaged: it is to be sealed here. */
    readonly seal: number | undefined;
    /** Not the log's any more: segments that follow a cut. */
    readonly aside: readonly KnownSegment[];
    /** Made ahead of time and not used yet. */
    readonly unused: readonly KnownSegment[];
}
/** Sorts out whose files these are. Throws `ERR_LOG_FORMAT` if they are not a log's; nothing is written here. */
export declare function takeInventory(directory: string, files: readonly SegmentFile[]): Inventory;
/** What the native side is to read. */
export declare function verifyRequest({ segments, marks }: Inventory): LogSegment[];
/** Decides from what was found; pure, so that a power loss can be played without one. */
export declare function judge(inventory: Inventory, findings: readonly LogFindings[]): Verdict;
