// `npm run test:log`: what `npm test` does to memmap/log in a short form, at full length: 10,000 damaged logs, 100 killed writers on every
// runtime, 100 killed pino applications.
import { join } from 'node:path'
import { runSuite } from './matrix.mjs'
import { prepare } from './lib/prepare.mjs'
import { skipped, summary, tap, total } from './lib/reports.mjs'
import { run } from './lib/run.mjs'
import { duration, table } from './lib/table.mjs'
import { names, runtime } from './runtimes.mjs'

process.env.MEMMAP_LOG_ROUNDS ??= '100'
process.env.MEMMAP_LOG_CASES ??= '10000'

const failed = await prepare()
if (failed) throw new Error(failed)

const rows = []
const counts = []
function report(step, result, note) {
  counts.push(result)
  rows.push([step, result.passed, result.failed, result.skipped, duration(result.seconds ?? 0), note])
  if (result.failed > 0) console.log(`--- ${step}\n${result.output}`)
}

for (const name of names) {
  const engine = await runtime(name)
  const result = engine.path ? await runSuite('log', engine, 30) : { ...skipped(engine.skip), output: '' }
  report(`log:${name}`, result, /# (.*lost)/.exec(result.output)?.[1] ?? result.note)
}
const specs = ['log', 'log-recovery', 'log-pino', 'wait'].map((name) => `__test__/${name}.spec.js`)
const ava = await run(
  process.execPath,
  [join('node_modules', 'ava/entrypoints/cli.mjs'), '--tap', '--timeout=40m', ...specs],
  {
    minutes: 60,
  },
)
report('ava', { ...tap(ava), output: ava.output, seconds: ava.seconds }, /lines lost: .*/.exec(ava.output)?.[0])

console.log(`\n${table(['step', 'passed', 'failed', 'skipped', 'time', 'note'], rows)}\n`)
const sum = total(counts)
console.log(summary(sum))
process.exitCode = sum.failed > 0 || sum.passed === 0 ? 1 : 0
