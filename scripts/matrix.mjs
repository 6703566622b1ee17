// One suite (or several) on every runtime, in one table.
// `node scripts/matrix.mjs [--suite ava,smoke] [--runtimes node20,bun] [--long] [--show]`; both default to everything. `--long`: suites
// that know a long form (MEMMAP_TEST_LONG) run it; `--show`: what each test counted, not only how many passed.
import { existsSync, readdirSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import { prepare } from './lib/prepare.mjs'
import { skipped, summary, tap, total } from './lib/reports.mjs'
import { root, run } from './lib/run.mjs'
import { duration, table } from './lib/table.mjs'
import { names, runtime } from './runtimes.mjs'

const folder = join(root, '__test__/suites')

/** ava, and every program in __test__/suites: it prints TAP and runs on any engine. */
export function suites() {
  const programs = existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith('.mjs')) : []
  return ['ava', ...programs.map((name) => name.replace('.mjs', '')).toSorted()]
}

/** ava itself needs Node: it leans on node:worker_threads and the inspector in ways that Bun and Deno do not have. */
export function runsOn(suite, name) {
  return suite !== 'ava' || name.startsWith('node')
}

/** How an engine runs a suite. */
export function argumentsFor(suite, name) {
  if (suite === 'ava') return ['node_modules/ava/entrypoints/cli.mjs', '--tap']
  const program = join('__test__/suites', `${suite}.mjs`)
  if (name === 'bun') return [program]
  // Without a lock and remote fetches: a test run writes nothing into the repository and needs no network.
  if (name === 'deno') return ['run', '--allow-all', '--no-lock', '--cached-only', program]
  return ['--expose-gc', program]
}

/** Children that a test starts by name are this runtime too. MEMMAP_SUITE_RUNTIME is for messages only. */
export function environmentOf({ name, version, path }) {
  return { PATH: dirname(path) + delimiter + process.env.PATH, MEMMAP_SUITE_RUNTIME: `${name} ${version}` }
}

/**
 * Runs one suite on one runtime.
 * @param {string} suite
 * @param {{ name: string, version: string, path: string }} engine
 */
export async function runSuite(suite, { name, version, path }, minutes = 10) {
  const result = await run(path, argumentsFor(suite, name), {
    minutes,
    env: environmentOf({ name, version, path }),
  })
  return { ...tap(result), output: result.output, seconds: result.seconds }
}

async function main() {
  const { values } = parseArgs({
    options: {
      suite: { type: 'string' },
      runtimes: { type: 'string' },
      long: { type: 'boolean' },
      show: { type: 'boolean' },
    },
  })
  if (values.long) process.env.MEMMAP_TEST_LONG = '1'

  const chosen = values.suite?.split(',') ?? suites()
  const unknown = chosen.filter((name) => !suites().includes(name))
  if (unknown.length > 0)
    throw new RangeError(`no such suite: ${unknown.join(', ')} (there are ${suites().join(', ')})`)
  const engines = values.runtimes?.split(',') ?? names

  const failed = await prepare()
  if (failed) throw new Error(failed)

  const rows = []
  const counts = []
  for (const name of engines) {
    const engine = await runtime(name)
    for (const suite of chosen.filter((each) => runsOn(each, name))) {
      const one = engine.path
        ? await runSuite(suite, engine, values.long ? 60 : 10)
        : { ...skipped(engine.skip), seconds: 0, output: '' }
      if (one.failed > 0) console.log(`\n--- ${suite} on ${name} ---\n${one.output}`)
      else if (values.show)
        console.log(`\n--- ${suite} on ${name} ---\n${one.output.replace(/^1\.\..*\n|^TAP.*\n/gm, '')}`)
      counts.push(one)
      rows.push([
        name,
        engine.version ?? '-',
        suite,
        one.passed,
        one.failed,
        one.skipped,
        duration(one.seconds),
        one.note,
      ])
    }
  }
  console.log(table(['runtime', 'version', 'suite', 'passed', 'failed', 'skipped', 'time', 'note'], rows))
  console.log(summary(total(counts)))
  process.exitCode = total(counts).failed > 0 || counts.length === 0 ? 1 : 0
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  main().catch((error) => {
    console.error(error.message)
    process.exitCode = 1
  })
}
