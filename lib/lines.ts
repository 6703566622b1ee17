import { Buffer, isAscii, isUtf8, transcode } from 'node:buffer'

import { Ahead } from './ahead'
import { Batches } from './batches'
import { invalidArgType, invalidArgValue } from './errors'
import { taskOf } from './jobs'
import { within } from './options'
import { Progress } from './progress'
import { checkInteger, optionsOf } from './validate'

import type { Core } from './core'
import type { Task } from './types'

type Encoding = 'utf8' | 'latin1'

/**
 * How much is decoded at once. A line that is kept keeps the text of its block alive: so blocks are small, as readline's are. Larger ones are slower
 * too: the engine makes large strings outside of its young generation (benchmark/cases/lines.mjs).
 */
const BLOCK = 64 << 10
const NEWLINE = Uint8Array.of(10)
const LINES = ['encoding', 'offset', 'length', 'signal', 'onProgress'] as const
/** V8 before 13 (Node 20 and 22) takes 3 ns for a byte of UTF-8 that is not ASCII; by way of UTF-16 it is 0.5 (0.1 without the detour since then). */
const DETOUR =
  process.versions['bun'] === undefined &&
  Number.parseInt(process.versions.v8, 10) < 13 &&
  typeof transcode === 'function'
const END: IteratorReturnResult<undefined> = Object.freeze({ value: undefined, done: true })

/**
 * Cuts bytes into blocks of whole lines. A newline is never part of another character in UTF-8, so no block splits one.
 */
class Blocks {
  #buffer = Buffer.allocUnsafe(BLOCK)
  #position: number
  readonly progress: Progress

  constructor(
    readonly core: Core,
    readonly from: number,
    readonly end: number,
    readonly encoding: Encoding,
    task: Task = {},
  ) {
    this.#position = from
    this.progress = new Progress(task, end - from)
  }

  get position(): number {
    return this.#position
  }

