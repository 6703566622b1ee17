/** Who keeps buffers that may be dropped at any time. */
export interface Holder {
    /** The buffer that was entered under this key is to be let go. */
    drop(key: number): void;
}
/**
 * A bound on the bytes that all mappings of this environment keep reachable together: what was used longest ago is dropped first.
 * It knows its holders weakly, so that a mapping which nobody can reach is collected with its buffers.
 */
export declare class Budget {
    #private;
    constructor(limit: number);
    /** Enters a buffer and drops the oldest ones that are too many now; returns the number for `touch` and `remove`. */
    add(owner: WeakRef<Holder>, key: number, bytes: number): number;
    /** It was used just now. */
    touch(id: number): void;
    remove(id: number): void;
}
