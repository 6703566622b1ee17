import type { Core } from './core';
/** A getter outside of the window: the bytes at `position` as the first of the view that returns. */
export declare function load(core: Core, position: number, size: number): DataView;
/** A setter outside of the window: checks everything; the value goes into the view that returns, and then `store` does it. */
export declare function prepare(core: Core, position: number, size: number): DataView;
/** After `prepare`. */
export declare function store(core: Core, position: number, size: number): void;
