// The native core for other systems, built and tested: one table. `--quick` is for every push, `--full` is everything that can be run here.
// `node scripts/cross-test.mjs [--quick | --full] [--only MACHINE,...] [--suite ava,main] [--prebuilt FOLDER] [--list]`
import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { build, inspect } from './lib/cross/build.mjs'
import { Unavailable } from './lib/cross/cache.mjs'
import { environmentOf, machines, prepareMachine } from './lib/cross/machines.mjs'
import { find, targets } from './lib/cross/targets.mjs'
import { prepare } from './lib/prepare.mjs'
import { skipped, summary, tap, total } from './lib/reports.mjs'
import { run } from './lib/run.mjs'
import { duration, table } from './lib/table.mjs'
import { suites } from './matrix.mjs'

const head = [
  'target',
  'build',
  'size',
  'symbols',
  'machine',
  'node',
  'suite',
  'passed',
  'failed',
  'skipped',
  'time',
  'note',
]

/** Built (or checked) by --full and run on nothing here. */
const unrunnable = Object.keys(targets).filter((name) => !Object.values(machines).some(({ target }) => target === name))

function argumentsFor(suite) {
  if (suite !== 'ava') return ['--expose-gc', `__test__/suites/${suite}.mjs`]
  // package.spec packs the binary of this system: scripts/install-test.mjs does it for others.
  // Emulators are some 25 times slower than the machine: no limit that a native run would need, and one file at a time on few processors.
  return [
    'node_modules/ava/entrypoints/cli.mjs',
    '--tap',
    '--timeout=15m',
    '--concurrency=2',
    '__test__/**/*.spec.js',
    '!__test__/package.spec.js',
  ]
}

async function testOn(name, addon, suite, { node, version }) {
  const result = await run(node, argumentsFor(suite), { minutes: 40, env: environmentOf(name, node, addon) })
  const counts = tap(result)
  if (counts.failed > 0) console.log(`\n--- ${suite} on ${name} (${version}) ---\n${excerpt(result.output)}`)
  return { ...counts, seconds: result.seconds }
}

/** Whole reports of hundreds of tests bury the one line that matters. */
function excerpt(output) {
  const lines = output.split('\n').filter((line) => !/^ok \d/.test(line))
  return lines.length <= 120 ? lines.join('\n') : [...lines.slice(0, 100), '...', ...lines.slice(-20)].join('\n')
}

/** The binary to test: built here, or (`--prebuilt`) by another job. */
async function binaryOf(target, folder) {
  if (!folder) return build(target)
  const file = join(resolve(folder), `memmap.${target.platform}.node`)
  if (!existsSync(file)) return { state: 'skipped', note: `no ${file}`, seconds: 0, symbols: '-', output: '' }
  return { file, seconds: 0, output: '', ...(await inspect(target, file)) }
}

/** All machines of one target, each with all suites. @returns rows and counts of the table */
async function testTarget(targetName, names, chosenSuites, folder) {
  const target = find(targetName)
  const made = await binaryOf(target, folder)
  if (made.state === 'failed') console.log(made.output)
  console.log(`${made.state} ${targetName} (${duration(made.seconds)})${made.note && `: ${made.note}`}`)
  const start = [targetName, made.state, made.size ?? '-', made.symbols]
  const verdict = {
    passed: 0,
    failed: made.state === 'failed' ? 1 : 0,
    skipped: made.state === 'skipped' ? 1 : 0,
    note: made.note,
  }
  const rows = [
    [
      ...start,
      '-',
      '-',
      '-',
      made.state === 'built' || made.state === 'checked' ? 1 : 0,
      verdict.failed,
      verdict.skipped,
      duration(made.seconds),
      made.note,
    ],
  ]
  const counts = [{ ...verdict, passed: rows[0][7] }]
  for (const name of made.file && made.state === 'built' ? names : []) {
    let machine
    try {
      machine = await prepareMachine(name)
    } catch (error) {
      if (!(error instanceof Unavailable)) throw error
      const left = skipped(error.message)
      console.log(`skipped ${name}: ${error.message}`)
      counts.push(left)
      rows.push([targetName, '', '', '', name, '-', '-', 0, 0, 1, '-', error.message])
      continue
    }
    for (const suite of chosenSuites) {
      const one = await testOn(name, made.file, suite, machine)
      console.log(
        `${one.failed ? 'FAILED' : 'done'} ${suite} on ${name}, ${machine.version} (${duration(one.seconds)})`,
      )
      counts.push(one)
      rows.push([
        targetName,
        '',
        '',
        '',
        name,
        machine.version,
        suite,
        one.passed,
        one.failed,
        one.skipped,
        duration(one.seconds),
        one.note,
      ])
    }
  }
  return { rows, counts }
}

function select({ full, only }) {
  if (only) {
    const wanted = only.split(',').map((each) => each.trim())
    const found = Object.keys(machines).filter((name) =>
      wanted.some((each) => name === each || machines[name].target === each),
    )
    if (found.length === 0) throw new RangeError(`no such machine: ${only} (see --list)`)
    return found
  }
  return Object.keys(machines).filter((name) => full || machines[name].quick)
}

async function main() {
  const { values } = parseArgs({
    options: {
      quick: { type: 'boolean' },
      full: { type: 'boolean' },
      only: { type: 'string' },
      suite: { type: 'string' },
      prebuilt: { type: 'string' },
      list: { type: 'boolean' },
    },
  })
  if (values.list) {
    console.log(
      Object.entries(machines)
        .map(([name, each]) => `${name.padEnd(22)}${each.target.padEnd(22)}${each.quick ? 'quick' : 'full'}`)
        .join('\n'),
    )
    return
  }
  const names = select(values)
  // The host's own build brings binding.js and the compiled tests; the foreign add-on is named by the environment.
  const failed = await prepare()
  if (failed) throw new Error(failed)

  const order = [
    ...new Set(names.map((name) => machines[name].target)),
    ...(values.full && !values.only ? unrunnable : []),
  ]
  const rows = []
  const counts = []
  for (const target of order) {
    const onIt = names.filter((name) => machines[name].target === target)
    const results = await testTarget(target, onIt, values.suite?.split(',') ?? suites().toReversed(), values.prebuilt)
    rows.push(...results.rows)
    counts.push(...results.counts)
  }
  console.log(`\n${table(head, rows)}\n\n${summary(total(counts))}`)
  process.exitCode = total(counts).failed > 0 ? 1 : 0
}

main().catch((error) => {
  console.error(error.stack)
  process.exitCode = 1
})
