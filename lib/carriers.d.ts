import type { NativeMapping } from '../binding';
/** What views of a mapping stand on. */
export type CarrierKind = 'external' | 'shared' | 'wasm' | 'resizable' | 'none';
/** One buffer over a whole mapping, from the page-aligned base. */
export interface Carrier {
    readonly kind: 'shared' | 'wasm' | 'resizable';
    readonly buffer: ArrayBufferLike;
    /** After the file was taken away; `true` when views still reach the memory, which reads zeros then. */
    release(): boolean;
}
/** What the views of a new mapping will stand on. */
export declare function chooseCarrier(sharedArrayBuffer: boolean): CarrierKind;
/** `isSupported('views')`. */
export declare function viewsSupported(): boolean;
/** Whether the pages of a private mapping must move onto the carrier: they cannot be in two places. */
export declare function isOverlay(kind: CarrierKind): boolean;
/** Puts `length` bytes (whole pages) on a carrier; `undefined` where none can be had. `adopt`: its pages become the only true ones. */
export declare function carry(mapping: NativeMapping, kind: CarrierKind, length: number, adopt: boolean, owner: object): Carrier | undefined;
