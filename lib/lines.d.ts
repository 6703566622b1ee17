import type { Core } from './core';
import type { Range } from './options';
import type { Task } from './types';
type Encoding = 'utf8' | 'latin1';
/** What `lines` returns: each iteration begins anew. */
declare class Lines implements Iterable<string>, AsyncIterable<string> {
    #private;
    constructor(core: Core, { offset, length }: Range, encoding: Encoding, task: Task);
    [Symbol.iterator](): IterableIterator<string, undefined>;
    [Symbol.asyncIterator](): AsyncIterableIterator<string>;
}
/** What `Mapping.lines` is asked for. */
export declare function linesOf(core: Core, options: unknown): Lines;
/** Newlines are counted from the end in growing steps until there are enough. */
export declare function lastLinesOf(core: Core, count: number, options: unknown): string[];
export {};
