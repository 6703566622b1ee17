// What the programs of this folder share. Each one is run in a child, on any engine, by a suite: it prints `done: …` when all it
// asserts was true, or `skip: …`, and whatever else happens (a signal, a hang, an exit code) is a failure of it.
import assert from 'node:assert/strict'
import { channel } from 'node:diagnostics_channel'
import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export const { bun, deno } = process.versions
export const node = bun || deno ? 0 : Number(process.versions.node.split('.')[0])
export const long = process.env.MEMMAP_TEST_LONG === '1'
export const guarded = process.env.MEMMAP_FAULT_GUARD !== '0'
export const PAGE = 4096
export const windows = process.platform === 'win32'
export const wine = process.env.MEMMAP_EMULATOR === 'wine'

/** Removes a folder. On Windows something may still be mapped: the system's own cleaning finds it. */
export function remove(path) {
  try {
    rmSync(path, { recursive: true, force: true })
  } catch (error) {
    if (!windows) throw error
  }
}

let made = ''

/** Made when somebody needs it: a thread that is ended in the middle cannot remove it. */
export function folder() {
  if (made !== '') return made
  made = mkdtempSync(join(tmpdir(), 'memmap-crash-'))
  process.on('exit', () => remove(made))
  return made
}

/**
 * Makes a page of a 'read' mapping fault by an access at `at`, and says how: a file that is mapped cannot be cut on Windows, so that there the
 * fault is a store.
 */
export function provoke(path, view, at) {
  if (windows) {
    view[at] = 77
    assert.equal(view[at], 77)
    return 'protected'
  }
  truncateSync(path, PAGE)
  assert.equal(view[at], 0)
  return 'truncated'
}

let files = 0

/** A new file. */
export function file(content = '') {
  const path = join(folder(), `${files++}.bin`)
  writeFileSync(path, content)
  return path
}

/** Bytes of which no page looks like another. */
export function pages(count) {
  const bytes = new Uint8Array(count * PAGE)
  for (let i = 0; i < bytes.length; i++) bytes[i] = (i >> 12) * 7 + (i & 63) + 1
  return Buffer.from(bytes.buffer)
}

export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms))

/** Waits for something that happens soon. */
export async function until(condition, what) {
  const end = performance.now() + 20_000
  while (!condition()) {
    if (performance.now() > end) assert.fail(`waited for: ${typeof what === 'function' ? what() : what}`)
    await sleep(5)
  }
}

export function gc() {
  if (bun) globalThis.Bun.gc(true)
  else globalThis.gc()
}

/** Faults as they are published. */
export const news = []
channel('memmap:fault').subscribe((message) => news.push(message))

/** Warnings of this process, by their codes. */
export const warnings = []
process.on('warning', (warning) => warnings.push(warning.code ?? warning.name))

/** The lines of /proc/self/maps, or those that name something. */
export function maps(name = '') {
  return readFileSync('/proc/self/maps', 'utf8')
    .split('\n')
    .filter((line) => line.includes(name) && line !== '')
}

/** Calls `work` and gives the code of what it throws, '' if nothing. */
export function codeOf(work) {
  try {
    work()
    return ''
  } catch (error) {
    return error.code ?? error.name
  }
}

/** The same numbers again in each run that gets the same seed, which is part of the report. */
export function random(seed) {
  let state = seed >>> 0
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}

export function done(counts) {
  console.log(`done: ${counts}`)
}

export function skip(reason) {
  console.log(`skip: ${reason}`)
}
