/** A C `int` or `unsigned`: bits of a flag, a descriptor, an id. A constant that this platform lacks throws its ENOTSUP here. */
export declare function int(value: unknown, name: string): number;
/** A `size_t`. */
export declare function size(value: unknown, name: string): bigint;
/** An `off_t`, which may be negative: the kernel says what it thinks of that. */
export declare function fileOffset(value: unknown, name: string): bigint;
/** A wished address; `null`: wherever the kernel likes. */
export declare function hint(value: unknown, name: string): bigint;
/** Of a mapping, or inside of one: whose it is, the native side knows. */
export declare function addressOf(value: unknown, name: string): bigint;
/** A C string. */
export declare function text(value: unknown, name: string): string;
