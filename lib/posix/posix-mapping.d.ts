import { Mapping } from '../mapping';
import type { NativeMapping } from '../../binding';
import type { Origin } from '../core';
import type { Access } from '../types';
/** What the core of such a mapping is made from. In another thread, `Mapping.from` makes one of the ordinary classes of it. */
export declare function originOf(access: Access, isPrivate: boolean, hasFile: boolean, path?: string | Buffer): Origin;
/** Wraps what the native side mapped. */
export declare function mappingOf(memory: NativeMapping, origin: Origin): Mapping<ArrayBuffer>;
/** Closes the mappings of this thread that stand on these memories. */
export declare function closeAll(ids: Iterable<number>): void;
/** munmap(2) of a range: what it covers as a whole is closed, views and all. */
export declare function unmap(address: bigint, length: bigint): void;
