import { load, prepare, store } from './accessor-misses'
import { Core } from './core'
import { illegalConstructor } from './errors'
import { epoch as sharedEpoch } from './faults'

/** A local name: looking it up in the module's exports at each access takes longer than the access. */
const epoch = sharedEpoch

/** The state of a mapping, for the other parts of the facade. */
let stateOf: (accessors: Accessors) => Core
let hasState: (value: unknown) => value is Accessors

/**
 * DataView's accessors over the whole mapping: any position, any alignment, big-endian unless `littleEndian` is true, values converted as
 * DataView does. Positions are bytes from the mapping's first byte.
 *
 * All of them throw `ERR_OUT_OF_RANGE` where the mapping has no such bytes, `ERR_INVALID_STATE` after `close()` and `ERR_MAPPING_FAULT` after
 * a fault; setters throw `EACCES` on a `'read'` mapping.
 *
 * The common path is written out in each method (a helper shared by all would see ten shapes of views and values and not be inlined):
 * an access inside of the current window costs bounds, the access, and one look at the guard's counter of faults. `load`, `prepare` and
 * `store` do everything else, values that must be converted too: that can run the user's code, which can close the mapping or move the
 * window away before the value is stored.
 */
export abstract class Accessors {
  readonly #core: Core

  static {
    stateOf = (accessors) => accessors.#core
    hasState = (value): value is Accessors => typeof value === 'object' && value !== null && #core in value
  }

  protected constructor(core: unknown) {
    // Core is not exported: only the package has one.
    if (!(core instanceof Core))
      throw illegalConstructor('MappedFile.open(), AnonymousMemory.create() or SharedMemory.create()')
    core.owner = this
    this.#core = core
  }

  /** Reads the signed 8-bit integer at a position. */
  getInt8(position: number): number {
    const core = this.#core
    const at = Number.isSafeInteger(position) ? position - core.start : -1
    if (at < 0 || at >= core.length) return load(core, position, 1).getInt8(0)
    const value = core.view.getInt8(at)
    if (epoch[0] !== core.seen && core.settle()) return this.getInt8(position)
    return value
  }

  /** Writes a signed 8-bit integer at a position. */
  setInt8(position: number, value: number): void {
    const core = this.#core
    const at = Number.isSafeInteger(position) ? position - core.start : -1
    if (at < 0 || at >= core.writable || typeof value !== 'number' || epoch[0] !== core.seen) {
      prepare(core, position, 1).setInt8(0, value)
      return store(core, position, 1)
    }
    core.view.setInt8(at, value)
    if (epoch[0] !== core.seen) core.settle()
  }

  /** Reads the unsigned 8-bit integer at a position. */
  getUint8(position: number): number {
    const core = this.#core
    const at = Number.isSafeInteger(position) ? position - core.start : -1
    if (at < 0 || at >= core.length) return load(core, position, 1).getUint8(0)
    const value = core.view.getUint8(at)
    if (epoch[0] !== core.seen && core.settle()) return this.getUint8(position)
    return value
  }

  /** Writes an unsigned 8-bit integer at a position. */
  setUint8(position: number, value: number): void {
    const core = this.#core
    const at = Number.isSafeInteger(position) ? position - core.start : -1
    if (at < 0 || at >= core.writable || typeof value !== 'number' || epoch[0] !== core.seen) {
      prepare(core, position, 1).setUint8(0, value)
      return store(core, position, 1)
    }
    core.view.setUint8(at, value)
    if (epoch[0] !== core.seen) core.settle()
  }

  /** Reads the signed 16-bit integer at a position. */
  getInt16(position: number, littleEndian?: boolean): number {
    const core = this.#core
    const at = Number.isSafeInteger(position) ? position - core.start : -1
    if (at < 0 || at + 2 > core.length) return load(core, position, 2).getInt16(0, littleEndian)
    const value = core.view.getInt16(at, littleEndian)
    if (epoch[0] !== core.seen && core.settle()) return this.getInt16(position, littleEndian)
    return value
  }

