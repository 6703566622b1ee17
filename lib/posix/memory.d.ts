import { Mapping } from '../mapping';
import type { Core } from '../core';
/**
 * mmap(2). Flags and protection go to the kernel as they are, and its errors come back: EINVAL for a misaligned offset, length 0 or no
 * `MAP_SHARED` or `MAP_PRIVATE`, EACCES, EBADF, ENODEV, ENOMEM, EOVERFLOW, EPERM, EAGAIN, EEXIST.
 *
 * The mapping may be longer than the file: past its end an access is a `truncated` fault, not the death of the process. `prot` decides `access`:
 * `'write'` for shared with `PROT_WRITE`, `'copy'` for private with it, else `'read'`. The descriptor may be closed afterwards.
 *
 * @param addr a wish; `null`: wherever the kernel likes. With `MAP_FIXED` a place inside of a {@link Reservation}, else EINVAL.
 * @param length in bytes; `byteLength` of the mapping, whose last page is there as a whole.
 * @param fd -1 with `MAP_ANONYMOUS`.
 * @example
 * const m = mmap(null, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0)
 */
export declare function mmap(addr: bigint | null, length: number | bigint, prot: number, flags: number, fd: number, offset: number | bigint): Mapping;
/**
 * munmap(2). What it covers as a whole is closed, views and all. Of a part, pages without access stay: no other memory can fall into the
 * gap, and a view that still points there finds zeros and a `protected` fault.
 *
 * @param length in bytes; may be absent for a Mapping: all of it.
 * @throws EINVAL for an address that is not a page's first byte or not ours, and for length 0.
 */
export declare function munmap(addr: Mapping | bigint, length?: number | bigint): void;
/**
 * msync(2).
 *
 * @param flags `MS_SYNC` or `MS_ASYNC`, and perhaps `MS_INVALIDATE` (EBUSY on locked pages).
 * @throws ENOMEM where a part of the range is not mapped; the rest is written all the same.
 */
export declare function msync(addr: Mapping | bigint, length: number | bigint, flags: number): void;
/**
 * mprotect(2), whatever it allows: also write and execute. An access that the pages forbid is a `protected` fault.
 * `PROT_WRITE` makes a `'read'` mapping `'write'` or `'copy'`.
 *
 * @throws EACCES for `PROT_WRITE` where the descriptor was opened for reading and the mapping is shared.
 */
export declare function mprotect(addr: Mapping | bigint, length: number | bigint, prot: number): void;
/** madvise(2): any advice by its number, also those that drop contents; but not `MADV_GUARD_INSTALL` (ENOTSUP), as nobody could survive an access. */
export declare function madvise(addr: Mapping | bigint, length: number | bigint, advice: number): void;
/** mlock(2). EAGAIN, ENOMEM or EPERM past `RLIMIT_MEMLOCK`. Of a private writable mapping it copies every page. */
export declare function mlock(addr: Mapping | bigint, length: number | bigint): void;
/** munlock(2). */
export declare function munlock(addr: Mapping | bigint, length: number | bigint): void;
/** mincore(2): one byte for each page, whose lowest bit says whether it is in memory. */
export declare function mincore(addr: Mapping | bigint, length: number | bigint): Uint8Array<ArrayBuffer>;
/**
 * mremap(2), Linux: a mapping as a whole, under another length or at another place. Returns a new Mapping; the old one is closed, unless
 * `oldSize` is 0 (a second mapping of the same shared pages) or `MREMAP_DONTUNMAP` keeps it.
 *
 * @param flags without `MREMAP_MAYMOVE` it grows where it is, or ENOMEM; with `MREMAP_FIXED` it goes to `newAddress`, inside of a {@link Reservation}.
 * @throws ENOTSUP on systems without the call.
 */
export declare function mremap(addr: Mapping | bigint, oldSize: number | bigint, newSize: number | bigint, flags: number, newAddress?: bigint | null): Mapping;
/** The state of the mapping that begins at an address. */
export declare function coreAt(given: Mapping | bigint, address: bigint, syscall: string): Core;
