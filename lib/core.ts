import { chooseCarrier, isOverlay } from './carriers'
import {
  bufferTooLarge,
  invalidState,
  mappingFault,
  memoryTransferred,
  recapture,
  systemError,
  viewsUnavailable,
} from './errors'
import { detach } from './detach'
import { direct } from './native'
import { currentFault, deliver, epoch, warnOfLoss } from './faults'
import { later, planLater } from './on-demand'
import { Protections } from './protections'

import type { AccessorWindows } from './accessor-windows'
import type { NativeMapping } from '../binding'
import type { Carrier, CarrierKind } from './carriers'
import type { Protection } from './types'
import type { Access, MappingFault } from './types'
import type { Windows } from './windows'

/** The window of a mapping that has none. */
export const NO_VIEW = new DataView(new ArrayBuffer(0))

/** What only the opener knows. */
export interface Origin {
  readonly access: Access
  readonly path: string | Buffer | undefined
  /** Nothing that is stored ever reaches a file. */
  readonly isPrivate: boolean
  readonly sharedArrayBuffer: boolean
  /** Which class it is of: `lib/sharing.ts`. */
  readonly label: number
  /** Whoever opens it brings its carrier with `use`. */
  readonly ownCarrier?: boolean
  /** Its address is the caller's: private pages, which cannot be in two places, never move onto a carrier. */
  readonly staysPut?: boolean
}

const facts = new Float64Array(12)

let rights = new Float64Array(3 * 32)

/** What cannot be cleared: the memory that the file was in is elsewhere. */
const MOVED: MappingFault = Object.freeze({ kind: 'moved', offset: 0 })

/**
 * The state behind a `Mapping`: plain fields for the parts of the facade, out of reach of users.
 *
 * Positions count from the user's first byte. Buffers count from the first byte of its page, `delta` bytes before.
 */
export class Core {
  readonly native: NativeMapping
  /** `seal` can narrow it, mprotect(2) widen it. */
  access: Access
  readonly path: string | Buffer | undefined
  readonly isPrivate: boolean
  readonly sharedArrayBuffer: boolean
  readonly label: number
  byteLength = 0
  delta = 0
  fileOffset = 0
  fd: number | undefined = undefined
  pageSize = 0
  mapped = true
  /** Bytes of whole pages. */
  mapLength = 0
  /** Of the memory: mappings that share it have the same. */
  id = 0
  /** What views stand on, or will. */
  kind: CarrierKind
  /** What the engine had no room for when it was asked last: a view asks again. */
  #refused: CarrierKind = 'none'
  #carrier: Carrier | undefined
  /** It was opened with a `capacity`, and has not outgrown it. */
  #reserved = false
  /** Asynchronous operations that are not settled. */
  pending = 0
  /** What may be done with pages that were protected, or are not the mapping's any more. */
  protections: Protections | undefined = undefined
  /** How often that has changed, for all who share the memory. */
  #changes = 0
  /** The `Mapping`. */
  owner: object = this
  closed = false
  /** Work on other threads that somebody awaits: `close` ends it. */
  jobs: Set<{ close(): void }> | undefined = undefined

  /** The accessors' window: `length` bytes from `start`, of which setters may use `writable`. */
  view: DataView = NO_VIEW
  start = 0
  length = 0
  writable = 0
  /** Accesses that no window served yet. */
  misses = 0
  accessorWindows: AccessorWindows | undefined = undefined
  windows: Windows | undefined = undefined

  /** Tokens of the asynchronous waits in progress. */
  waits: Set<number> | undefined = undefined
  /** `wait` and `notify` on the pages that this mapping has now; made when they are needed. */
  sleep: ((byteOffset: number, expected: number, milliseconds: number) => number) | undefined = undefined
  wake: ((byteOffset: number, count: number) => number) | undefined = undefined

  /** Bytes of all buffers ever made over this mapping. */
  exportedBytes = 0
  /** The user transferred a buffer of ours: its memory is in one that we don't know. */
  moved = false

