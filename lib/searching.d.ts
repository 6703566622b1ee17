import { Checked } from './checked';
import type { ByteRange, LineOptions, LinesOptions, Needle, SearchOptions } from './types';
/**
 * Search by memchr, at the speed of memory: 1 GiB takes about 70 ms. Holes of a sparse file cost nothing (Linux; needles that are not all zeros).
 *
 * The plain names answer at once and block; their `Async` twins work on threads of ours, in slices. Positions count from the mapping's first byte.
 */
export declare abstract class Searching extends Checked {
    /** First position at which the needle begins, not before `from` (negative: from the end; clamped), or -1: as `Buffer.indexOf`. */
    indexOf(needle: Needle, from?: number): number;
    /** Last position at which the needle begins, not behind `from` (default: the end), or -1: as `Buffer.lastIndexOf`. */
    lastIndexOf(needle: Needle, from?: number): number;
    /** Whether the needle is anywhere from `from` on. */
    includes(needle: Needle, from?: number): boolean;
    /**
     * How many times the needle occurs within a range, without overlap, left to right.
     *
     * @example log.count('\n') // lines
     */
    count(needle: Needle, range?: ByteRange): number;
    /** {@link indexOf} within a range, on `threads` threads (default 1); -1 if no occurrence lies in it whole. */
    indexOfAsync(needle: Needle, options?: SearchOptions): Promise<number>;
    /** {@link count} on `threads` threads (default 1): the same number. */
    countAsync(needle: Needle, options?: SearchOptions): Promise<number>;
    /**
     * The positions of all occurrences within a range, in order, without overlap, as `String.matchAll` finds them. Searches no further than a batch
     * ahead of who iterates.
     *
     * @example for await (const position of log.indexesOf('ERROR')) console.log(position)
     */
    indexesOf(needle: Needle, options?: SearchOptions): AsyncIterableIterator<number>;
    /**
     * The lines of a range, without their `\n` or `\r\n`; a last line need not end in one. `for await` loads ahead on another thread and does not
     * block. `encoding`: `'utf8'` (default) or `'latin1'`. `signal` and `onProgress` are looked at once a block of 64 KiB.
     *
     * @example for await (const line of log.lines()) console.log(line)
     */
    lines(options?: LinesOptions): Iterable<string> & AsyncIterable<string>;
    /** The last lines, in their order, without looking at what comes before them. */
    lastLines(count: number, options?: LineOptions): string[];
}