  /** Writes a signed 16-bit integer at a position. */
  setInt16(position: number, value: number, littleEndian?: boolean): void {
    const core = this.#core
    const at = Number.isSafeInteger(position) ? position - core.start : -1
    if (at < 0 || at + 2 > core.writable || typeof value !== 'number' || epoch[0] !== core.seen) {
      prepare(core, position, 2).setInt16(0, value, littleEndian)
      return store(core, position, 2)
    }
    core.view.setInt16(at, value, littleEndian)
    if (epoch[0] !== core.seen) core.settle()
  }

  /** Reads the unsigned 16-bit integer at a position. */
  getUint16(position: number, littleEndian?: boolean): number {
    const core = this.#core
    const at = Number.isSafeInteger(position) ? position - core.start : -1
    if (at < 0 || at + 2 > core.length) return load(core, position, 2).getUint16(0, littleEndian)
    const value = core.view.getUint16(at, littleEndian)
    if (epoch[0] !== core.seen && core.settle()) return this.getUint16(position, littleEndian)
    return value
  }

  /** Writes an unsigned 16-bit integer at a position. */
  setUint16(position: number, value: number, littleEndian?: boolean): void {
    const core = this.#core
    const at = Number.isSafeInteger(position) ? position - core.start : -1
    if (at < 0 || at + 2 > core.writable || typeof value !== 'number' || epoch[0] !== core.seen) {
      prepare(core, position, 2).setUint16(0, value, littleEndian)
      return store(core, position, 2)
    }
    core.view.setUint16(at, value, littleEndian)
    if (epoch[0] !== core.seen) core.settle()
  }

  /** Reads the signed 32-bit integer at a position. */
  getInt32(position: number, littleEndian?: boolean): number {
    const core = this.#core
    const at = Number.isSafeInteger(position) ? position - core.start : -1
    if (at < 0 || at + 4 > core.length) return load(core, position, 4).getInt32(0, littleEndian)
    const value = core.view.getInt32(at, littleEndian)
    if (epoch[0] !== core.seen && core.settle()) return this.getInt32(position, littleEndian)
    return value
  }

  /** Writes a signed 32-bit integer at a position. */
  setInt32(position: number, value: number, littleEndian?: boolean): void {
    const core = this.#core
    const at = Number.isSafeInteger(position) ? position - core.start : -1
    if (at < 0 || at + 4 > core.writable || typeof value !== 'number' || epoch[0] !== core.seen) {
      prepare(core, position, 4).setInt32(0, value, littleEndian)
      return store(core, position, 4)
    }
    core.view.setInt32(at, value, littleEndian)
    if (epoch[0] !== core.seen) core.settle()
  }

  /** Reads the unsigned 32-bit integer at a position. */
  getUint32(position: number, littleEndian?: boolean): number {
    const core = this.#core
    const at = Number.isSafeInteger(position) ? position - core.start : -1
    if (at < 0 || at + 4 > core.length) return load(core, position, 4).getUint32(0, littleEndian)
    const value = core.view.getUint32(at, littleEndian)
    if (epoch[0] !== core.seen && core.settle()) return this.getUint32(position, littleEndian)
    return value
  }

  /** Writes an unsigned 32-bit integer at a position. */
  setUint32(position: number, value: number, littleEndian?: boolean): void {
    const core = this.#core
    const at = Number.isSafeInteger(position) ? position - core.start : -1
    if (at < 0 || at + 4 > core.writable || typeof value !== 'number' || epoch[0] !== core.seen) {
      prepare(core, position, 4).setUint32(0, value, littleEndian)
      return store(core, position, 4)
    }
    core.view.setUint32(at, value, littleEndian)
    if (epoch[0] !== core.seen) core.settle()
  }

  /** Reads the 32-bit float at a position. */
  getFloat32(position: number, littleEndian?: boolean): number {
    const core = this.#core
    const at = Number.isSafeInteger(position) ? position - core.start : -1
    if (at < 0 || at + 4 > core.length) return load(core, position, 4).getFloat32(0, littleEndian)
    const value = core.view.getFloat32(at, littleEndian)
    if (epoch[0] !== core.seen && core.settle()) return this.getFloat32(position, littleEndian)
    return value
  }