  /** The epoch at which this mapping was last known to be whole. */
  seen = epoch[0]!
  readonly #born = this.seen
  /** The first fault was published. */
  announced = false
  lastFault: MappingFault | null = null

  constructor(native: NativeMapping, origin: Origin) {
    planLater()
    this.native = native
    this.access = origin.access
    this.path = origin.path
    this.isPrivate = origin.isPrivate
    this.sharedArrayBuffer = origin.sharedArrayBuffer
    this.label = origin.label
    this.kind = origin.ownCarrier === true ? 'none' : chooseCarrier(origin.sharedArrayBuffer)
    // Views stand on what it makes: without it nothing is opened.
    if (this.kind !== 'external' && this.kind !== 'none') later()
    this.#learn()
    // Private pages cannot be in two places, so they move before anybody has used them.
    if (origin.isPrivate && isOverlay(this.kind) && this.mapLength > 0) {
      if (origin.staysPut === true) this.kind = 'none'
      else this.#carryIfPossible(true)
    }
  }

  #learn(): void {
    direct.describe(this.native, facts, this)
    this.byteLength = facts[0]!
    this.delta = facts[1]!
    this.fileOffset = facts[2]!
    this.fd = facts[3]! < 0 ? undefined : facts[3]!
    this.pageSize = facts[4]!
    this.mapped = facts[5] === 1
    this.mapLength = facts[6]!
    this.id = facts[7]!
    if (facts[10] === 1) warnOfLoss()
    this.#reserved = facts[8] === 1
    // Sealed since its handle was made.
    if (facts[9] !== 1 && this.access === 'write') this.access = 'read'
    this.learnRights(facts[11]!)
  }

  /** Whoever shares the memory may have protected some of it, and others may have been mapped over a part. */
  learnRights(changes: number): void {
    if (changes === this.#changes) return
    this.#changes = changes
    const count = direct.rights(this.native, rights)
    if (3 * count > rights.length) {
      rights = new Float64Array(6 * count)
      direct.rights(this.native, rights)
    }
    // mprotect(2) can give more than the mapping was opened for.
    if (this.access === 'read' && Protections.grantWrite(rights, count)) this.access = this.isPrivate ? 'copy' : 'write'
    this.protections = Protections.of(this.access === 'read' ? 'read' : 'write', rights, count, this.delta)
    this.#forgetWindows()
  }

  /** Asks the native side what is new. */
  refresh(): void {
    if (!this.closed) currentFault(this)
  }

  /** Where the user's last byte ends, counted as buffers are. */
  get end(): number {
    return this.delta + this.byteLength
  }

  /** The first line of every method that needs the memory. */
  checkOpen(): void {
    if (this.closed) throw invalidState()
    this.#checkPlace()
  }

  /** Where the engine has moved the memory away, the addresses are a stranger's by now. */
  #checkPlace(): void {
    if (this.#carrier !== undefined && this.isMoved) throw mappingFault(MOVED, this.path)
  }

  /** Whether it was opened for writing at all, whatever single pages allow. */
  checkAccess(syscall: string): void {
    if (epoch[0] !== this.seen) this.refresh()
    if (this.access === 'read') throw systemError('EACCES', syscall, this.path)
  }

  /** Checked writers never store into a `'read'` mapping. */
  checkWritable(syscall: string, position = 0, length = this.byteLength): void {
    this.checkAccess(syscall)
    const refusal = this.protections?.refusal('write', position, length)
    if (refusal !== undefined) throw systemError(refusal, syscall, this.path)
  }

  /** Checked readers never touch what `protect('none')` took away, nor what was mapped over the mapping. */
  checkReadable(position = 0, length = this.byteLength): void {
    if (epoch[0] !== this.seen) this.refresh()
    const refusal = this.protections?.refusal('read', position, length)
    if (refusal !== undefined) throw systemError(refusal, 'read', this.path)
  }

  /** Before and after each use of the memory. */
  checkFault(): void {
    this.#checkPlace()
    if (epoch[0] !== this.seen) this.settle()
  }

  /** Work on many bytes looks for faults itself: they are told as they are everywhere. */
  tell(error: unknown): unknown {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_MAPPING_FAULT' || this.closed) return error
    const fault = currentFault(this)
    return fault === null ? error : mappingFault(fault, this.path)
  }

  /** Native work on many bytes. */
  look<T>(action: () => T): T {
    this.checkFault()
    try {
      const found = action()
      this.checkFault()
      return found
    } catch (error) {
      throw this.tell(error)
    }
  }

  /**
   * Some mapping faulted, or its rights have changed. Throws if it was this one and its bytes cannot be trusted; a store to a protected page loses
   * nothing. True if its rights have changed: then what was read meanwhile is to be read again.
   */
  settle(): boolean {
    const now = epoch[0]!
    if (this.closed) return false
    const changes = this.#changes
    const fault = currentFault(this)
    if (fault !== null && fault.kind !== 'protected') throw mappingFault(fault, this.path)
    this.seen = now
    return this.#changes !== changes
  }

  /** What the `fault` property says. */
  get fault(): MappingFault | null {
    if (this.closed) return this.lastFault
    if (this.isMoved) return MOVED
    return epoch[0] === this.#born ? null : currentFault(this)
  }

  clearFault(): void {
    this.checkOpen()
    this.native.clearFault()
    this.lastFault = null
  }

  /** A buffer over the pages from `start` on (counted from the page-aligned base). Only where `kind` is 'external'. */
  export(start: number, length: number): ArrayBuffer {
    let buffer: ArrayBuffer | undefined
    try {
      buffer = direct.exportBuffer(this.native, start, length)
    } catch (error) {
      // The engine's own "Array buffer allocation failed" and its kin.
      if (error instanceof RangeError && !('code' in error)) throw bufferTooLarge(length - 1)
      throw error
    }
    // It was allowed when the engine was asked at first.
    if (buffer === undefined) throw viewsUnavailable()
    this.exportedBytes += length
    return buffer
  }

  /** The one buffer over everything, where `kind` is not 'external'. */
  whole(): ArrayBufferLike {
    if (this.#carrier?.lost?.() === true) {
      if (this.isPrivate) throw memoryTransferred()
      this.#letCarrierGo()
    }
    // Private pages have been used where they are by now.
    if (this.#refused !== 'none' && !this.isPrivate) this.kind = this.#refused
    const carrier = this.#carrier ?? this.#carry(false)
    if (carrier === undefined) throw viewsUnavailable()
    this.#checkPlace()
    return carrier.buffer
  }

  /** The same for accessors, which can do without. */
  wholeIfAny(): ArrayBufferLike | undefined {
    return (this.#carrier ?? this.#carryIfPossible(false))?.buffer
  }

  /** Where in `whole()` the mapping's first page is. */
  get wholeAt(): number {
    return this.#carrier?.at ?? 0
  }

  /** A carrier of the user's. */
  use(carrier: Carrier): void {
    this.#carrier = carrier
    this.kind = carrier.kind
  }

  /** A carrier of the user's can come to lie elsewhere, and its buffer can be replaced: no window on it is kept. */
  get isMovable(): boolean {
    return this.#carrier?.moved !== undefined
  }

  /** Whether the engine has moved the memory away. */
  get isMoved(): boolean {
    return this.#carrier?.moved?.() === true
  }

  /** Whether the engine's own memory, or a SharedArrayBuffer, stands on these pages. */
  get isCarried(): boolean {
    return this.#carrier !== undefined
  }

  #carry(adopt: boolean): Carrier | undefined {
    const { kind } = this
    if (kind === 'none' || kind === 'external') return undefined
    this.kind = 'none'
    this.#refused = kind
    const carrier = later().carry(this.native, kind, this.mapLength, this.pageSize, adopt, this.owner)
    if (carrier === undefined) return undefined
    this.#refused = 'none'
    this.use(carrier)
    return carrier
  }

  /** The user has it now; the file's pages are where they were. */
  #letCarrierGo(): void {
    this.#carrier?.release()
    this.#carrier = undefined
    this.#forgetWindows()
  }

  /** What goes wrong here is told to those who ask for a view. */
  #carryIfPossible(adopt: boolean): Carrier | undefined {
    try {
      return this.#carry(adopt)
    } catch {
      return undefined
    }
  }

  /** Another length: see `Mapping.resize`. */
  resize(length: number, mayMove: boolean): void {
    if (this.pending > 0 || this.isCarried) throw systemError('EBUSY', 'mremap', this.path)
    // What happened to memory that is replaced now is told under its id.
    if (epoch[0] !== this.#born) deliver()
    const moved = this.native.resize(length, mayMove)
    this.#forgetWindows()
    try {
      if (moved) this.native.resized(this.#detachAll())
      // Nothing moved inside its last page, but old views would have the old length.
      else if (!this.#reserved) this.#detachAll()
    } finally {
      this.accessorWindows = undefined
      this.windows = undefined
      if (moved) this.moved = false
      this.#learn()
      this.protections = this.protections?.cut(this.mapLength - this.delta)
    }
  }

  /** The accessors look for a window again. */
  #forgetWindows(): void {
    this.view = NO_VIEW
    this.start = this.length = this.writable = 0
    if (this.accessorWindows !== undefined) this.accessorWindows.reset()
  }

  /** After `protect`, with which there were so many changes: from now on every access asks first. */
  protect(kind: Protection, offset: number, length: number, changes: number): void {
    if (changes !== this.#changes + 1) {
      this.learnRights(changes)
      return
    }
    this.#changes = changes
    this.protections ??= new Protections(this.access === 'read' ? 'read' : 'write')
    this.protections = this.protections.set(kind, offset, offset + length)
    this.#forgetWindows()
  }

  /** After `seal`, which may have taken the right to write away even if it failed. */
  learnAccess(): void {
    direct.describe(this.native, facts, this)
    if (facts[9] === 1) return
    this.access = 'read'
    this.#forgetWindows()
  }

  /** An asynchronous operation: nothing is resized under it, and what it finds after `close()` does not count. */
  async whilePending<T>(operation: () => Promise<T>): Promise<T> {
    this.pending++
    try {
      const result = await operation()
      this.checkOpen()
      return result
    } catch (error) {
      this.checkOpen()
      throw recapture(this.tell(error))
    } finally {
      this.pending--
    }
  }

  /** The file is taken away first, then every buffer that is still reachable becomes length 0. */
  close(): void {
    if (this.closed) return
    if (epoch[0] !== this.#born) deliver()
    if (this.waits !== undefined) later().abandonWaits(this)
    // Pages that the engine moved away from are a stranger's by now: they must be forgotten before anything is put there.
    void this.isMoved
    this.closed = true
    for (const job of this.jobs ?? []) job.close()
    this.view = NO_VIEW
    this.start = this.length = this.writable = 0
    let viewsRemain = false
    let mustRelease = true
    try {
      mustRelease = direct.close(this.native)
    } finally {
      if (this.#carrier !== undefined) {
        viewsRemain = this.#carrier.release()
        // Operations in flight end when its buffer is collected: nothing of ours may keep it.
        this.#carrier = undefined
        this.windows = undefined
      }
      if (this.exportedBytes > 0) viewsRemain = this.#detachAll() || viewsRemain
      if (mustRelease) direct.release(this.native, viewsRemain ? 1 : 0)
    }
  }

  /** `true` when some view still reaches the memory: the user transferred its buffer, or marked it untransferable. */
  #detachAll(): boolean {
    let remain = this.moved
    for (const buffer of direct.exported(this.native)) {
      if (this.accessorWindows?.wasDropped(buffer)) continue
      if (buffer.byteLength === 0 || !detach(buffer)) remain = true
    }
    this.accessorWindows?.clear()
    this.windows?.clear()
    this.accessorWindows = undefined
    this.windows = undefined
    return remain
  }
}
