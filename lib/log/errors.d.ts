/** Not a log of ours: nothing was written. */
export declare function logFormat(path: string, why: string): Error;
/** A flush failed, or the memory of the segment did: what was appended since the last good flush may be gone. */
export declare function logFailed(cause: unknown): Error;
/** Use after `close()`. */
export declare function logClosed(): Error;
/** A writing call on a log that was opened with `readOnly`. */
export declare function logReadOnly(): Error;
/** What stands at a position is no record, but was one. */
export declare function logDamaged(position: number): Error;
