// The native core for other systems, built and tested: one table. `--quick` is for every push, `--full` is everything that can be run here.
// `node scripts/cross-test.mjs [--quick | --full] [--only MACHINE,...] [--suite ava,main] [--spec NAME,...] [--prebuilt FOLDER]
// [--reports FOLDER] [--lint] [--list]`; a folder of reports is what scripts/platforms.mjs reads, `--lint` only has clippy read what is of other
// systems.
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { lint, linted } from './lib/cross/lint.mjs'
import { machines, quickMachines } from './lib/cross/machines.mjs'
import { binaryOf, testMachine, unrunnable, verdictOf } from './lib/cross/suites.mjs'
import { prepare } from './lib/prepare.mjs'
import { excerpt, skipped, summary, total } from './lib/reports.mjs'
import { duration, table } from './lib/table.mjs'

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

const numbers = ({ passed, failed, skipped: left }) => [passed, failed, left]

/** What ava said on one machine, for scripts/platforms.mjs. */
function keep(folder, machine, report) {
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, `${machine}.tap`), report)
}

/** One target on all its machines. @returns rows and counts of the table */
async function testTarget(target, names, { suite: suites, spec, full, only, prebuilt, reports }) {
  const made = await binaryOf(target, prebuilt)
  if (made.state === 'failed') console.log(made.output)
  console.log(`${made.state} ${target} (${duration(made.seconds)})${made.note && `: ${made.note}`}`)
  const verdict = verdictOf(made)
  const rows = [
    [
      target,
      made.state,
      made.size ?? '-',
      made.symbols,
      '-',
      '-',
      '-',
      ...numbers(verdict),
      duration(made.seconds),
      made.note,
    ],
  ]
  const counts = [verdict]
  for (const name of made.state === 'built' ? names : []) {
    const start = [target, '', '', '', name]
    const each = (suite, version, one) => {
      if (one.failed > 0) console.log(`\n--- ${suite} on ${name} (${version}) ---\n${excerpt(one.output)}`)
      console.log(`${one.failed ? 'FAILED' : 'done'} ${suite} on ${name}, ${version} (${duration(one.seconds)})`)
      if (reports && suite === 'ava') keep(reports, name, one.report)
      counts.push(one)
      rows.push([...start, version, suite, ...numbers(one), duration(one.seconds), one.note])
    }
    const quick = full || only ? undefined : machines[name].quick
    if (quick) console.log(`${name}: ${quick.why}`)
    const result = await testMachine(name, made.file, {
      chosen: suites?.split(',') ?? quick?.suites,
      specs: spec?.split(',') ?? quick?.specs,
      each,
    })
    if (result.version !== '-') continue
    console.log(`skipped ${name}: ${result.note}`)
    counts.push(skipped(result.note))
    rows.push([...start, '-', '-', ...numbers(result), '-', result.note])
  }
  return { rows, counts }
}

/** What is never run here must at least compile, without a warning. */
async function lintForeign() {
  const rows = []
  const counts = []
  for (const triple of linted) {
    const one = await lint(triple)
    if (one.failed > 0) console.log(one.output)
    console.log(`${one.failed ? 'FAILED' : 'done'} clippy for ${triple} (${duration(one.seconds)})`)
    counts.push(one)
    rows.push([triple, 'clippy', '-', '-', '-', '-', '-', ...numbers(one), duration(one.seconds), one.note])
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
  return full ? Object.keys(machines) : quickMachines()
}

/** Every chosen machine, target by target. */
async function testAll(values, rows, counts) {
  const names = select(values)
  // The host's own build brings binding.js and the compiled tests; the foreign add-on is named by the environment.
  const failed = await prepare()
  if (failed) throw new Error(failed)

  const order = [
    ...new Set(names.map((name) => machines[name].target)),
    ...(values.full && !values.only ? unrunnable : []),
  ]
  for (const target of order) {
    const onIt = names.filter((name) => machines[name].target === target)
    const results = await testTarget(target, onIt, values)
    rows.push(...results.rows)
    counts.push(...results.counts)
  }
}

async function main() {
  const { values } = parseArgs({
    options: {
      quick: { type: 'boolean' },
      full: { type: 'boolean' },
      only: { type: 'string' },
      suite: { type: 'string' },
      spec: { type: 'string' },
      prebuilt: { type: 'string' },
      reports: { type: 'string' },
      lint: { type: 'boolean' },
      list: { type: 'boolean' },
    },
  })
  if (values.list) {
    console.log(
      Object.entries(machines)
        .map(([name, each]) => `${name.padEnd(24)}${each.target.padEnd(22)}${each.quick ? 'quick' : 'full'}`)
        .join('\n'),
    )
    return
  }
  const { rows, counts } = values.only || values.prebuilt ? { rows: [], counts: [] } : await lintForeign()
  if (!values.lint) await testAll(values, rows, counts)
  console.log(`\n${table(head, rows)}\n\n${summary(total(counts))}`)
  process.exitCode = total(counts).failed > 0 ? 1 : 0
}

main().catch((error) => {
  console.error(error.stack)
  process.exitCode = 1
})
