import { Core } from '../core';
import type { NativeMapping } from '../../binding';
/** The state of a mapping that no user sees. */
export declare function coreOf(mapping: NativeMapping, access: 'read' | 'write', path: string): Core;
/** Maps a file; `length` -1: to its end. */
export declare function mapFile(path: string, access: 'read' | 'write', flags: number, length: number): Core;
/** One buffer over all of it, on whatever the engine allows. What a page has behind the end is nobody's: segments can be shorter than pages. */
export declare function bufferOf(core: Core): ArrayBufferLike;
