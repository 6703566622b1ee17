import { Core } from './core';
/** The state of a mapping, for the other parts of the facade. */
declare let stateOf: (accessors: Accessors) => Core;
declare let hasState: (value: unknown) => value is Accessors;
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
export declare abstract class Accessors {
    #private;
    protected constructor(core: unknown);
    /** Reads the signed 8-bit integer at a position. */
    getInt8(position: number): number;
    /** Writes a signed 8-bit integer at a position. */
    setInt8(position: number, value: number): void;
    /** Reads the unsigned 8-bit integer at a position. */
    getUint8(position: number): number;
    /** Writes an unsigned 8-bit integer at a position. */
    setUint8(position: number, value: number): void;
    /** Reads the signed 16-bit integer at a position. */
    getInt16(position: number, littleEndian?: boolean): number;
    /** Writes a signed 16-bit integer at a position. */
    setInt16(position: number, value: number, littleEndian?: boolean): void;
    /** Reads the unsigned 16-bit integer at a position. */
    getUint16(position: number, littleEndian?: boolean): number;
    /** Writes an unsigned 16-bit integer at a position. */
    setUint16(position: number, value: number, littleEndian?: boolean): void;
    /** Reads the signed 32-bit integer at a position. */
    getInt32(position: number, littleEndian?: boolean): number;
    /** Writes a signed 32-bit integer at a position. */
    setInt32(position: number, value: number, littleEndian?: boolean): void;
    /** Reads the unsigned 32-bit integer at a position. */
    getUint32(position: number, littleEndian?: boolean): number;
    /** Writes an unsigned 32-bit integer at a position. */
    setUint32(position: number, value: number, littleEndian?: boolean): void;
    /** Reads the 32-bit float at a position. */
    getFloat32(position: number, littleEndian?: boolean): number;
    /** Writes a 32-bit float at a position. */
    setFloat32(position: number, value: number, littleEndian?: boolean): void;
    /** Reads the 64-bit float at a position. */
    getFloat64(position: number, littleEndian?: boolean): number;
    /** Writes a 64-bit float at a position. */
    setFloat64(position: number, value: number, littleEndian?: boolean): void;
    /** Reads the signed 64-bit integer at a position. */
    getBigInt64(position: number, littleEndian?: boolean): bigint;
    /** Writes a signed 64-bit integer at a position. */
    setBigInt64(position: number, value: bigint, littleEndian?: boolean): void;
    /** Reads the unsigned 64-bit integer at a position. */
    getBigUint64(position: number, littleEndian?: boolean): bigint;
    /** Writes an unsigned 64-bit integer at a position. */
    setBigUint64(position: number, value: bigint, littleEndian?: boolean): void;
}
export { hasState, stateOf };
