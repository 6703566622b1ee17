import type { Core } from './core';
import type { Residency } from './types';
export declare function advise(core: Core, advice: unknown, range: unknown): void;
export declare function discard(core: Core, range: unknown): void;
export declare function lock(core: Core, range: unknown): void;
export declare function unlock(core: Core, range: unknown): void;
export declare function protect(core: Core, protection: unknown, range: unknown): void;
export declare function residency(core: Core, range: unknown): Residency;
export declare function resize(core: Core, length: unknown, options: unknown): void;
