import type { Core } from './core';
/** What `lines` returns: each iteration begins anew. */
export declare class Lines implements Iterable<string>, AsyncIterable<string> {
    #private;
    constructor(core: Core, options: unknown);
    [Symbol.iterator](): IterableIterator<string, undefined>;
    [Symbol.asyncIterator](): AsyncIterableIterator<string>;
}
/** Newlines are counted from the end in growing steps until there are enough. */
export declare function lastLinesOf(core: Core, count: number, options: unknown): string[];
