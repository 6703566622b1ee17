import type { Access, Advice } from './types';
/** `MappedFile` options as the native side takes them: `length` -1 is "to the end". */
export interface OpenRequest {
    readonly access: Access;
    readonly flags: number;
    readonly offset: number;
    readonly length: number;
    readonly mode: number;
    /** Where a file is copied instead, the most that a copy may have. */
    readonly capacity: number;
    readonly sharedArrayBuffer: boolean;
    readonly advice: Advice | undefined;
}
/** Hints that lose nothing: `Mapping.advise`. */
export declare const ADVICE: readonly Advice[];
/** Checks the options of `MappedFile.open` and of what takes the same ones; nothing was touched yet. */
export declare function openRequest(options: unknown, caller?: string): OpenRequest;
/** Checks the options of `AnonymousMemory.create`. */
export declare function memoryRequest(options: unknown): {
    flags: number;
    sharedArrayBuffer: boolean;
};
/** One of the hints. */
export declare function adviceOf(value: unknown, name: string): Advice;
/** Bytes of a mapping. */
export interface Range {
    readonly offset: number;
    readonly length: number;
}
/** What a range lies in. */
interface Sized {
    readonly byteLength: number;
}
/** A range of a mapping; absent: all of it. Never clamped. */
export declare function rangeOf(range: unknown, mapping: Sized, caller: string): Range;
/** The range that checked options name: inside of the mapping as it is after all of them were read (that can run the user's code), never clamped. */
export declare function within(given: Record<string, unknown>, mapping: Sized): Range;
/** `flush` options as the native side takes them. */
export interface FlushRequest {
    readonly offset: number;
    readonly length: number;
    readonly flags: number;
}
/** Checks the options of `flush` and `flushSync` against the mapping's length. */
export declare function flushRequest(options: unknown, mapping: Sized): FlushRequest;
export {};
