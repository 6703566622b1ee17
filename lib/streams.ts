import { stateOf } from './accessors'
import { Ahead } from './ahead'
import { abortError } from './errors'
import { taskOf } from './jobs'
import { rangeOf, within } from './options'
import { Turns } from './turns'
import { byteCount, checkInteger, optionsOf } from './validate'

import type { Buffer } from 'node:buffer'
import type { Readable, Writable } from 'node:stream'
import type { Checked } from './checked'
import type { Core } from './core'

/** Default size of a chunk of `chunks`, in bytes. */
const CHUNK = 1 << 20
/** Default `highWaterMark` of `createReadStream`, as of `fs.createReadStream`. */
const HIGH_WATER_MARK = 64 << 10

/** Only when somebody wants a stream: it is the dearest of all that loading this package could bring. */
const streams = (): typeof import('node:stream') => require('node:stream') as typeof import('node:stream')

/** Views of a range, one after the other; each is in memory before it is handed out. */
export function chunksOf<T>(
  core: Core,
  options: unknown,
  view: (begin: number, end: number) => T,
): AsyncIterableIterator<T> {
  core.checkOpen()
  const given = options === undefined ? {} : optionsOf(options, ['offset', 'length', 'size', 'signal'], 'chunks')
  const { offset, length } = within(given, core)
  const size = given['size'] === undefined ? CHUNK : byteCount(given['size'], 'options.size')
  checkInteger(size, 'options.size', 1)
  const { signal } = taskOf(given)
  return iterate(core, offset, offset + length, size, signal, view)
}

async function* iterate<T>(
  core: Core,
  from: number,
  end: number,
  size: number,
  signal: AbortSignal | undefined,
  view: (begin: number, end: number) => T,
): AsyncGenerator<T, undefined> {
  const ahead = new Ahead(core, from, end, size, signal)
  const turns = new Turns()
  try {
    for (let at = from; at < Math.min(end, core.byteLength); at += size) {
      if (turns.isOver) await turns.next()
      if (signal?.aborted === true) throw abortError(signal.reason)
      core.checkOpen()
      await ahead.ready(at, Math.min(at + size, end))
      core.checkOpen()
      // It may be shorter than it was.
      const to = Math.min(at + size, end, core.byteLength)
      if (to <= at) return undefined
      core.checkReadable(at, to - at)
      core.checkFault()
      yield view(at, to)
    }
  } finally {
    ahead.stop()
  }
  return undefined
}

/** Copies, not views: what is in flight in a pipeline keeps its bytes when the mapping is closed or the file changes. */
export function readStreamOf(mapping: Checked, options: unknown): Readable {
  const core = stateOf(mapping)
  core.checkOpen()
  const known = ['offset', 'length', 'highWaterMark', 'signal'] as const
  const given = options === undefined ? {} : optionsOf(options, known, 'createReadStream')
  const { offset, length } = within(given, core)
  const highWaterMark =
    given['highWaterMark'] === undefined ? HIGH_WATER_MARK : byteCount(given['highWaterMark'], 'options.highWaterMark')
  checkInteger(highWaterMark, 'options.highWaterMark', 1)
  const { signal } = taskOf(given)
  const end = offset + length
  const ahead = new Ahead(core, offset, end, highWaterMark)
  const turns = new Turns()
  let at = offset

  /** `undefined`: it was destroyed meanwhile. */
  const next = async (stream: Readable): Promise<Buffer | null | undefined> => {
    core.checkOpen()
    // Never at once, even if all is there: what is pushed while the reader reads is joined to the piece before it.
    await ahead.ready(at, Math.min(at + highWaterMark, end))
    if (turns.isOver) await turns.next()
    if (stream.destroyed) return undefined
    core.checkOpen()
    const from = at
    // It may be shorter than it was.
    at = Math.max(from, Math.min(from + highWaterMark, end, core.byteLength))
    return from < at ? mapping.read(from, at - from) : null
  }

  return new (streams().Readable)({
    highWaterMark,
    ...(signal === undefined ? {} : { signal }),
    read() {
      next(this).then(
        // What a listener throws is its own, and uncaught.
        (chunk) => chunk !== undefined && this.push(chunk),
        (error: Error) => this.destroy(error),
      )
    },
    destroy(error, done) {
      ahead.stop()
      done(error)
    },
  })
}

/** Each write is copied to the mapping whole, or, past the end, refused whole. */
export function writeStreamOf(mapping: Checked, options: unknown): Writable {
  const core = stateOf(mapping)
  core.checkOpen()
  const { offset, length } = rangeOf(options, core, 'createWriteStream')
  // Each write looks at its own range.
  core.checkAccess('write')
  const end = offset + length
  let at = offset
  return new (streams().Writable)({
    write(chunk: Buffer, _encoding, done) {
      try {
        core.checkOpen()
        checkInteger(at + chunk.length, 'position + length', 0, end)
        at += mapping.write(chunk, at)
        done()
      } catch (error) {
        done(error as Error)
      }
    },
  })
}
