import { abortError, invalidArgType, invalidState, outOfRange, recapture, systemErrorOf } from './errors'
import { direct, native } from './native'
import { checkInteger, checkSignal, optionsOf } from './validate'

import type { NativeWaiter } from '../binding'
import type { Core } from './core'
import type { WaitOptions, WaitResult } from './types'

/** What the native side says of a wait; from `FAILED` on it is an errno. */
const RESULTS = ['ok', 'not-equal', 'timed-out'] as const
const TIMED_OUT = 2
const CLOSED = 3
const FAILED = 16

/** A thread that sleeps for longer cannot be terminated, and keeps its process from exiting. */
const SLICE = 50

interface Pending {
  readonly core: Core
  readonly byteOffset: number
  readonly resolve: (result: WaitResult) => void
  readonly reject: (error: unknown) => void
  readonly leave: () => void
}

/** Waits in progress, by token: they keep their mappings from being collected. */
const pending = new Map<number, Pending>()

let waiter: NativeWaiter | undefined

/** Made at the first wait: most programs have none. */
function waiterOf(): NativeWaiter {
  return (waiter ??= new native.NativeWaiter((news) => {
    const token = Math.floor(news / 1024)
    const code = news % 1024
    const entry = pending.get(token)
    // It was aborted, or its mapping closed, while the news was on its way.
    if (entry === undefined) return
    forget(token, entry)
    if (code < CLOSED) entry.resolve(RESULTS[code]!)
    else if (code < FAILED) entry.reject(invalidState())
    else entry.reject(reasonFor(entry.core, entry.byteOffset, systemErrorOf(code - FAILED, 'futex', entry.core.path)))
  }))
}

function forget(token: number, entry: Pending): void {
  pending.delete(token)
  entry.core.waits!.delete(token)
  entry.core.pending--
  entry.leave()
}

/**
 * Ends a wait from this side; `undefined` if it has ended. Whoever woke it has counted it, and woke nobody else: then the news, which is on its way,
 * settles it, whatever else happens meanwhile.
 */
function take(token: number): Pending | undefined {
  const entry = pending.get(token)
  if (entry === undefined || !waiterOf().cancel(token)) return undefined
  forget(token, entry)
  return entry
}

/** Called by `close()`, before the memory goes. */
export function abandonWaits(core: Core): void {
  for (const token of core.waits ?? []) take(token)?.reject(invalidState())
}

/** Sleeps in this thread until a `notify` of the same word, in slices: between two of them JavaScript runs, so that workers can be terminated. */
export function wait(core: Core, byteOffset: unknown, expected: unknown, timeoutMs: unknown): WaitResult {
  checkWord(core, byteOffset)
  const value = checkExpected(expected)
  const timeout = checkTimeout(timeoutMs, 'timeoutMs')
  const until = timeout === Infinity ? Infinity : performance.now() + timeout
  for (let left = timeout, first = true; ; first = false) {
    const code = sleep(core, byteOffset, value, Math.min(left, SLICE))
    // It was equal before: so it changed while we waited.
    if (code !== TIMED_OUT) return first ? RESULTS[code]! : 'ok'
    if (until !== Infinity) left = until - performance.now()
    if (left <= 0) return 'timed-out'
  }
}

/** Functions of the pages that a mapping has now: after `resize` it may have others. */
function sleep(core: Core, byteOffset: number, value: number, milliseconds: number): number {
  for (;;) {
    core.sleep ??= core.native.sleeper()
    let code: number
    try {
      code = core.sleep(byteOffset, value, milliseconds)
    } catch (error) {
      throw reasonFor(core, byteOffset, error)
    }
    core.checkFault()
    if (code !== CLOSED) return code
    core.sleep = undefined
  }
}

function wake(core: Core, byteOffset: number, count: number): number {
  for (;;) {
    core.wake ??= core.native.waker()
    let woken: number
    try {
      woken = core.wake(byteOffset, count)
    } catch (error) {
      throw reasonFor(core, byteOffset, error)
    }
    if (woken >= 0) return woken
    core.wake = undefined
  }
}

/** The kernel says of a page without a file behind it that the address is bad; who looks himself is told why. */
function reasonFor(core: Core, byteOffset: number, error: unknown): unknown {
  if ((error as NodeJS.ErrnoException).code !== 'EFAULT' || core.closed) return error
  try {
    direct.readInto(core.native, new Uint8Array(4), byteOffset)
    core.checkFault()
  } catch (fault) {
    return fault
  }
  return error
}

