import { Buffer, constants, isAscii, isUtf8, transcode } from 'node:buffer'

import { Ahead } from './ahead'
import { Batches } from './batches'
import { invalidArgType, invalidArgValue, stringTooLong } from './errors'
import { within } from './options'
import { taskOf } from './jobs'
import { Progress } from './progress'
import { keepShape } from './shapes'
import { checkInteger, optionsOf } from './validate'

import type { Core } from './core'
import type { Range } from './options'
import type { Task } from './types'

type Encoding = 'utf8' | 'latin1'

/**
 * How much is decoded at once. A line that is kept keeps the text of its block alive: so blocks are small, as readline's are. Larger ones are slower
 * too: the engine makes large strings outside of its young generation (benchmark/cases/lines.mjs).
 */
const BLOCK = 64 << 10
/** Newlines of one block; where there are more, it ends with the last of these. */
const MOST = 8192
/** What stands before them: bytes taken, newlines, whether there is a `\r`. */
const HEAD = 3
/** Bytes of a line: more than a string has room for. */
const LONGEST = Math.min(constants.MAX_LENGTH, 2 ** 31)
const NEWLINE = Uint8Array.of(10)
const NONE = Buffer.alloc(0)
/** V8 before 13 (Node 20 and 22) takes 3 ns for a byte of UTF-8 that is not ASCII; by way of UTF-16 it is 0.5 (0.1 without the detour since then). */
const DETOUR =
  process.versions['bun'] === undefined &&
  Number.parseInt(process.versions.v8, 10) < 13 &&
  typeof transcode === 'function'
const NEWLINE_FREE = new Uint32Array(HEAD)
const END: IteratorReturnResult<undefined> = Object.freeze({ value: undefined, done: true })

/**
 * Cuts bytes into blocks of whole lines. A newline is never part of another character in UTF-8, so no block splits one.
 */
class Blocks {
  #buffer = NONE
  #position: number
  /** The text of the block, up to its last newline; at the end of everything with what comes after that one. */
  text = ''
  /** Where its newlines are, from `HEAD` on; as many as the second number says. */
  readonly ends = new Uint32Array(HEAD + MOST)

  constructor(
    readonly core: Core,
    readonly from: number,
    readonly end: number,
    readonly encoding: Encoding,
  ) {
    this.#position = from
  }

  get position(): number {
    return this.#position
  }

  /** Bytes that were cut into lines, or are in this block. */
  get done(): number {
    return this.#position - this.from
  }

