import { epoch } from '../faults'
import * as flag from '../flags'
import { direct, native } from '../native'
import { SEALED, SEALED_AT, seedOf, writeMarks } from './format'
import { bufferOf, coreOf } from './map'

import type { Core } from '../core'
import type { NativeMapping, NativeSegmentMaker } from '../../binding'
import type { Header, Marks } from './format'

/** The segment that is written: mapped, with views. Plain fields, as `append` uses them for every record. */
export class Segment {
  readonly path: string
  readonly header: Header
  readonly base: number
  readonly length: number
  readonly core: Core
  readonly words: Int32Array
  readonly bytes: Buffer
  /** Finishes a record: its CRC where the length of its payload stands, then its word. */
  readonly seal: (offset: number) => void
  #turn = 0

  /** `stage`: the buffer of several segments, and where in it this one lies. */
  constructor(path: string, header: Header, mapping: NativeMapping, stage?: ArrayBuffer, at = 0) {
    this.path = path
    this.header = header
    this.base = header.base
    this.length = header.length
    this.core = coreOf(mapping, 'write', path)
    const buffer = stage ?? bufferOf(this.core)
    this.words = new Int32Array(buffer, at, header.length / 4)
    this.bytes = Buffer.from(buffer as ArrayBuffer, at, header.length)
    this.seal = mapping.sealer(seedOf(header.id, header.number))
  }

  /** Maps a segment that is there, at its full length. */
  static open(path: string, header: Header): Segment {
    const mapping = native.NativeMapping.openSync(path, flag.ACCESS_WRITE, 0, header.length, 0, 0)
    // As in those that are made (src/log/pages.rs): nothing is read ahead. Elsewhere the system decides.
    if (process.platform === 'linux' || process.platform === 'android') mapping.advise('random', 0, header.length)
    return new Segment(path, header, mapping)
  }

  /** The log goes on in the next segment, which exists. */
  sealAt(offset: number): void {
    this.words[(offset >> 2) + 1] = SEALED
    new DataView(this.bytes.buffer, this.bytes.byteOffset).setBigUint64(SEALED_AT, BigInt(Date.now()), LITTLE)
    this.seal(offset)
  }

  mark(marks: Marks): void {
    // A flush may end after the log was closed. The memory is no segment's any more, or another one's.
    if (this.core.closed) return
    writeMarks(this.bytes, this.header, marks, this.#turn++)
  }

  /** Throws if the memory is not the file's any more. */
  check(): void {
    if (epoch[0] !== this.core.seen) this.core.settle()
  }

  /**
   * Unmaps the file. The views are not detached: nobody else has them, and detaching any buffer makes typed arrays of the whole isolate
   * slower. With a `maker` on its thread.
   */
  close(maker?: NativeSegmentMaker): void {
    if (this.core.closed) return
    if (this.core.isCarried) return this.core.close()
    this.core.closed = true
    const { native: mapping } = this.core
    if (maker !== undefined) return maker.retire(mapping)
    direct.close(mapping)
    direct.release(mapping, 1)
  }
}

const LITTLE = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1
