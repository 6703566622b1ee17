// The process survives what happens to files under it: each case is a child of this engine. MEMMAP_TEST_LONG=1: the long form.
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { lives, run, send } from '../child.mjs'
import { deniedPages, missingPages, tests } from '../tap.mjs'

const linux = process.platform === 'linux'
const windows = process.platform === 'win32'
const elsewhere = 'these programs look into /proc'
const OFF = { MEMMAP_FAULT_GUARD: '0' }

/** A case that is one program. */
const program = (name, options) => () => (linux ? lives(name, options) : elsewhere)
/** One that runs on Windows, too. */
const portable = (name, options) => () =>
  linux || windows ? lives(name, options) : 'these programs ran on Linux and Windows only'

/** One in which pages go missing. */
const truncating = (name, kind = program) => (missingPages ? () => missingPages : kind(name))

/** One that stores into pages that are only to be read. */
const storing = (run) => (deniedPages ? () => deniedPages : run)

/** What becomes of a program that gets a signal from outside, with and without memmap. */
async function sent(signal) {
  if (!linux || missingPages) return missingPages || elsewhere
  const ends = []
  for (const form of ['without', 'with']) {
    const whenReady = (child) => send(child, signal)
    const { code, signal: died, problem } = await run('from-outside', { args: [form], whenReady, seconds: 5 })
    // Deno's own handler returns to a program that did nothing wrong: there it lives, with and without.
    ends.push(problem ? 'lives' : (died ?? code))
  }
  assert.equal(ends[1], ends[0], `with memmap: ${ends[1]}, without: ${ends[0]}`)
  if (!process.versions.deno) assert.equal(ends[1], signal)
  return { note: `${signal}, as without memmap: ${ends[0]}` }
}

await tests({
  'loops, Buffer methods, Atomics and accessors over a truncated file': truncating('loops'),
  'the kernel, zlib and crypto over a truncated file': truncating('system-calls'),
  'workers in optimised loops while the file is truncated and grows': truncating('workers'),
  'stores to read mappings are private and reported': storing(portable('rmw')),
  'WebAssembly traps arrive before, under and after the guard': storing(truncating('wasm-trap', portable)),
  'a displaced handler comes back at the next open': storing(truncating('displaced')),
  'several copies of the package in one process': storing(truncating('two-copies')),
  'the add-on loaded only by workers that ended': truncating('worker-only', portable),
  '65,000 scattered faults do not use up the mappings of the process': storing(truncating('scattered')),
  'full disks and broken devices': truncating('disks'),
  'SIGBUS from outside': () => sent('SIGBUS'),
  'SIGSEGV from outside': () => sent('SIGSEGV'),
  async 'without the guard a truncated file kills'() {
    if (!linux) return elsewhere
    const { code, signal, stdout, problem } = await run('unguarded', { env: OFF })
    assert.equal(problem, '')
    assert.match(stdout, /^ready$/m)
    assert.doesNotMatch(stdout, /^done/m)
    assert.ok(signal !== null || code !== 0, 'it lives')
    return { note: `MEMMAP_FAULT_GUARD=0: ended by ${signal ?? code}` }
  },
  async 'without the guard stores to read mappings kill on Windows, and do not reach the file'() {
    if (!windows) return 'elsewhere they are swallowed'
    const folder = mkdtempSync(join(tmpdir(), 'memmap-unguarded-'))
    const path = join(folder, 'file')
    writeFileSync(path, 'as it was')
    const { code, signal, stdout, problem } = await run('unguarded-store', { args: [path], env: OFF })
    assert.equal(problem, '')
    assert.match(stdout, /^ready$/m)
    assert.doesNotMatch(stdout, /^done/m)
    assert.ok(signal !== null || code !== 0, 'it lives')
    assert.equal(readFileSync(path, 'utf8'), 'as it was')
    rmSync(folder, { recursive: true })
    return { note: `MEMMAP_FAULT_GUARD=0: ended by ${signal ?? code}` }
  },
  'without the guard stores to read mappings are swallowed': program('rmw', { env: OFF }),
  'without the guard the handlers of others are left alone': program('no-handler', { env: OFF }),
})
