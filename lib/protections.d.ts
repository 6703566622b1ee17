import type { Protection } from './types';
/** `'gone'`: the pages are not the mapping's any more. */
type Kind = Protection | 'gone';
interface Run {
    readonly kind: Kind;
    readonly from: number;
    readonly to: number;
}
/** What `protect` has done to a mapping, so that checked methods throw where the processor would fault. */
export declare class Protections {
    #private;
    constructor(usual: 'read' | 'write', runs?: Run[]);
    /** Whether some pages may be written, by the same numbers. */
    static grantWrite(rights: Float64Array, count: number): boolean;
    /** `rights`: `count` times from, to and right, as the native side has them, `delta` bytes further on. */
    static of(usual: 'read' | 'write', rights: Float64Array, count: number, delta: number): Protections | undefined;
    /** `from..to` is protected so from now on; `undefined` when everything is as usual again. */
    set(kind: Protection, from: number, to: number): Protections | undefined;
    /** The mapping ends at `end` now; `undefined` when everything is as usual again. */
    cut(end: number): Protections | undefined;
    /** The error of using some byte of the range so, if it may not be. */
    refusal(use: 'read' | 'write', position: number, length: number): 'EACCES' | 'ENOMEM' | undefined;
}
export {};
