import { Buffer } from 'node:buffer';
/** What the native side opens, or duplicates. */
export type NativeTarget = string | Buffer | number;
/** Takes a path, a `file:` URL, a FileHandle or a descriptor as `node:fs` does. */
export declare function nativeTarget(target: unknown): NativeTarget;
/** What opening it ended in, with a word on paths inside of an archive. Only for those is that loaded: there may be no descriptor left to read it. */
export declare function explained(error: unknown, target: NativeTarget): unknown;
