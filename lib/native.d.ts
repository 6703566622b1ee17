import type * as Binding from '../binding';
export declare const native: typeof Binding;
/** The same core, for what is called at every access (src/direct.rs says why). */
export declare const direct: {
    describe(mapping: Binding.NativeMapping, out: Float64Array, owner: object): void;
    exportBuffer(mapping: Binding.NativeMapping, start: number, length: number): ArrayBuffer | undefined;
    readInto(mapping: Binding.NativeMapping, target: Uint8Array, position: number): void;
    writeFrom(mapping: Binding.NativeMapping, source: Uint8Array, position: number): void;
    fault(mapping: Binding.NativeMapping, out: Float64Array): void;
    rights(mapping: Binding.NativeMapping, out: Float64Array): number;
    close(mapping: Binding.NativeMapping): boolean;
    exported(mapping: Binding.NativeMapping): ArrayBuffer[];
    release(mapping: Binding.NativeMapping, viewsRemain: number): void;
};
