import { coded } from '../errors'

/** Not a log of ours: nothing was written. */
export function logFormat(path: string, why: string): Error {
  return Object.assign(coded(Error, 'ERR_LOG_FORMAT', `'${path}' is ${why}. Nothing was written`), { path })
}

/** A flush failed, or the memory of the segment did: what was appended since the last good flush may be gone. */
export function logFailed(cause: unknown): Error {
  const why = cause instanceof Error ? cause.message : String(cause)
  const message = `The log failed and takes no more records until it is opened again: ${why}`
  return Object.assign(coded(Error, 'ERR_LOG_FAILED', message), { cause })
}

/** Use after `close()`. */
export function logClosed(): Error {
  return coded(Error, 'ERR_INVALID_STATE', 'Invalid state: the log is closed')
}

/** A writing call on a log that was opened with `readOnly`. */
export function logReadOnly(): Error {
  return coded(Error, 'ERR_INVALID_STATE', 'Invalid state: the log was opened with readOnly')
}

/** What stands at a position is no record, but was one. */
export function logDamaged(position: number): Error {
  return Object.assign(coded(Error, 'ERR_LOG_DAMAGED', `The record at ${position} is damaged`), { position })
}
