import { invalidArgValue, invalidReservation, outOfRange } from '../errors'
import { Mapping } from '../mapping'
import { native } from '../native'
import { openRequest } from '../options'
import { nativeTarget } from '../target'
import { byteCount, checkInteger, optionsOf } from '../validate'
import { closeAll, mappingOf, originOf, unmap } from './posix-mapping'

import type { NativeReservation } from '../../binding'
import type { OpenRequest } from '../options'
import type { NativeTarget } from '../target'
import type { Access, OpenOptions, Opt, Target } from '../types'

/** Options of {@link Reservation.place} for memory without a file. */
export type MemoryPlaceOptions = {
  /** In bytes. */
  length: number | bigint
}

/** Options of {@link Reservation.mirror}. */
export type MirrorOptions = Opt<{
  /** Where in the reservation; default: the first place with room for both. */
  at: number | bigint
  /** Default: that of the mapping; for files `'write'`. */
  access: Access
  /** Where in the file, in bytes; a multiple of the page size. Default: where the mapping begins, or 0. */
  offset: number | bigint
  /** Of one of the two; a multiple of the page size. Default: that of the mapping, or to the end of the file. */
  length: number | bigint
}>

/** Of the options of `MappedFile.open`, those that say what and not where. */
const PLACE = ['access', 'offset', 'length', 'create', 'mode', 'sparse', 'exec']

interface Placement {
  readonly target: NativeTarget
  readonly request: OpenRequest
}

/**
 * Address space taken in advance, and files and memory at fixed places in it: what `MAP_FIXED` is for, without the danger. It costs no memory.
 *
 * @example
 * const room = Reservation.reserve(1 << 30)
 * const head = room.place(0, 'head.bin')
 * const body = room.place(65536, 'body.bin') // at head.address + 65536n
 */
export class Reservation implements Disposable {
  readonly #native: NativeReservation
  #closed = false

  private constructor(reserved: NativeReservation) {
    this.#native = reserved
  }

  /** Takes `length` bytes of address space, rounded up to whole pages. ENOMEM when there is not so much. */
  static reserve(length: number | bigint): Reservation {
    const bytes = byteCount(length, 'length')
    checkInteger(bytes, 'length', 1)
    return new Reservation(native.NativeReservation.reserve(bytes))
  }

  /** Of the first byte; 0n after `close()`. */
  get address(): bigint {
    return this.#closed ? 0n : this.#native.address
  }

  /** Whole pages, in bytes; 0 after `close()`. */
  get byteLength(): number {
    return this.#closed ? 0 : this.#native.length
  }

  /** Whether `close()` was called. */
  get closed(): boolean {
    return this.#closed
  }

  /**
   * Maps a file, a mapping's file once more, or fresh zeros (`null`) at a fixed place, where nothing may be mapped yet (EEXIST).
   * When that Mapping is closed, the place is free again, and still reserved.
   *
   * @param at in bytes from the start of the reservation, a multiple of the page size.
   * @param options of those of `MappedFile.open`: access, offset, length, create, mode, sparse, exec. `offset` must be a multiple of the page size. A mapping's own range is the default for itself.
   */
  place(at: number, target: null, options: MemoryPlaceOptions): Mapping<ArrayBuffer>
  place(at: number, target: Target | Mapping, options?: OpenOptions): Mapping<ArrayBuffer>
  place(at: number, target: Target | Mapping | null, options?: OpenOptions | MemoryPlaceOptions): Mapping<ArrayBuffer> {
    return this.#place(at, target, options, false)
  }

  /**
   * As `place`, over whatever is mapped there. Over one mapping it is one step: other threads see the old or the new pages; over several
   * there is a moment of PROT_NONE. Mappings that are
   * covered as a whole are closed; others lose what is covered: their checked methods throw ENOMEM there.
   */
  replace(at: number, target: null, options: MemoryPlaceOptions): Mapping<ArrayBuffer>
  replace(at: number, target: Target | Mapping, options?: OpenOptions): Mapping<ArrayBuffer>
  replace(
    at: number,
    target: Target | Mapping | null,
    options?: OpenOptions | MemoryPlaceOptions,
  ): Mapping<ArrayBuffer> {
    return this.#place(at, target, options, true)
  }

