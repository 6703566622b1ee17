import { Mapping } from '../mapping.js';
import type { NativeMapping } from '../../binding.js';
import type { Access } from '../types.js';
/** Wraps what the native side mapped. */
export declare function mappingOf(native: NativeMapping, access: Access, isPrivate: boolean, path?: string | Buffer): Mapping;
/** Closes the mappings of this thread that stand on these memories; `false`: some memory has none here. */
export declare function closeAll(ids: Iterable<number>): boolean;
