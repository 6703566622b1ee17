import type * as Binding from '../binding';
export declare const native: typeof Binding;
