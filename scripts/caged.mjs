// `npm run test:caged`: every suite again on each carrier that V8's memory cage leaves (MEMMAP_CARRIER), and once more with a test build whose
// external buffers are refused as Electron's engine refuses them. One table.
// `node scripts/caged.mjs [--carriers wasm,refused] [--runtimes node20,deno] [--suite ava,smoke] [--long] [--show] [--excused]`. `--excused`
// prints what the tests say that were skipped because of their carrier.
import { pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import { excuse } from '../__test__/carried.mjs'
import { forgive } from './lib/excuses.mjs'
import { prepare } from './lib/prepare.mjs'
import { skipped, summary, tap, total } from './lib/reports.mjs'
import { run } from './lib/run.mjs'
import { duration, table } from './lib/table.mjs'
import { testBuild } from './lib/test-build.mjs'
import { argumentsFor, environmentOf, runsOn, suites } from './matrix.mjs'
import { runtime } from './runtimes.mjs'

const CARRIERS = ['wasm', 'resizable', 'shared', 'none', 'refused']

/** Bun has no cage, and nothing to map over. */
const RUNTIMES = ['node20', 'node22', 'node24', 'node26', 'deno']

/** It runs the others under each carrier itself. */
const LEFT_OUT = new Set(['carriers'])

/** Specs without a mapping in this process: the package, the headers of C, how a missing binary is told. */
const WITHOUT_MAPPINGS = ['package', 'constants', 'native-help', 'asar', 'electron-example', 'posix-c']
const SPECS = ['__test__/*.spec.js', ...WITHOUT_MAPPINGS.map((name) => `!__test__/${name}.spec.js`)]

/** Those that look most through views, for `npm test`: a minute for three carriers. */
const SHORT =
  'anonymous-memory bytes close data-view devices discard model posix-memory protect reservation resize seal shared-memory subarray view workers'
    .split(' ')
    .map((name) => `__test__/${name}.spec.js`)

/** `addon`: of `npm run build:test`. */
function settings(carrier, addon) {
  if (carrier !== 'refused') return { MEMMAP_CARRIER: carrier }
  return { MEMMAP_TEST_REFUSE_EXTERNAL: '1', NAPI_RS_NATIVE_LIBRARY_PATH: addon }
}

async function runCaged(suite, engine, carrier, { addon = '', specs = SPECS } = {}) {
  const args = [...argumentsFor(suite, engine.name), ...(suite === 'ava' ? specs : [])]
  const result = await run(engine.path, args, {
    minutes: 20,
    env: { ...environmentOf(engine), ...settings(carrier, addon) },
  })
  const judged = forgive(result, (title, says) => excuse({ carrier, runtime: engine.name, title, says }))
  const { stdout, forgiven, reasons, excuses } = judged
  const counts = tap(judged)
  // Nothing was left to pass.
  const all = forgiven && counts.passed === 0 && counts.failed === 1
  return {
    ...counts,
    ...(all && { failed: 0, note: 'nothing here does without views' }),
    reasons,
    excuses,
    failures: failuresIn(stdout),
    output: result.output,
    seconds: result.seconds,
  }
}

function failuresIn(stdout) {
  return stdout.split(/^(?=(?:not )?ok \d)/m).filter((point) => point.startsWith('not ok'))
}

/** A part of `npm test`: what fails there is in `output`. */
export async function runShort(engine, carrier) {
  const addon = carrier === 'refused' ? await testBuild() : ''
  const one = await runCaged('ava', engine, carrier, { addon, specs: SHORT })
  return { ...one, output: one.failures.join('\n') || one.output }
}

async function main() {
  const { values } = parseArgs({
    options: {
      carriers: { type: 'string', default: CARRIERS.join() },
      runtimes: { type: 'string', default: RUNTIMES.join() },
      suite: { type: 'string' },
      long: { type: 'boolean' },
      show: { type: 'boolean' },
      excused: { type: 'boolean' },
    },
  })
  if (values.long) process.env.MEMMAP_TEST_LONG = '1'
  const carriers = values.carriers.split(',')
  const unknown = carriers.filter((name) => !CARRIERS.includes(name))
  if (unknown.length > 0) throw new RangeError(`no such carrier: ${unknown.join()} (there are ${CARRIERS.join(', ')})`)
  const chosen = values.suite?.split(',') ?? suites().filter((name) => !LEFT_OUT.has(name))

  const failed = await prepare()
  if (failed) throw new Error(failed)
  const addon = carriers.includes('refused') ? await testBuild() : ''

  const rows = []
  const counts = []
  const reasons = new Map()
  for (const name of values.runtimes.split(',')) {
    const engine = await runtime(name)
    for (const carrier of carriers) {
      for (const suite of chosen.filter((each) => runsOn(each, name))) {
        const one = engine.path
          ? await runCaged(suite, engine, carrier, { addon })
          : { ...skipped(engine.skip), seconds: 0, failures: [], excuses: [], reasons: new Map() }
        if (values.excused) for (const text of one.excuses) console.log(text)
        for (const failure of one.failures) console.log(`--- ${suite} on ${name}, ${carrier}\n${failure}`)
        if (one.failed > one.failures.length)
          console.log(`--- ${suite} on ${name}, ${carrier}\n${one.output?.slice(-3000)}`)
        for (const [reason, times] of one.reasons) reasons.set(reason, (reasons.get(reason) ?? 0) + times)
        counts.push(one)
        const { version = '-' } = engine
        rows.push([name, version, carrier, suite, one.passed, one.failed, one.skipped, duration(one.seconds), one.note])
        if (values.show) console.log(table([], [rows.at(-1)]).trimEnd())
      }
    }
  }
  console.log(table(['runtime', 'version', 'carrier', 'suite', 'passed', 'failed', 'skipped', 'time', 'note'], rows))
  console.log('\nSkipped, because a carrier has no such thing:')
  for (const [reason, times] of reasons) console.log(`  ${times} x ${reason}`)
  console.log(summary(total(counts)))
  process.exitCode = total(counts).failed > 0 || counts.length === 0 ? 1 : 0
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  main().catch((error) => {
    console.error(error.message)
    process.exitCode = 1
  })
}
