import { Mapping } from '../mapping';
import type { Access, OpenOptions, Opt, Target } from '../types';
/** Options of {@link Reservation.place} for memory without a file. */
export type MemoryPlaceOptions = {
    /** In bytes. */
    length: number | bigint;
};
/** Options of {@link Reservation.mirror}. */
export type MirrorOptions = Opt<{
    /** Where in the reservation; default: the first place with room for both. */
    at: number | bigint;
    /** Default: that of the mapping; for files `'write'`. */
    access: Access;
    /** Where in the file, in bytes; a multiple of the page size. Default: where the mapping begins, or 0. */
    offset: number | bigint;
    /** Of one of the two; a multiple of the page size. Default: that of the mapping, or to the end of the file. */
    length: number | bigint;
}>;
/**
 * Address space taken in advance, and files and memory at fixed places in it: what `MAP_FIXED` is for, without the danger. It costs no memory.
 *
 * @example
 * const room = Reservation.reserve(1 << 30)
 * const head = room.place(0, 'head.bin')
 * const body = room.place(65536, 'body.bin') // at head.address + 65536n
 */
export declare class Reservation implements Disposable {
    #private;
    private constructor();
    /** Takes `length` bytes of address space, rounded up to whole pages. ENOMEM when there is not so much. */
    static reserve(length: number | bigint): Reservation;
    /** Of the first byte; 0n after `close()`. */
    get address(): bigint;
    /** Whole pages, in bytes; 0 after `close()`. */
    get byteLength(): number;
    /** Whether `close()` was called. */
    get closed(): boolean;
    /**
     * Maps a file, a mapping's file once more, or fresh zeros (`null`) at a fixed place, where nothing may be mapped yet (EEXIST).
     * When that Mapping is closed, the place is free again, and still reserved.
     *
     * @param at in bytes from the start of the reservation, a multiple of the page size.
     * @param options of those of `MappedFile.open`: access, offset, length, create, mode, sparse, exec. `offset` must be a multiple of the page size. A mapping's own range is the default for itself.
     */
    place(at: number, target: null, options: MemoryPlaceOptions): Mapping<ArrayBuffer>;
    place(at: number, target: Target | Mapping, options?: OpenOptions): Mapping<ArrayBuffer>;
    /**
     * As `place`, over whatever is mapped there. Over one mapping it is one step: other threads see the old or the new pages; over several
     * there is a moment of PROT_NONE. Mappings that are
     * covered as a whole are closed; others lose what is covered: their checked methods throw ENOMEM there.
     */
    replace(at: number, target: null, options: MemoryPlaceOptions): Mapping<ArrayBuffer>;
    replace(at: number, target: Target | Mapping, options?: OpenOptions): Mapping<ArrayBuffer>;
    /**
     * The same pages twice in a row: what runs over the end of the first comes out at the start of it, so a ring never wraps. `byteLength` is
     * twice the length of the memory.
     *
     * @param memory a mapping with a file behind it (`SharedMemory`, `MappedFile`), a descriptor (`memfd_create`), or a path.
     * @throws ENOMEM when the reservation has no room for both.
     * @example
     * const ring = room.mirror(fd, { length: 65536 })
     * ring.write('over the seam', 65530) // and the ring's first bytes are 'he seam'
     */
    mirror(memory: Mapping | Target, options?: MirrorOptions): Mapping<ArrayBuffer>;
    /** munmap(2) of a part: mappings that are covered as a whole are closed, others lose what is covered. The place stays reserved. */
    release(at: number, length: number): void;
    /** Closes every mapping in it and gives the address space back. */
    close(): void;
    /** For `using`: {@link close}. */
    [Symbol.dispose](): void;
}
