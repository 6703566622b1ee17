/** Whole, safe, and inside [min, max]. */
export declare function checkInteger(value: unknown, name: string, min?: number, max?: number): asserts value is number;
/** A byte count of an options object: number or bigint. */
export declare function byteCount(value: unknown, name: string): number;
/** `length` bytes at `position` must be there: never clamped. */
export declare function checkRange(position: unknown, name: string, length: number, size: number): asserts position is number;
/** A `begin` or `end` as TypedArray takes it: negative counts from the end, and it is clamped. */
export declare function relative(value: unknown, name: string, fallback: number, size: number): number;
/** `undefined` is absent. */
export declare function optionalBoolean(value: unknown, name: string): boolean | undefined;
/** Permissions as `node:fs` takes them: a number or an octal string. */
export declare function fileMode(value: unknown, name: string): number;
/** Prototypes can be anybody's: asked is the value itself, too. */
export declare const isBytes: (value: unknown) => value is Uint8Array;
/** What a subclass says of its length is not believed. */
export declare const lengthOf: (bytes: Uint8Array) => number;
/** The memory behind any view or buffer. */
export declare function bytesOf(value: unknown, name: string, also?: string): Uint8Array;
/** What is detached has a length of 0, too. */
export declare function checkAttached(bytes: Uint8Array, name: string): void;
/** `undefined` is absent. Signals of other realms and of polyfills are no instances of ours: what is used of them counts. */
export declare function checkSignal(signal: unknown): asserts signal is AbortSignal | undefined;
/** An options object whose every property is among `known`: a misspelt one is an error that names it. `name`: what the object itself is called. */
export declare function optionsOf(options: unknown, known: readonly string[], caller: string, name?: string): Record<string, unknown>;