  /** Writes a 32-bit float at a position. */
  setFloat32(position: number, value: number, littleEndian?: boolean): void {
    const core = this.#core
    const at = Number.isSafeInteger(position) ? position - core.start : -1
    if (at < 0 || at + 4 > core.writable || typeof value !== 'number' || epoch[0] !== core.seen) {
      prepare(core, position, 4).setFloat32(0, value, littleEndian)
      return store(core, position, 4)
    }
    core.view.setFloat32(at, value, littleEndian)
    if (epoch[0] !== core.seen) core.settle()
  }

  /** Reads the 64-bit float at a position. */
  getFloat64(position: number, littleEndian?: boolean): number {
    const core = this.#core
    const at = Number.isSafeInteger(position) ? position - core.start : -1
    if (at < 0 || at + 8 > core.length) return load(core, position, 8).getFloat64(0, littleEndian)
    const value = core.view.getFloat64(at, littleEndian)
    if (epoch[0] !== core.seen && core.settle()) return this.getFloat64(position, littleEndian)
    return value
  }

  /** Writes a 64-bit float at a position. */
  setFloat64(position: number, value: number, littleEndian?: boolean): void {
    const core = this.#core
    const at = Number.isSafeInteger(position) ? position - core.start : -1
    if (at < 0 || at + 8 > core.writable || typeof value !== 'number' || epoch[0] !== core.seen) {
      prepare(core, position, 8).setFloat64(0, value, littleEndian)
      return store(core, position, 8)
    }
    core.view.setFloat64(at, value, littleEndian)
    if (epoch[0] !== core.seen) core.settle()
  }

  /** Reads the signed 64-bit integer at a position. */
  getBigInt64(position: number, littleEndian?: boolean): bigint {
    const core = this.#core
    const at = Number.isSafeInteger(position) ? position - core.start : -1
    if (at < 0 || at + 8 > core.length) return load(core, position, 8).getBigInt64(0, littleEndian)
    const value = core.view.getBigInt64(at, littleEndian)
    if (epoch[0] !== core.seen && core.settle()) return this.getBigInt64(position, littleEndian)
    return value
  }

  /** Writes a signed 64-bit integer at a position. */
  setBigInt64(position: number, value: bigint, littleEndian?: boolean): void {
    const core = this.#core
    const at = Number.isSafeInteger(position) ? position - core.start : -1
    if (at < 0 || at + 8 > core.writable || typeof value !== 'bigint' || epoch[0] !== core.seen) {
      prepare(core, position, 8).setBigInt64(0, value, littleEndian)
      return store(core, position, 8)
    }
    core.view.setBigInt64(at, value, littleEndian)
    if (epoch[0] !== core.seen) core.settle()
  }

  /** Reads the unsigned 64-bit integer at a position. */
  getBigUint64(position: number, littleEndian?: boolean): bigint {
    const core = this.#core
    const at = Number.isSafeInteger(position) ? position - core.start : -1
    if (at < 0 || at + 8 > core.length) return load(core, position, 8).getBigUint64(0, littleEndian)
    const value = core.view.getBigUint64(at, littleEndian)
    if (epoch[0] !== core.seen && core.settle()) return this.getBigUint64(position, littleEndian)
    return value
  }

  /** Writes an unsigned 64-bit integer at a position. */
  setBigUint64(position: number, value: bigint, littleEndian?: boolean): void {
    const core = this.#core
    const at = Number.isSafeInteger(position) ? position - core.start : -1
    if (at < 0 || at + 8 > core.writable || typeof value !== 'bigint' || epoch[0] !== core.seen) {
      prepare(core, position, 8).setBigUint64(0, value, littleEndian)
      return store(core, position, 8)
    }
    core.view.setBigUint64(at, value, littleEndian)
    if (epoch[0] !== core.seen) core.settle()
  }
}

export { hasState, stateOf }
