import type * as Binding from '../binding';
/** `binding.js`, which napi generates. */
export declare const native: typeof Binding;
