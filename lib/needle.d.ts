/**
 * Text as UTF-8; a number modulo 256, its fraction cut, as `Buffer.indexOf` takes it; of bytes a copy: they can change or be detached while a search
 * goes on.
 */
export declare function needleOf(value: unknown): Uint8Array;
/**
 * Where `Buffer.indexOf` and `lastIndexOf` begin to look; -1 where they don't look at all. Negative counts from the end, NaN is absent, and
 * both are clamped, for empty needles to the end itself.
 */
export declare function startOf(from: unknown, needle: number, size: number, forward: boolean): number;
