// mmap(2), munmap(2), msync(2), mprotect(2), madvise(2), mlock(2), munlock(2), mincore(2), mremap(2).
import { stateOf } from '../accessors'
import { systemError } from '../errors'
import { holdersOf } from '../faults'
import { Mapping } from '../mapping'
import { native } from '../native'
import { addressOf, fileOffset, hint, int, size } from './arguments'
import { constant } from './constant'
import { closeAll, mappingOf, originOf, unmap } from './posix-mapping'

import type { Core } from '../core'
import type { Access } from '../types'

/** The calls of `posixRange`. */
const MADVISE = 0
const MSYNC = 1
const MLOCK = 2
const MUNLOCK = 3

/** Whether a flag is set; one that this platform lacks never is. */
function has(flags: number, name: string): boolean {
  const bit: unknown = constant(name)
  return typeof bit === 'number' && (flags & bit) !== 0
}

function accessOf(prot: number, isPrivate: boolean): Access {
  if (!has(prot, 'PROT_WRITE')) return 'read'
  return isPrivate ? 'copy' : 'write'
}

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
export function mmap(
  addr: bigint | null,
  length: number | bigint,
  prot: number,
  flags: number,
  fd: number,
  offset: number | bigint,
): Mapping {
  const address = hint(addr, 'addr')
  const bytes = size(length, 'length')
  const protection = int(prot, 'prot')
  const bits = int(flags, 'flags')
  const descriptor = int(fd, 'fd')
  const from = fileOffset(offset, 'offset')
  // What MAP_FIXED covers as a whole is closed once the new mapping is there.
  const covered = has(bits, 'MAP_FIXED') ? native.posixCovered(address, bytes) : []
  const isPrivate = !has(bits, 'MAP_SHARED')
  const memory = native.posixMap(address, bytes, protection, bits, descriptor, from)
  closeAll(covered)
  return mappingOf(memory, originOf(accessOf(protection, isPrivate), isPrivate, !has(bits, 'MAP_ANONYMOUS')))
}

/**
 * munmap(2). What it covers as a whole is closed, views and all. Of a part, pages without access stay: no other memory can fall into the
 * gap, and a view that still points there finds zeros and a `protected` fault.
 *
 * @param length in bytes; may be absent for a Mapping: all of it.
 * @throws EINVAL for an address that is not a page's first byte or not ours, and for length 0.
 */
export function munmap(addr: Mapping | bigint, length?: number | bigint): void {
  if (length === undefined && addr instanceof Mapping) {
    stateOf(addr).checkOpen()
    addr.close()
    return
  }
  unmap(addressOf(addr, 'addr'), size(length, 'length'))
}

/**
 * msync(2).
 *
 * @param flags `MS_SYNC` or `MS_ASYNC`, and perhaps `MS_INVALIDATE` (EBUSY on locked pages).
 * @throws ENOMEM where a part of the range is not mapped; the rest is written all the same.
 */
export function msync(addr: Mapping | bigint, length: number | bigint, flags: number): void {
  native.posixRange(MSYNC, addressOf(addr, 'addr'), size(length, 'length'), int(flags, 'flags'))
}

/**
 * mprotect(2), whatever it allows: also write and execute. An access that the pages forbid is a `protected` fault.
 * `PROT_WRITE` makes a `'read'` mapping `'write'` or `'copy'`.
 *
 * @throws EACCES for `PROT_WRITE` where the descriptor was opened for reading and the mapping is shared.
 */
export function mprotect(addr: Mapping | bigint, length: number | bigint, prot: number): void {
  const protection = int(prot, 'prot')
  const address = addressOf(addr, 'addr')
  const bytes = size(length, 'length')
  const ids = native.posixProtect(address, bytes, protection)
  for (const id of ids) {
    // Checked methods throw EACCES where the processor would fault.
    for (const core of holdersOf(id)) core.refresh()
  }
}

/** madvise(2): any advice by its number, also those that drop contents; but not `MADV_GUARD_INSTALL` (ENOTSUP), as nobody could survive an access. */
export function madvise(addr: Mapping | bigint, length: number | bigint, advice: number): void {
  native.posixRange(MADVISE, addressOf(addr, 'addr'), size(length, 'length'), int(advice, 'advice'))
}

/** mlock(2). EAGAIN, ENOMEM or EPERM past `RLIMIT_MEMLOCK`. Of a private writable mapping it copies every page. */
export function mlock(addr: Mapping | bigint, length: number | bigint): void {
  native.posixRange(MLOCK, addressOf(addr, 'addr'), size(length, 'length'), 0)
}

/** munlock(2). */
export function munlock(addr: Mapping | bigint, length: number | bigint): void {
  native.posixRange(MUNLOCK, addressOf(addr, 'addr'), size(length, 'length'), 0)
}

/** mincore(2): one byte for each page, whose lowest bit says whether it is in memory. */
export function mincore(addr: Mapping | bigint, length: number | bigint): Uint8Array<ArrayBuffer> {
  return native.posixCore(addressOf(addr, 'addr'), size(length, 'length')) as Uint8Array<ArrayBuffer>
}

/**
 * mremap(2), Linux: a mapping as a whole, under another length or at another place. Returns a new Mapping; the old one is closed, unless
 * `oldSize` is 0 (a second mapping of the same shared pages) or `MREMAP_DONTUNMAP` keeps it.
 *
 * @param flags without `MREMAP_MAYMOVE` it grows where it is, or ENOMEM; with `MREMAP_FIXED` it goes to `newAddress`, inside of a {@link Reservation}.
 * @throws ENOTSUP on systems without the call.
 */
export function mremap(
  addr: Mapping | bigint,
  oldSize: number | bigint,
  newSize: number | bigint,
  flags: number,
  newAddress: bigint | null = null,
): Mapping {
  const old = size(oldSize, 'oldSize')
  const bytes = size(newSize, 'newSize')
  const bits = int(flags, 'flags')
  const address = addressOf(addr, 'addr')
  const target = hint(newAddress, 'newAddress')
  const core = coreAt(addr, address, 'mremap')
  const covered = has(bits, 'MREMAP_FIXED') ? native.posixCovered(target, bytes) : []
  const memory = native.posixRemap(address, old, bytes, bits, target)
  const { access, isPrivate, path } = core
  if (old > 0n && !has(bits, 'MREMAP_DONTUNMAP')) core.close()
  closeAll(covered)
  return mappingOf(memory, originOf(access, isPrivate, core.fd !== undefined, path))
}

/** The state of the mapping that begins at an address. */
export function coreAt(given: Mapping | bigint, address: bigint, syscall: string): Core {
  if (given instanceof Mapping) return stateOf(given)
  const id = native.posixOwner(address)
  const core = typeof id === 'number' ? holdersOf(id)[0] : undefined
  if (core === undefined) throw systemError('EINVAL', syscall)
  return core
}
