import type { Protection } from './types';
/** What `protect` has done to a mapping, so that checked methods throw where the processor would fault. */
export declare class Protections {
    #private;
    constructor(usual: 'read' | 'write');
    /** `from..to` is protected so from now on; `undefined` when everything is as usual again. */
    set(kind: Protection, from: number, to: number): Protections | undefined;
    /** The mapping ends at `end` now; `undefined` when everything is as usual again. */
    cut(end: number): Protections | undefined;
    /** Whether some byte of the range may not be used so. */
    forbids(use: 'read' | 'write', position: number, length: number): boolean;
}
