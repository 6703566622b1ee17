/** Bytes of a mapping. */
export interface Range {
    readonly offset: number;
    readonly length: number;
}
/** The `offset` and `length` of checked options: both inside of the mapping, never clamped. */
export declare function rangeOf(given: Record<string, unknown>, size: number): Range;
