/**
 * The bits that `lib/options.ts` sends to `src/request.rs`. An absent access bit is `'read'`.
 */
export const ACCESS_WRITE = 1
export const ACCESS_COPY = 2
export const CREATE = 4
export const EXCLUSIVE = 8
export const SPARSE = 16
export const EXEC = 32
export const POPULATE = 64
export const NO_RESERVE = 128
export const LOCK = 256
export const HUGE = 512
export const UNSAFE_COPY = 2048
export const UNSAFE_THROW = 4096
/** `'read'` as private pages: the engine may make them writable behind our back. */
export const PRIVATE_READ = 8192

/** The bits of `flush` and `flushSync`. */
export const FLUSH_NO_WAIT = 1
export const FLUSH_INVALIDATE = 2
