/**
 * V8 throws compiled code away together with the last object of the hidden class that it was compiled for. A program that has nothing mapped while
 * a full collection runs would be slow again after each: 23 instead of 13 us for open, read and close, 84 instead of 57 ns a line
 * (benchmark/cases/open.mjs, lines.mjs: each round begins with a collection). So one used-up object of each class stays: ours, never one that a user
 * has or had.
 */
export declare function keepShape(key: unknown, make: () => object): void;
