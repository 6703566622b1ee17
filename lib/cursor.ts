import { Buffer } from 'node:buffer'

import { stateOf } from './accessors'
import { invalidArgValue, outOfRange } from './errors'
import { checkInteger } from './validate'

import type { Core } from './core'
import type { Checked } from './checked'
import type { Bytes, Cursor } from './types'

const NEWLINE = Uint8Array.of(10)

/** A position in a mapping that reads and writes move, as in a file. The face of Python's mmap object. */
export class MappingCursor implements Cursor {
  readonly #mapping: Checked
  readonly #core: Core
  #position = 0

  constructor(mapping: Checked) {
    this.#mapping = mapping
    this.#core = stateOf(mapping)
  }

  read(length?: number): Buffer<ArrayBuffer> {
    if (length !== undefined) checkInteger(length, 'length')
    return this.#take(Math.min(length ?? Infinity, this.#rest()))
  }

  readByte(): number {
    if (this.#rest() === 0) throw outOfRange('position', `< ${this.#core.byteLength}`, this.#position)
    const value = this.#mapping.getUint8(this.#position)
    this.#position++
    return value
  }

  readLine(): Buffer<ArrayBuffer> {
    const rest = this.#rest()
    if (rest === 0) return Buffer.alloc(0)
    this.#core.checkReadable(this.#position, rest)
    const newline = this.#core.look(() => this.#core.native.indexOf(NEWLINE, this.#position, this.#core.byteLength))
    return this.#take(newline < 0 ? rest : newline + 1 - this.#position)
  }

  write(data: string | Bytes): number {
    const length = this.#mapping.write(data, this.#position)
    this.#position += length
    return length
  }

  writeByte(value: number): void {
    checkInteger(value, 'value', 0, 255)
    // Behind the end it is the error of `write`.
    if (this.#rest() === 0) return void this.write(Uint8Array.of(value))
    this.#mapping.setUint8(this.#position, value)
    this.#position++
  }

  seek(offset: number, whence: 'set' | 'cur' | 'end' = 'set'): number {
    this.#core.checkOpen()
    const size = this.#core.byteLength
    const bases = { set: 0, cur: this.#position, end: size }
    if (!Object.hasOwn(bases, whence)) throw invalidArgValue('whence', whence, "must be 'set', 'cur' or 'end'")
    const base = bases[whence]
    checkInteger(offset, 'offset', -base, size - base)
    return (this.#position = base + offset)
  }

  tell(): number {
    this.#core.checkOpen()
    return this.#position
  }

  size(): number {
    this.#core.checkOpen()
    return this.#core.native.size()
  }

  #rest(): number {
    this.#core.checkOpen()
    return Math.max(0, this.#core.byteLength - this.#position)
  }

  #take(length: number): Buffer<ArrayBuffer> {
    const bytes = this.#mapping.read(Math.min(this.#position, this.#core.byteLength), length)
    this.#position += length
    return bytes
  }
}
