// What views stand on: handles and SharedArrayBuffers in several threads, and V8's memory cage, where the engine's own memory carries files.
// Each case is a child of this engine. What the other suites say under each carrier: `npm run test:caged`.
import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { excuse } from '../carried.mjs'
import { lives } from '../child.mjs'
import { tests } from '../tap.mjs'

const { bun, deno } = process.versions
const linux = process.platform === 'linux'
const elsewhere = 'these programs look into /proc'
const engine = bun ? 'bun' : deno ? 'deno' : `node${process.versions.node.split('.')[0]}`
const CAGED = ['wasm', 'resizable', 'shared']

/** Runs parts of a program one after the other. */
async function run(program, parts, carrier) {
  if (!linux) return elsewhere
  const env = carrier === undefined ? {} : { MEMMAP_CARRIER: carrier }
  const notes = []
  for (const part of parts) {
    const result = await lives(program, { args: [part], env })
    notes.push(typeof result === 'string' ? `${part} skipped: ${result}` : `${part}: ${result.note}`)
  }
  return { note: notes.join('; ') }
}

const cases = {
  'one memory in several threads': () => run('sharing', ['handles', 'both', 'terminated', 'shared']),
  'without any views everything else works': () => run('carried', ['none'], 'none'),
}

const ofCarrier = {
  'views of files and memory': ['views'],
  'nothing that a user does to a buffer hurts': ['hostile', 'taken'],
  'pages that fault': ['faults'],
  'many mappings, more than there is room for, and large ones': ['many', 'exhausted', 'large'],
  'what nobody closes is told once': ['forgets'],
  'threads that end': ['ends'],
}

for (const carrier of CAGED) {
  for (const [title, parts] of Object.entries(ofCarrier)) {
    cases[`${carrier}: ${title}`] = () => (bun ? 'Bun has no cage' : run('carried', parts, carrier))
  }
  cases[`${carrier}: one memory in several threads`] = () =>
    bun ? 'Bun has no cage' : run('sharing', ['handles', 'both', 'terminated', 'shared'], carrier)
}

for (const carrier of [...CAGED, 'none']) {
  cases[`${carrier}: the smoke test`] = () => {
    if (bun && carrier !== 'none') return 'Bun has no cage'
    const program = fileURLToPath(new URL('smoke.mjs', import.meta.url))
    if (!existsSync(program)) return 'no smoke test here'
    return smoke(program, carrier)
  }
}

/** Its failures must be those that the carrier explains. */
function smoke(program, carrier) {
  const args = deno ? ['run', '--allow-all', '--no-lock', '--cached-only', program] : [program]
  const env = { ...process.env, MEMMAP_CARRIER: carrier }
  let report
  try {
    report = execFileSync(process.execPath, args, { env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
  } catch (error) {
    if (error.status !== 1) throw error
    report = error.stdout
  }
  const points = report.split(/^(?=(?:not )?ok \d)/m).slice(1)
  const planned = Number(/^1\.\.(\d+)/m.exec(report)?.[1])
  if (points.length !== planned) throw new Error(`${points.length} of ${planned} reported\n${report}`)
  const failed = points.filter((point) => point.startsWith('not ok'))
  for (const says of failed) {
    const title = /^not ok \d+ - (.*)/.exec(says)[1]
    if (excuse({ carrier, runtime: engine, title, says }) === undefined) throw new Error(says)
  }
  return { note: `${points.length - failed.length} passed, ${failed.length} look through views that are not there` }
}

await tests(cases)
