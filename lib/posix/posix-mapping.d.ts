import { Mapping } from '../mapping';
import type { NativeMapping } from '../../binding';
import type { Origin } from '../core';
import type { Access } from '../types';
/** What the core of such a mapping is made from. In another thread, `Mapping.from` makes one of the ordinary classes of it. */
export declare function originOf(access: Access, isPrivate: boolean, hasFile: boolean, path?: string | Buffer): Origin;
/** Wraps what the native side mapped. */
export declare function mappingOf(native: NativeMapping, origin: Origin): Mapping<ArrayBuffer>;
/** Closes the mappings of this thread that stand on these memories; `false`: some memory has none here. */
export declare function closeAll(ids: Iterable<number>): boolean;