  #place(at: number, target: Target | Mapping | null, options: unknown, over: boolean): Mapping<ArrayBuffer> {
    this.#check(at)
    const memory = target === null ? this.#memory(at, options, over) : this.#file(at, target, options, over)
    if (over) closeAll(this.#native.bare())
    return memory
  }

  #memory(at: number, options: unknown, over: boolean): Mapping<ArrayBuffer> {
    const given = optionsOf(options, ['length'], 'Reservation.place')
    const length = byteCount(given['length'], 'options.length')
    checkInteger(length, 'options.length', 1)
    return mappingOf(this.#native.placeMemory(at, over, length), originOf('write', true, false))
  }

  #file(at: number, given: Target | Mapping, options: unknown, over: boolean): Mapping<ArrayBuffer> {
    const { target, request } = placement(given, options, 'read')
    const { flags, offset, length, mode, access } = request
    const memory = this.#native.place(at, over, target, flags, offset, length, mode)
    return mappingOf(memory, originOf(access, access === 'copy', true, typeof target === 'number' ? undefined : target))
  }

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
  mirror(memory: Mapping | Target, options: MirrorOptions = {}): Mapping<ArrayBuffer> {
    const { at: asked, ...rest } = optionsOf(options, ['at', 'access', 'offset', 'length'], 'Reservation.mirror')
    const at = asked === undefined ? undefined : byteCount(asked, 'options.at')
    this.#check(at ?? 0)
    const { target, request } = placement(memory, rest, 'write')
    if (request.access === 'copy')
      throw invalidArgValue('options.access', 'copy', 'must be shared: two private copies would differ')
    const { flags, offset, length, access } = request
    const placed = this.#native.mirror(at ?? -1, target, flags, offset, length)
    return mappingOf(placed, originOf(access, false, true, typeof target === 'number' ? undefined : target))
  }

  /** munmap(2) of a part: mappings that are covered as a whole are closed, others lose what is covered. The place stays reserved. */
  release(at: number, length: number): void {
    this.#check(at)
    checkInteger(length, 'length', 1, this.byteLength - at)
    unmap(this.address + BigInt(at), BigInt(length))
  }

  /** Closes every mapping in it and gives the address space back. */
  close(): void {
    if (this.#closed) return
    closeAll(this.#native.placed())
    this.#closed = true
    this.#native.close()
  }

  /** For `using`: {@link close}. */
  [Symbol.dispose](): void {
    this.close()
  }

  #check(at: unknown): asserts at is number {
    if (this.#closed) throw invalidReservation()
    checkInteger(at, 'at', 0, this.#native.length)
    if (at % Mapping.pageSize !== 0) throw outOfRange('at', `a multiple of ${Mapping.pageSize}`, at)
  }
}

/** A mapping stands for its file, its range and its access. */
function placement(given: Mapping | Target, options: unknown, access: Access): Placement {
  const target = given instanceof Mapping ? fileOf(given) : nativeTarget(given)
  const own =
    given instanceof Mapping
      ? { access: given.access, offset: given.fileOffset, length: given.byteLength }
      : access === 'read'
        ? {}
        : { access }
  const asked = options === undefined ? {} : optionsOf(options, PLACE, 'Reservation.place')
  return { target, request: openRequest({ ...own, ...defined(asked) }) }
}

/** `undefined` is absent. */
function defined(options: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined))
}

function fileOf(mapping: Mapping): number {
  if (mapping.fd === undefined)
    throw invalidArgValue('target', mapping, 'must be open and have a file or memory object behind it')
  return mapping.fd
}
