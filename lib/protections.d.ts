import type { Protection } from './types';
interface Rule {
    readonly kind: Protection;
    readonly from: number;
    readonly to: number;
}
/** What `protect` has done to a mapping, so that checked methods throw where the processor would fault. Later rules win. */
export declare class Protections {
    #private;
    constructor(rules?: readonly Rule[]);
    with(kind: Protection, offset: number, length: number): Protections;
    /** Whether some byte of the range may not be used so. */
    forbids(use: 'read' | 'write', position: number, length: number): boolean;
}
export {};
