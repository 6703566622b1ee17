/**
 * The bits that `lib/options.ts` sends to `src/request.rs`. An absent access bit is `'read'`.
 */
export declare const ACCESS_WRITE = 1;
export declare const ACCESS_COPY = 2;
export declare const CREATE = 4;
export declare const EXCLUSIVE = 8;
export declare const SPARSE = 16;
export declare const EXEC = 32;
export declare const POPULATE = 64;
export declare const NO_RESERVE = 128;
export declare const LOCK = 256;
export declare const HUGE = 512;
export declare const UNSAFE_COPY = 2048;
export declare const UNSAFE_THROW = 4096;
/** `'read'` as private pages: the engine may make them writable behind our back. */
export declare const PRIVATE_READ = 8192;
/** The bits of `flush` and `flushSync`. */
export declare const FLUSH_NO_WAIT = 1;
export declare const FLUSH_INVALIDATE = 2;
