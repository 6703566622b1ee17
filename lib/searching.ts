import { stateOf } from './accessors'
import { Checked } from './checked'
import { abortError } from './errors'
import { needleOf, startOf } from './needle'
import { later } from './on-demand'
import { rangeOf, within } from './options'
import { checkInteger, optionsOf } from './validate'

import type { NativeJobs } from '../binding'
import type { Core } from './core'
import type { Range } from './options'
import type { ByteRange, LineOptions, LinesOptions, Needle, SearchOptions, Task } from './types'

const SEARCH = ['offset', 'length', 'threads', 'signal', 'onProgress'] as const
const WANT_FIRST = 0
const WANT_COUNT = 1

/**
 * Search by memchr, at the speed of memory: 1 GiB takes about 70 ms. Holes of a sparse file cost nothing (Linux; needles that are not all zeros).
 *
 * The plain names answer at once and block; their `Async` twins work on threads of ours, in slices. Positions count from the mapping's first byte.
 */
export abstract class Searching extends Checked {
  /** First position at which the needle begins, not before `from` (negative: from the end; clamped), or -1: as `Buffer.indexOf`. */
  indexOf(needle: Needle, from?: number): number {
    const core = stateOf(this)
    core.checkOpen()
    const bytes = needleOf(needle)
    const start = startOf(from, bytes.length, core.byteLength, true)
    if (start < 0 || bytes.length === 0) return start
    return look(core, start, core.byteLength, () => core.native.indexOf(bytes, start, core.byteLength))
  }

  /** Last position at which the needle begins, not behind `from` (default: the end), or -1: as `Buffer.lastIndexOf`. */
  lastIndexOf(needle: Needle, from?: number): number {
    const core = stateOf(this)
    core.checkOpen()
    const bytes = needleOf(needle)
    const start = startOf(from, bytes.length, core.byteLength, false)
    if (start < 0 || bytes.length === 0) return start
    return look(core, 0, core.byteLength, () => core.native.lastIndexOf(bytes, 0, core.byteLength, start + 1))
  }

  /** Whether the needle is anywhere from `from` on. */
  includes(needle: Needle, from?: number): boolean {
    return this.indexOf(needle, from) !== -1
  }

  /**
   * How many times the needle occurs within a range, without overlap, left to right.
   *
   * @example log.count('\n') // lines
   */
  count(needle: Needle, range?: ByteRange): number {
    const core = stateOf(this)
    core.checkOpen()
    const bytes = needleOf(needle)
    const { offset, length } = rangeOf(range, core, 'count')
    if (bytes.length === 0) return length + 1
    return look(core, offset, offset + length, () => core.native.count(bytes, offset, offset + length))
  }

  /** {@link indexOf} within a range, on `threads` threads (default 1); -1 if no occurrence lies in it whole. */
  async indexOfAsync(needle: Needle, options?: SearchOptions): Promise<number> {
    const { core, bytes, range, threads, task } = request(this, needle, options, 'indexOfAsync')
    if (bytes.length === 0) return unlessAborted(range.offset, task)
    return (await search(core, WANT_FIRST, bytes, range, threads, task)) as number
  }

  /** {@link count} on `threads` threads (default 1): the same number. */
  async countAsync(needle: Needle, options?: SearchOptions): Promise<number> {
    const { core, bytes, range, threads, task } = request(this, needle, options, 'countAsync')
    if (bytes.length === 0) {
      const count = unlessAborted(range.length + 1, task)
      task.onProgress?.({ done: range.length, total: range.length })
      return count
    }
    return (await search(core, WANT_COUNT, bytes, range, threads, task)) as number
  }

  /**
   * The positions of all occurrences within a range, in order, without overlap, as `String.matchAll` finds them. Searches no further than a batch
   * ahead of who iterates.
   *
   * @example for await (const position of log.indexesOf('ERROR')) console.log(position)
   */
  indexesOf(needle: Needle, options?: SearchOptions): AsyncIterableIterator<number> {
    const { core, bytes, range, threads, task } = request(this, needle, options, 'indexesOf')
    if (bytes.length === 0) return later().everywhere(core, range, task)
    return later().positionsOf(core, bytes, range, threads, task)
  }

  /**
   * The lines of a range, without their `\n` or `\r\n`; a last line need not end in one. `for await` loads ahead on another thread and does not
   * block. `encoding`: `'utf8'` (default) or `'latin1'`. `signal` and `onProgress` are looked at once a block of 64 KiB.
   *
   * @example for await (const line of log.lines()) console.log(line)
   */
  lines(options?: LinesOptions): Iterable<string> & AsyncIterable<string> {
    return later().linesOf(stateOf(this), options)
  }

  /** The last lines, in their order, without looking at what comes before them. */
  lastLines(count: number, options?: LineOptions): string[] {
    return later().lastLinesOf(stateOf(this), count, options)
  }
}

function look<T>(core: Core, from: number, end: number, action: () => T): T {
  core.checkReadable(from, end - from)
  return core.look(action)
}

/** An empty needle needs no search, but a task that was cancelled is one all the same. */
function unlessAborted(result: number, { signal }: Task): number {
  if (signal?.aborted === true) throw abortError(signal.reason)
  return result
}

interface Request {
  readonly core: Core
  readonly bytes: Uint8Array
  readonly range: Range
  readonly threads: number
  readonly task: Task
}

function request(mapping: Searching, needle: unknown, options: unknown, caller: string): Request {
  const core = stateOf(mapping)
  core.checkOpen()
  const bytes = needleOf(needle)
  const given = options === undefined ? {} : optionsOf(options, SEARCH, caller)
  const range = within(given, core)
  const threads = given['threads'] === undefined ? 1 : given['threads']
  checkInteger(threads, 'options.threads', 1, 1024)
  const task = later().taskOf(given)
  core.checkReadable(range.offset, range.length)
  core.checkFault()
  return { core, bytes, range, threads, task }
}

async function search(
  core: Core,
  want: number,
  bytes: Uint8Array,
  range: Range,
  threads: number,
  task: Task,
): Promise<unknown> {
  const end = range.offset + range.length
  const start = (jobs: NativeJobs, progress: boolean): number =>
    jobs.startSearch(core.native, want, bytes, range.offset, end, threads, progress)
  const found = await later().run(core, task, { base: 0, total: range.length, first: want === WANT_FIRST }, start)
  core.checkFault()
  return found
}
