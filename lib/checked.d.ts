import { Buffer } from 'node:buffer';
import { Accessors } from './accessors';
import type { Bytes, Needle } from './types';
/**
 * Copies in and out of the mapping: no buffer over its memory is made for them, so they work on every platform and at every size.
 *
 * They throw what the accessors throw. Only `fill` and `copyWithin` clamp, as TypedArray's methods of these names do.
 */
export declare abstract class Checked extends Accessors {
    /**
     * Copies `length` bytes from `position` on.
     *
     * @example index.read(0, 4).toString('latin1')
     */
    read(position: number, length: number): Buffer<ArrayBuffer>;
    /** Fills the whole of `target` with the bytes from `position` on. */
    readInto(target: Bytes, position: number): void;
    /**
     * Copies all of `data` (text as UTF-8) to `position`, or nothing when it does not fit; returns the number of bytes.
     *
     * @example log.write('ready\n', 0) // 6
     */
    write(data: string | Bytes, position: number): number;
    /** Repeats text, a byte or bytes from `begin` (default 0) to `end` (default: the end of the mapping), as `Buffer.fill` does. */
    fill(value: Needle, begin?: number, end?: number): this;
    /** Copies the bytes from `begin` to `end` (default: the end of the mapping) to `target`, as `TypedArray.copyWithin` does; the ranges may overlap. */
    copyWithin(target: number, begin: number, end?: number): this;
    /** Order of two byte strings as `Buffer.compare` has it: the shorter comes first where one begins the other. */
    compare(other: Checked | Uint8Array): -1 | 0 | 1;
}
