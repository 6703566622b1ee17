// Every suite on this very Node, with the add-on that is here: what CI runs on real systems, where no add-on is compiled.
// `node scripts/suite.mjs [--prepare]`; `--prepare`: installs and compiles what the suites need, and runs none, for a Node that can do that on
// behalf of one that cannot.
import { execPath, versions } from 'node:process'
import { parseArgs } from 'node:util'
import { runSuite, suites } from './matrix.mjs'
import { prepare } from './lib/prepare.mjs'
import { summary, total } from './lib/reports.mjs'
import { duration, table } from './lib/table.mjs'

async function main() {
  const major = versions.node.split('.')[0]
  const results = []
  for (const suite of suites()) {
    const one = await runSuite(suite, { name: `node${major}`, version: versions.node, path: execPath }, 30)
    if (one.failed > 0) console.log(`\n--- ${suite} ---\n${one.output}`)
    results.push({ suite, ...one })
  }
  const rows = results.map((one) => [one.suite, one.passed, one.failed, one.skipped, duration(one.seconds), one.note])
  console.log(`${table(['suite', 'passed', 'failed', 'skipped', 'time', 'note'], rows)}\n\n${summary(total(results))}`)
  process.exitCode = total(results).failed > 0 ? 1 : 0
}

const { values } = parseArgs({ options: { prepare: { type: 'boolean', default: false } } })
const failed = await prepare()
if (failed) throw new Error(failed)
if (!values.prepare) await main()
