import type { Core } from './core';
import type { Range } from './options';
import type { Task } from './types';
/**
 * The starts of all occurrences, in order. One batch is searched for while another is handed out, and no more: whoever stops asking stops the
 * search.
 */
export declare function positionsOf(core: Core, needle: Uint8Array, range: Range, threads: number, task: Task): AsyncIterableIterator<number>;
/** Every position of a range, its end included: where an empty needle is found. */
export declare function everywhere(core: Core, range: Range, task: Task): AsyncGenerator<number, undefined>;
