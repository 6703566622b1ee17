import type { Access } from './types';
/** `MappedFile` options as the native side takes them: `length` -1 is "to the end". */
export interface OpenRequest {
    readonly access: Access;
    readonly flags: number;
    readonly offset: number;
    readonly length: number;
    readonly mode: number;
}
/** Checks the options of `MappedFile.open` and `openSync`; nothing was touched yet. */
export declare function openRequest(options: unknown): OpenRequest;
/** Checks the options of `AnonymousMemory.create`: all of them are later ones. */
export declare function checkMemoryOptions(options: unknown): void;
/** `flush` options as the native side takes them. */
export interface FlushRequest {
    readonly offset: number;
    readonly length: number;
    readonly flags: number;
}
/** Checks the options of `flush` and `flushSync` against the mapping's length. */
export declare function flushRequest(options: unknown, size: number): FlushRequest;
