/**
 * `memmap/log`: an append-only log that a crash cannot take. The class is in `lib/log/log.ts`, the format in `docs/formats.md`.
 */
export { MappedLog } from './log'
export { LogWritable } from './writable'

export type { LogDirectory, LogStats, TailOptions } from './log'
export type { LogOptions } from './options'
export type { LogRecord } from './reader'
export type { LogRecovery } from './recovery'
export type { LogWritableOptions } from './writable'
