import type { Core } from './core';
/**
 * For those who go through a range once, forwards: the window ahead is loaded on another thread while this one is used, and windows that came from
 * the disk are dropped when they are behind, so that a file larger than memory streams through a few megabytes and pushes nothing else out.
 */
export declare class Ahead {
    #private;
    constructor(core: Core, from: number, end: number, size: number, signal?: AbortSignal);
    /** `undefined` if the bytes are in memory already, else a Promise of that. What lies before `from` will not be used again. */
    ready(from: number, to: number): Promise<unknown> | undefined;
    /** Nothing more is wanted. */
    stop(): void;
}