/** The same on another thread. With a time limit it keeps the process alive as a timer does; without one the process may exit while it waits. */
export async function waitAsync(
  core: Core,
  byteOffset: unknown,
  expected: unknown,
  options: WaitOptions | undefined,
): Promise<WaitResult> {
  checkWord(core, byteOffset)
  const value = checkExpected(expected)
  const { timeoutMs, signal } = checkOptions(options)
  if (signal?.aborted === true) throw abortError(signal.reason)
  let token: number
  try {
    token = waiterOf().wait(core.native, byteOffset, value)
  } catch (error) {
    throw recapture(reasonFor(core, byteOffset, error))
  }
  try {
    // To compare it the word has been read.
    core.checkFault()
  } catch (error) {
    waiterOf().cancel(token)
    throw error
  }
  if (token === 0) return 'not-equal'
  return new Promise<WaitResult>((resolve, reject) => {
    const abort = () => take(token)?.reject(abortError(signal!.reason))
    const timer = startTimer(timeoutMs, () => take(token)?.resolve('timed-out'))
    const leave = () => {
      timer.stop()
      signal?.removeEventListener('abort', abort)
    }
    pending.set(token, { core, byteOffset, resolve, reject, leave })
    core.waits ??= new Set()
    core.waits.add(token)
    core.pending++
    signal?.addEventListener('abort', abort, { once: true })
  })
}

/** `setTimeout` ends at 2^31 ms. */
function startTimer(milliseconds: number, ring: () => void): { stop(): void } {
  if (milliseconds === Infinity) return { stop() {} }
  const most = 0x7fff_ffff
  const rest = milliseconds - most
  const timer = setTimeout(rest > 0 ? again : ring, Math.min(milliseconds, most))
  function again(): void {
    const next = startTimer(rest, ring)
    stop = () => next.stop()
  }
  let stop = () => clearTimeout(timer)
  return { stop: () => stop() }
}

/** Wakes up to `count` waiters of the word, in any thread and process; returns how many there were. */
export function notify(core: Core, byteOffset: unknown, count: unknown): number {
  checkWord(core, byteOffset)
  if (count !== undefined && typeof count !== 'number') throw invalidArgType('count', 'of type number', count)
  // As Atomics.notify: a fraction is cut, less than 0 is 0.
  const most = count === undefined ? Infinity : Math.max(0, Math.trunc(count) || 0)
  // Those of this very mapping first: their promises need no other thread.
  let woken = 0
  for (const token of core.waits ?? []) {
    if (woken === most) break
    if (pending.get(token)!.byteOffset !== byteOffset) continue
    const entry = take(token)
    if (entry === undefined) continue
    entry.resolve('ok')
    woken++
  }
  return woken + wake(core, byteOffset, Math.min(most - woken, 0x7fff_ffff))
}

function checkWord(core: Core, byteOffset: unknown): asserts byteOffset is number {
  core.checkOpen()
  core.checkFault()
  checkInteger(byteOffset, 'byteOffset', 0, Math.max(0, core.byteLength - 4))
  if (core.byteLength < 4) throw outOfRange('byteOffset', 'inside of the mapping, which has no 32-bit word', byteOffset)
  if ((core.delta + byteOffset) % 4 !== 0) {
    const where = `(the mapping begins ${core.delta} bytes into a page)`
    throw outOfRange('byteOffset', `aligned: the memory address must be a multiple of 4 ${where}`, byteOffset)
  }
  core.checkReadable(byteOffset, 4)
}

/** As a signed or an unsigned number: its 32 bits are what counts. */
function checkExpected(expected: unknown): number {
  checkInteger(expected, 'expected', -0x8000_0000, 0xffff_ffff)
  return expected >>> 0
}

/** As Atomics.wait: absent or NaN is for ever, less than 0 is 0. */
function checkTimeout(timeout: unknown, name: string): number {
  if (timeout === undefined) return Infinity
  if (typeof timeout !== 'number') throw invalidArgType(name, 'of type number', timeout)
  return Number.isNaN(timeout) ? Infinity : Math.max(0, timeout)
}

function checkOptions(options: WaitOptions | undefined): { timeoutMs: number; signal: AbortSignal | undefined } {
  if (options === undefined) return { timeoutMs: Infinity, signal: undefined }
  const { timeoutMs, signal } = optionsOf(options, ['timeoutMs', 'signal'], 'waitAsync')
  checkSignal(signal)
  return { timeoutMs: checkTimeout(timeoutMs, 'options.timeoutMs'), signal }
}
