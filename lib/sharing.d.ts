import type { NativeMapping } from '../binding';
import type { Core } from './core';
import type { Access, MappingHandle } from './types';
/** Which class a mapping comes back as in another thread: the low bits of the label that travels with the memory. */
export declare const MAPPED_FILE = 1;
export declare const ANONYMOUS_MEMORY = 2;
export declare const SHARED_MEMORY = 3;
/** The handle of a mapping. */
export declare function handleOf(core: Core): MappingHandle;
/** What a handle leads to. */
export interface Received {
    readonly native: NativeMapping;
    readonly label: number;
    readonly access: Access;
    readonly isPrivate: boolean;
    readonly sharedArrayBuffer: boolean;
}
/** One more mapping of the memory behind a handle. */
export declare function receive(handle: unknown): Received;