  /** The text of the next block, up to its last newline; at the end what comes after that one; '' when that was all. */
  next(): string {
    const { core, end } = this
    core.checkOpen()
    core.checkFault()
    this.progress.check()
    const from = this.#position
    if (from > this.from) this.progress.tell(from - this.from)
    if (from >= end) return ''
    let had = 0
    for (;;) {
      const length = Math.min(this.#buffer.length, end - from)
      core.checkReadable(from, length)
      core.native.readInto(this.#buffer.subarray(had, length), from + had)
      core.checkFault()
      const last = this.#buffer.subarray(had, length).lastIndexOf(10)
      if (last >= 0) return this.#decode(had + last + 1)
      if (from + length >= end) return this.#decode(length)
      // A line longer than the block.
      had = length
      const larger = Buffer.allocUnsafe(this.#buffer.length * 2)
      this.#buffer.copy(larger, 0, 0, had)
      this.#buffer = larger
    }
  }

  /** Plain ASCII, as most text is: decoded as latin1 it takes half the time. */
  #decode(length: number): string {
    this.#position += length
    const bytes = this.#buffer.subarray(0, length)
    if (this.encoding === 'latin1' || isAscii(bytes)) return bytes.toString('latin1')
    // Only what is well-formed takes the detour: how many U+FFFD the rest gives is the decoder's to say.
    return DETOUR && isUtf8(bytes) ? transcode(bytes, 'utf8', 'utf16le').toString('utf16le') : bytes.toString('utf8')
  }
}

/** The lines of one text: each is cut when it is asked for, which is faster than a split of the whole. */
class TextLines implements Iterator<string, undefined> {
  #text = ''
  #at = 0
  /** Whether to look for `\r\n` at all. */
  #returns = false

  /** From here on these. `false`: there is none. */
  begin(text: string): boolean {
    this.#text = text
    this.#at = 0
    this.#returns = text.includes('\r')
    return text !== ''
  }

  next(): IteratorResult<string, undefined> {
    const text = this.#text
    const at = this.#at
    if (at >= text.length) return END
    let end = text.indexOf('\n', at)
    if (end < 0) {
      // Without a newline behind it a `\r` is the line's own.
      this.#at = text.length
      return { value: text.slice(at), done: false }
    }
    this.#at = end + 1
    if (this.#returns && end > at && text.charCodeAt(end - 1) === 13) end--
    return { value: text.slice(at, end), done: false }
  }
}

/** What `lines` returns: each iteration begins anew. */
export class Lines implements Iterable<string>, AsyncIterable<string> {
  readonly #core: Core
  readonly #from: number
  readonly #end: number
  readonly #encoding: Encoding
  readonly #task: Task

  constructor(core: Core, options: unknown) {
    core.checkOpen()
    const given = options === undefined ? {} : optionsOf(options, LINES, 'lines')
    const { offset, length } = within(given, core.byteLength)
    this.#core = core
    this.#task = taskOf(given)
    this.#encoding = encodingOf(given['encoding'])
    this.#from = offset
    this.#end = offset + length
  }

  [Symbol.iterator](): IterableIterator<string, undefined> {
    return new LineIterator(this.#blocks())
  }

  [Symbol.asyncIterator](): AsyncIterableIterator<string> {
    const core = this.#core
    const blocks = this.#blocks()
    const { progress } = blocks
    const ahead = new Ahead(core, this.#from, this.#end, BLOCK, this.#task.signal)
    const lines = new TextLines()
    return new Batches(
      async () => {
        core.checkOpen()
        progress.check()
        const loading = ahead.ready(blocks.position, Math.min(blocks.position + BLOCK, this.#end))
        if (loading !== undefined) await loading
        if (lines.begin(blocks.next())) return lines
        await progress.finish()
        return undefined
      },
      () => {
        core.checkOpen()
        progress.check()
      },
      () => ahead.stop(),
    )
  }

  #blocks(): Blocks {
    return new Blocks(this.#core, this.#from, this.#end, this.#encoding, this.#task)
  }
}

/** Written out, as a generator costs more than the line. */
class LineIterator implements IterableIterator<string, undefined> {
  readonly #lines = new TextLines()
  #blocks: Blocks | undefined

  constructor(blocks: Blocks) {
    this.#blocks = blocks
  }

  next(): IteratorResult<string, undefined> {
    const line = this.#lines.next()
    if (line.done !== true || this.#blocks === undefined) return line
    if (!this.#lines.begin(this.#blocks.next())) this.#blocks = undefined
    return this.#lines.next()
  }

  return(): IteratorResult<string, undefined> {
    this.#blocks = undefined
    this.#lines.begin('')
    return END
  }

  [Symbol.iterator](): this {
    return this
  }
}

/** Newlines are counted from the end in growing steps until there are enough. */
export function lastLinesOf(core: Core, count: number, options: unknown): string[] {
  core.checkOpen()
  checkInteger(count, 'count')
  const given = options === undefined ? {} : optionsOf(options, ['encoding'], 'lastLines')
  const encoding = encodingOf(given['encoding'])
  core.checkReadable()
  core.checkFault()
  const end = core.byteLength
  if (count === 0 || end === 0) return []
  const { native } = core
  // The newline at the very end belongs to the last line.
  const body = native.indexOf(NEWLINE, end - 1, end) < 0 ? end : end - 1
  let missing = count
  let to = body
  let size = BLOCK
  while (to > 0) {
    const from = Math.max(0, to - size)
    const here = native.count(NEWLINE, from, to)
    if (here >= missing) break
    missing -= here
    to = from
    size = Math.min(size * 2, 1 << 24)
  }
  let start = to > 0 ? to : -1
  for (let i = 0; i < missing && start >= 0; i++) start = native.lastIndexOf(NEWLINE, 0, end, start)
  return [...new LineIterator(new Blocks(core, start + 1, end, encoding))]
}

function encodingOf(value: unknown): Encoding {
  if (value === undefined) return 'utf8'
  if (value === 'utf8' || value === 'latin1') return value
  if (typeof value !== 'string') throw invalidArgType('options.encoding', 'of type string', value)
  throw invalidArgValue('options.encoding', value, "must be 'utf8' or 'latin1'")
}
