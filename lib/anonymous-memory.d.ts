import { Mapping } from './mapping';
import type { MemoryOptions, NoSab, Sab } from './types';
/** Private memory without a file, zero-filled: given back to the system at `close()`, not when a collector comes round. */
export declare class AnonymousMemory<B extends ArrayBufferLike = ArrayBufferLike> extends Mapping<B> {
    private constructor();
    /**
     * Maps `length` bytes of zeros; 0 makes an empty mapping. The system provides pages when they are first stored to.
     *
     * @throws `ENOMEM` when the address space does not have so much.
     */
    static create(length: number, options: MemoryOptions & Sab): AnonymousMemory<SharedArrayBuffer>;
    static create(length: number, options?: MemoryOptions & NoSab): AnonymousMemory<ArrayBuffer>;
    static create(length: number, options?: MemoryOptions): AnonymousMemory;
    /** Nobody else can open it by a descriptor. */
    get fd(): undefined;
}