  /** The next block; `false` when the last one was all. */
  next(): boolean {
    const { core, ends } = this
    core.checkOpen()
    core.checkFault()
    const from = this.#position
    // It may be shorter than it was.
    const end = Math.min(this.end, core.byteLength)
    if (from >= end) return false
    if (this.#buffer === NONE) this.#buffer = Buffer.allocUnsafe(BLOCK)
    for (;;) {
      const length = Math.min(this.#buffer.length, end - from)
      core.checkReadable(from, length)
      const block = this.#buffer.subarray(0, length)
      const plain = core.native.lineBlock(block, from, from + length >= end, this.encoding === 'latin1', ends)
      core.checkFault()
      const taken = ends[0]!
      if (taken > 0) {
        this.text = plain ?? this.#decode(block.subarray(0, taken))
        this.#position += taken
        return true
      }
      // A line longer than the block; no string is that long.
      if (this.#buffer.length >= LONGEST) throw stringTooLong()
      this.#buffer = Buffer.allocUnsafe(this.#buffer.length * 2)
    }
  }

  /** What is not plain has its newlines elsewhere than its bytes have. */
  #decode(bytes: Buffer): string {
    const text = decoded(bytes, this.encoding)
    const { ends } = this
    const last = HEAD + ends[1]!
    for (let i = HEAD, at = -1; i < last; i++) ends[i] = at = text.indexOf('\n', at + 1)
    return text
  }
}

function decoded(bytes: Buffer, encoding: Encoding): string {
  if (encoding === 'latin1' || isAscii(bytes)) return bytes.toString('latin1')
  // Only what is well-formed takes the detour: how many U+FFFD the rest gives is the decoder's to say.
  return DETOUR && isUtf8(bytes) ? transcode(bytes, 'utf8', 'utf16le').toString('utf16le') : bytes.toString('utf8')
}

/** The lines of one block after the other: each is cut when it is asked for. */
class TextLines implements Iterator<string, undefined> {
  #text = ''
  #at = 0
  #ends: Uint32Array = NEWLINE_FREE
  #next = HEAD
  #last = HEAD
  /** Whether to look for `\r\n` at all. */
  #returns = false

  /** From here on these. */
  begin(blocks: Blocks): void {
    const { text, ends } = blocks
    this.#text = text
    this.#ends = ends
    this.#at = 0
    this.#next = HEAD
    this.#last = HEAD + ends[1]!
    this.#returns = ends[2] !== 0
  }

  /** No more. */
  stop(): void {
    this.#text = ''
    this.#at = 0
    this.#next = this.#last = HEAD
  }

  next(): IteratorResult<string, undefined> {
    const text = this.#text
    const at = this.#at
    const index = this.#next
    if (index < this.#last) {
      let end = this.#ends[index]!
      this.#next = index + 1
      this.#at = end + 1
      if (this.#returns && end > at && text.charCodeAt(end - 1) === 13) end--
      return { value: text.slice(at, end), done: false }
    }
    if (at >= text.length) return END
    // Without a newline behind it a `\r` is the line's own.
    this.#at = text.length
    return { value: text.slice(at), done: false }
  }
}

/** What `lines` returns: each iteration begins anew. */
class Lines implements Iterable<string>, AsyncIterable<string> {
  readonly #core: Core
  readonly #from: number
  readonly #end: number
  readonly #encoding: Encoding
  readonly #task: Task

  constructor(core: Core, { offset, length }: Range, encoding: Encoding, task: Task) {
    this.#task = task
    this.#core = core
    this.#encoding = encoding
    this.#from = offset
    this.#end = offset + length
  }

  get #progress(): Progress {
    return new Progress(this.#task, this.#end - this.#from)
  }

  [Symbol.iterator](): IterableIterator<string, undefined> {
    return new LineIterator(new Blocks(this.#core, this.#from, this.#end, this.#encoding), this.#progress)
  }

  [Symbol.asyncIterator](): AsyncIterableIterator<string> {
    const core = this.#core
    const blocks = new Blocks(core, this.#from, this.#end, this.#encoding)
    const ahead = new Ahead(core, this.#from, this.#end, BLOCK, this.#task.signal)
    const lines = new TextLines()
    const progress = this.#progress
    return new Batches(
      async () => {
        progress.report(blocks.done)
        const loading = ahead.ready(blocks.position, Math.min(blocks.position + BLOCK, this.#end))
        if (loading !== undefined) await loading
        if (blocks.next()) {
          lines.begin(blocks)
          return lines
        }
        await progress.finish()
        return undefined
      },
      () => {
        progress.check()
        core.checkOpen()
      },
      () => ahead.stop(),
    )
  }
}

/** What `Mapping.lines` is asked for. */
export function linesOf(core: Core, options: unknown): Lines {
  core.checkOpen()
  const known = ['encoding', 'offset', 'length', 'signal', 'onProgress'] as const
  const given = options === undefined ? {} : optionsOf(options, known, 'lines')
  const range = within(given, core)
  const task = taskOf(given)
  const encoding = encodingOf(given['encoding'])
  keepShapes()
  return new Lines(core, range, encoding, task)
}

/** Written out, as a generator costs more than the line. */
class LineIterator implements IterableIterator<string, undefined> {
  readonly #lines = new TextLines()
  readonly #progress: Progress
  #blocks: Blocks | undefined

  constructor(blocks: Blocks, progress: Progress) {
    this.#blocks = blocks
    this.#progress = progress
  }

  next(): IteratorResult<string, undefined> {
    // The rest of a block is text of ours; after close() nobody gets it all the same, as from the other form.
    this.#blocks?.core.checkOpen()
    const line = this.#lines.next()
    if (line.done !== true || this.#blocks === undefined) return line
    this.#refill(this.#blocks)
    return this.#lines.next()
  }

  #refill(blocks: Blocks): void {
    // After an error there is nothing more, as from a generator.
    this.#blocks = undefined
    this.#progress.check()
    if (!blocks.next()) return this.#progress.finishSync()
    this.#progress.report(blocks.done)
    this.#lines.begin(blocks)
    this.#blocks = blocks
  }

  return(): IteratorResult<string, undefined> {
    this.#blocks = undefined
    this.#lines.stop()
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
  keepShapes()
  const blocks = new Blocks(
    core,
    core.look(() => lastStart(core, count)),
    end,
    encoding,
  )
  return [...new LineIterator(blocks, new Progress({}, end))]
}

/** Where the last lines begin. */
function lastStart({ native, byteLength: end }: Core, count: number): number {
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
  return start + 1
}

function encodingOf(value: unknown): Encoding {
  if (value === undefined) return 'utf8'
  if (value === 'utf8' || value === 'latin1') return value
  if (typeof value !== 'string') throw invalidArgType('options.encoding', 'of type string', value)
  throw invalidArgValue('options.encoding', value, "must be 'utf8' or 'latin1'")
}

/** Not before somebody wants lines: it was a fifth of what `import 'memmap'` takes. Nobody ever asks these objects for one. */
function keepShapes(): void {
  keepShape(Lines, () => {
    const nothing = undefined as unknown as Core
    const blocks = new Blocks(nothing, 0, 0, 'utf8')
    const lines = new Lines(nothing, { offset: 0, length: 0 }, 'utf8', {})
    const ahead = new Ahead(nothing, 0, 0, BLOCK)
    const nobody = (): never => {
      throw new Error('unreachable')
    }
    return [lines, new LineIterator(blocks, new Progress({}, 0)), new Batches(nobody, nobody, nobody), ahead]
  })
}
