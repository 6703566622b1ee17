// Closing, collection, transfer and the ends of threads and processes: each case is a child of this engine. MEMMAP_TEST_LONG=1: the
// long form, which also uses the test build (`npm run build:test`).
import { existsSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { lives, long } from '../child.mjs'
import { tests } from '../tap.mjs'

const linux = process.platform === 'linux'
const elsewhere = 'these programs look into /proc'
const OFF = { MEMMAP_FAULT_GUARD: '0' }

const program = (name, options) => () => (linux ? lives(name, options) : elsewhere)
/** One that runs on Windows, too. */
const portable = (name, options) => () =>
  linux || process.platform === 'win32' ? lives(name, options) : 'these programs ran on Linux and Windows only'

/** The add-on that a folder holds, and when it was built. */
function addonIn(folder) {
  const path = fileURLToPath(new URL(folder, import.meta.url))
  const name = existsSync(path) ? readdirSync(path).find((entry) => entry.endsWith('.node')) : undefined
  return name === undefined ? undefined : { path: join(path, name), built: statSync(join(path, name)).mtimeMs }
}

/** The handler of the test build sleeps 3 ms: `EARLY_` before it looks for a mapping, else between finding one and acting on it. */
const delayed = (name, rounds, delay) => () => {
  if (!linux) return elsewhere
  // An engine of another system, or of another C library, is told which add-on it can load; the test build is none of these.
  if (process.env.NAPI_RS_NATIVE_LIBRARY_PATH) return 'the test build is for the engines of this system'
  const addon = addonIn('../../target/test-hooks/addon')
  if (addon === undefined) return 'no test build here: npm run build:test'
  // It would not know what the facade asks for.
  if (addon.built < (addonIn('../..')?.built ?? 0)) return 'the test build is older than the build: npm run build:test'
  const env = { NAPI_RS_NATIVE_LIBRARY_PATH: addon.path, [`MEMMAP_TEST_HANDLER_${delay}DELAY_US`]: '3000' }
  return lives(name, { args: [rounds], env })
}

async function exits() {
  if (!linux) return elsewhere
  const ways = ['now', 'soon', 'threads', 'faulting', 'throw']
  const rounds = long ? 10 : 1
  for (let round = 0; round < rounds; round++) {
    for (const how of ways) await lives('exit', { args: [how], exitCode: 7, seconds: 30 })
    await lives('exit', { args: ['end'], seconds: 30 })
  }
  return { note: `${rounds * (ways.length + 1)} ends in the middle kept their exit codes` }
}

await tests({
  'close() with operations in flight': program('in-flight'),
  'close() with operations in flight, without the guard': program('in-flight', { env: OFF }),
  'closes that race faults': portable('races', { args: [long ? '20000' : '1000'] }),
  'a handler that sleeps while the mapping is closed and others are made': delayed('races', '200', ''),
  'closes under threads that store into the SharedArrayBuffer': program('shared-close', {
    args: [long ? '20000' : '600'],
  }),
  'a handler that sleeps until a SharedArrayBuffer is nobody’s': delayed('shared-close', '200', 'EARLY_'),
  'what is unreachable is collected': program('collected'),
  'workers ended in the middle': program('terminated'),
  'segments of a log behind one buffer': program('staged'),
  'mappings that become shorter under somebody at work': program('shrinking'),
  'what was placed over a part of a mapping, and went': program('placed-over'),
  'files that may not become so long': program('limited', { limit: '-f 40000' }),
  'process.exit in the middle': exits,
  'buffers cloned, transferred, marked untransferable': program('transferred'),
  'buffers cloned, transferred, marked untransferable, without the guard': program('transferred', { env: OFF }),
  'random lives against a model of the file': program('lifecycles', { args: [long ? '100000' : '2000'] }),
  'random lives against a model of the file, without the guard': program('lifecycles', {
    args: [long ? '20000' : '1000'],
    env: OFF,
  }),
})
