/** What views of a mapping stand on. */
export type CarrierKind = 'external' | 'shared' | 'wasm' | 'resizable' | 'none';
/** One buffer over a whole mapping, from the page-aligned base. */
export interface Carrier {
    readonly kind: 'shared' | 'wasm' | 'resizable';
    readonly buffer: ArrayBufferLike;
    /** Where in the buffer the mapping's first page is. Absent: 0. */
    readonly at?: number;
    /** Whether the engine has moved the memory away from the mapping (a memory of the user's only). Absent: it cannot. */
    moved?(): boolean;
    /** Whether the user has transferred the buffer: its pages are not the mapping's any more. */
    lost?(): boolean;
    /** After the file was taken away; `true` when views still reach the memory, which reads zeros then. */
    release(): boolean;
}
/** What the views of a new mapping will stand on. */
export declare function chooseCarrier(sharedArrayBuffer: boolean): CarrierKind;
/** `isSupported('views')`. */
export declare function viewsSupported(): boolean;
/**
 * `isSupported('wasm')`: Linux and macOS. Bun's memories move and its engine has none of V8's guarantees; 32-bit address spaces have no room.
 */
export declare function wasmSupported(): boolean;
/** Whether the pages of a private mapping must move onto the carrier: they cannot be in two places. */
export declare function isOverlay(kind: CarrierKind): boolean;
/** Where a carrier is forced, SharedArrayBuffers are those that the cage has. */
export declare function sharedAllowed(): boolean;
