import { bufferTooLarge, invalidState, mappingFault, systemError, viewsUnavailable } from './errors'
import { detach } from './detach'
import { abandonWaits } from './wait'
import { announce, currentFault, epoch, register, unregister } from './faults'

import type { AccessorWindows } from './accessor-windows'
import type { NativeMapping } from '../binding'
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
}

const facts = new Float64Array(8)

/**
 * The state behind a `Mapping`: plain fields for the parts of the facade, out of reach of users.
 *
 * Positions count from the user's first byte. Buffers count from the first byte of its page, `delta` bytes before.
 */
export class Core {
  readonly native: NativeMapping
  readonly access: Access
  readonly path: string | Buffer | undefined
  readonly isPrivate: boolean
  readonly byteLength: number
  readonly delta: number
  readonly fileOffset: number
  readonly fd: number | undefined
  readonly pageSize: number
  readonly mapped: boolean
  readonly id: number
  /** The `Mapping`. */
  owner: object = this
  closed = false

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

  /** Bytes of all buffers ever made over this mapping. */
  exportedBytes = 0
  /** The engine refuses buffers over foreign memory. */
  refused = false
  /** The user transferred a buffer of ours: its memory is in one that we don't know. */
  moved = false

  /** The epoch at which this mapping was last known to be whole. */
  seen = epoch[0]!
  readonly #born = this.seen
  /** How many faults were published. */
  faults = 0
  lastFault: MappingFault | null = null

  constructor(native: NativeMapping, origin: Origin) {
    native.describe(facts)
    this.native = native
    this.access = origin.access
    this.path = origin.path
    this.isPrivate = origin.isPrivate
    this.byteLength = facts[0]!
    this.delta = facts[1]!
    this.fileOffset = facts[2]!
    this.fd = facts[3]! < 0 ? undefined : facts[3]!
    this.pageSize = facts[4]!
    this.mapped = facts[5] === 1
    this.id = facts[7]!
    register(this)
  }

  /** Where the user's last byte ends, counted as buffers are. */
  get end(): number {
    return this.delta + this.byteLength
  }

  /** The first line of every method that needs the memory. */
  checkOpen(): void {
    if (this.closed) throw invalidState()
  }

  /** Checked writers never store into a `'read'` mapping. */
  checkWritable(syscall: string): void {
    if (this.access === 'read') throw systemError('EACCES', syscall, this.path)
  }

  /** Before and after each use of the memory. */
  checkFault(): void {
    if (epoch[0] !== this.seen) this.settle()
  }

  /** Some mapping faulted. Throws if it was this one and its bytes cannot be trusted; a store to a protected page loses nothing. */
  settle(): void {
    const now = epoch[0]!
    if (this.closed) return
    const fault = currentFault(this)
    if (fault !== null && fault.kind !== 'protected') throw mappingFault(fault, this.path)
    this.seen = now
  }

  /** What the `fault` property says. */
  get fault(): MappingFault | null {
    if (this.closed) return this.lastFault
    return epoch[0] === this.#born ? null : currentFault(this)
  }

  clearFault(): void {
    this.checkOpen()
    this.native.clearFault()
    this.lastFault = null
  }

  /** A buffer over the pages from `start` on (counted from the page-aligned base); `undefined` where the engine allows none. */
  tryExport(start: number, length: number): ArrayBuffer | undefined {
    if (this.refused) return undefined
    let buffer: ArrayBuffer | undefined
    try {
      buffer = this.native.exportBuffer(start, length)
    } catch (error) {
      // The engine's own "Array buffer allocation failed" and its kin.
      if (error instanceof RangeError && !('code' in error)) throw bufferTooLarge(length - 1)
      throw error
    }
    if (buffer === undefined) this.refused = true
    else this.exportedBytes += length
    return buffer
  }

  /** As above, for those who cannot do without. */
  export(start: number, length: number): ArrayBuffer {
    const buffer = this.tryExport(start, length)
    if (buffer === undefined) throw viewsUnavailable()
    return buffer
  }

  /** The file is taken away first, then every buffer that is still reachable becomes length 0. */
  close(): void {
    if (this.closed) return
    if (epoch[0] !== this.#born) announce(this)
    unregister(this)
    abandonWaits(this)
    this.closed = true
    this.view = NO_VIEW
    this.start = this.length = this.writable = 0
    let viewsRemain = false
    try {
      this.native.close()
    } finally {
      if (this.exportedBytes > 0) viewsRemain = this.#detachAll()
      this.native.release(viewsRemain)
    }
  }

  /** `true` when some view still reaches the memory: the user transferred its buffer, or marked it untransferable. */
  #detachAll(): boolean {
    let remain = this.moved
    for (const buffer of this.native.exported()) {
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
