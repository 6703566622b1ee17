import type { NativeMapping } from '../binding';
import type { Carrier, CarrierKind } from './carriers';
/** Puts `length` bytes (whole pages of `page` bytes) on a carrier; `undefined` where none can be had. `adopt`: its pages become the only true ones. */
export declare function carry(mapping: NativeMapping, kind: CarrierKind, length: number, page: number, adopt: boolean, owner: object): Carrier | undefined;
/**
 * A WebAssembly memory of the user's as carrier: he may grow it, which makes another buffer over the same pages, or over others.
 * Nothing is ever detached, as the other views are his own.
 */
export declare function openedCarrier(mapping: NativeMapping, memory: UsersMemory, at: number, length: number, adopt: boolean, owner: object, closed: () => void): Carrier;
/** A WebAssembly memory, and where to ask for its buffer. */
export interface UsersMemory {
    readonly memory: object;
    buffer(): ArrayBufferLike;
}
