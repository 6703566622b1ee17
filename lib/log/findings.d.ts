/** One segment to verify. */
export interface LogSegment {
    readonly path: string;
    /** What the CRC of its records begins with. */
    readonly seed: number;
    /** Where its first record is. */
    readonly from: number;
    /** Where it ends. */
    readonly length: number;
    /** Up to where everything is promised to be there. */
    readonly durable: number;
    /** From where on records are kept. */
    readonly start: number;
}
/** What is in it. */
export interface LogFindings {
    /** 0: at the end of the log, 1: sealed, 2: at something that is no record. */
    readonly ended: number;
    /** Where that is. */
    readonly end: number;
    /** The file's length. */
    readonly size: number;
    readonly records: number;
    /** How many of them are not given up. */
    readonly kept: number;
    /** Pairs of offset and length. */
    readonly damaged: Float64Array;
}
/** Reads segments and checks every record. */
export declare function verifySync(segments: readonly LogSegment[]): LogFindings[];
/** The same on another thread. */
export declare function verify(segments: readonly LogSegment[]): Promise<LogFindings[]>;
