// The steps of `npm test`, in the order of how soon they tell what is wrong.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { runShort } from '../caged.mjs'
import { runsOn, runSuite, suites } from '../matrix.mjs'
import { names, runtime } from '../runtimes.mjs'
import { crossSteps } from './cross/steps.mjs'
import { prepare } from './prepare.mjs'
import { cargo, excerpt, failures, skipped, summary, tap, total, verdict } from './reports.mjs'
import { root, run } from './run.mjs'
import { duration, table } from './table.mjs'

const bin = (path) => join('node_modules', path)

/** A tool out of node_modules, run by this Node. */
function tool(name, path, ...args) {
  return { name, run: async () => withOutput(verdict, await run(process.execPath, [bin(path), ...args])) }
}

/** A command that only says yes or no. */
function command(name, program, ...args) {
  return { name, run: async () => withOutput(verdict, await run(program, args)) }
}

function withOutput(read, result) {
  return { ...read(result), output: result.output }
}

/** The declarations in git are what this build has just emitted: an API change that was not committed shows here. */
async function declarations() {
  if (!existsSync(join(root, '.git'))) return skipped('not a git checkout')
  const emitted = ['index.d.ts', 'binding.d.ts', 'lib']
  const changed = await run('git', ['diff', '--exit-code', '--', ...emitted])
  const untracked = await run('git', ['ls-files', '--others', '--exclude-standard', '--', ...emitted])
  const forgotten = untracked.stdout.split('\n').filter((path) => path.endsWith('.d.ts'))
  const code = changed.code || untracked.code || (forgotten.length > 0 ? 1 : 0)
  const output = changed.output + forgotten.map((path) => `not in git: ${path}\n`).join('')
  return withOutput(verdict, { code, problem: changed.problem || untracked.problem, output })
}

/** The type tests as a user's compiler reads them: tsd brings a TypeScript of its own, these are the promised ones. */
function types(version, folder) {
  const path = join(folder, folder === 'typescript' ? 'bin/tsc' : 'lib/tsc.js')
  return tool(`types-${version}`, path, '-p', '__test__/tsconfig.types.json')
}

async function ava() {
  const result = await run(process.execPath, [bin('ava/entrypoints/cli.mjs'), '--tap'], { minutes: 10 })
  return withOutput(tap, result)
}

/** One suite on one runtime; where the runtime cannot be had, one skipped with the reason. */
function onRuntime(suite, name) {
  return {
    name: `${suite}:${name}`,
    run: async () => {
      const engine = await runtime(name)
      if (!engine.path) return skipped(engine.skip)
      const counts = await runSuite(suite, engine)
      return { ...counts, note: counts.note || engine.version }
    },
  }
}

/** Views on memory of the engine's own, as in Electron; all of it on all engines: `npm run test:caged`. */
function caged(carrier) {
  const engine = { name: thisNode, version: process.versions.node, path: process.execPath }
  return { name: `caged:${carrier}`, run: () => runShort(engine, carrier) }
}

const thisNode = `node${process.versions.node.split('.')[0]}`

function steps() {
  return [
    tool('prettier', 'prettier/bin/prettier.cjs', '--check', '--log-level', 'warn', '.'),
    tool('oxlint', 'oxlint/bin/oxlint', '--deny-warnings'),
    command('rustfmt', 'cargo', 'fmt', '--all', '--check'),
    command(
      'clippy',
      'cargo',
      'clippy',
      '--quiet',
      '--workspace',
      '--all-targets',
      '--all-features',
      '--',
      '--deny',
      'warnings',
    ),
    { name: 'declarations', run: declarations },
    tool('tsd', 'tsd/dist/cli.js'),
    types('5.7', 'typescript57'),
    types('5.9', 'typescript59'),
    types('7', 'typescript'),
    tool('publint', 'publint/src/cli.js', '--strict'),
    // The old resolution of TypeScript ("node10") knows no `exports`, so it cannot see memmap/posix: left out on purpose.
    tool('attw', '@arethetypeswrong/cli/dist/index.js', '--pack', '.', '--profile', 'node16', '--no-color'),
    { name: 'cargo', run: async () => withOutput(cargo, await run('cargo', ['test', '--workspace'], { minutes: 15 })) },
    { name: 'ava', run: ava },
    ...['wasm', 'refused', 'none'].map(caged),
    ...names.flatMap((name) =>
      suites()
        // The step before has run ava on this version already.
        .filter((suite) => runsOn(suite, name) && !(suite === 'ava' && name === thisNode))
        .map((suite) => onRuntime(suite, name)),
    ),
    ...crossSteps(),
  ]
}

/** Other systems take long and fetch much: CI always runs them, people when they name them. */
function withoutCi(step) {
  return { ...step, run: async () => skipped(`in CI only; here: node scripts/test.mjs --only '${step.name}'`) }
}

/** The steps that were asked for, each by its name (`ava`) or by what stands before the colon (`smoke`, `ava:`). */
function select(all, only) {
  if (!only) return process.env.CI ? all : all.map((step) => (step.inCi ? withoutCi(step) : step))
  const found = only.split(',').map((name) => {
    const exact = all.filter((step) => step.name === name)
    const named = exact.length > 0 ? exact : all.filter((step) => step.name.startsWith(`${name.replace(/:$/, '')}:`))
    if (named.length === 0) throw new RangeError(`no such step: ${name} (see --list)`)
    return named
  })
  return all.filter((step) => found.some((named) => named.includes(step)))
}

/** @returns {Promise<boolean>} did everything pass? */
export async function main(argv) {
  const { values } = parseArgs({ args: argv, options: { only: { type: 'string' }, list: { type: 'boolean' } } })
  if (values.list) {
    console.log(
      steps()
        .map(({ name }) => name)
        .join('\n'),
    )
    return true
  }
  const chosen = select(steps(), values.only)
  // A whole run holds what is really built from these sources; a part run is for people who wait for it.
  const failed = await prepare({ always: !values.only })
  if (failed) {
    console.log(`${failed}\n0 passed, 1 failed`)
    return false
  }

  const results = []
  for (const step of chosen) {
    const started = performance.now()
    // A step that breaks is a failure of one: the others still count.
    const result = await step.run().catch((error) => {
      return { passed: 0, failed: 1, skipped: 0, note: error.message.split('\n')[0], output: error.stack }
    })
    const seconds = (performance.now() - started) / 1000
    results.push({ name: step.name, seconds, ...result })
    console.log(`${result.failed ? 'FAILED ' : 'done   '} ${step.name} (${duration(seconds)})`)
    if (result.failed) console.log(`${excerpt(result.output ?? '')}\n--- end of ${step.name}`)
  }

  const rows = results.map((one) => [one.name, one.passed, one.failed, one.skipped, duration(one.seconds), one.note])
  console.log(`\n${table(['step', 'passed', 'failed', 'skipped', 'time', 'note'], rows)}\n`)
  for (const { name, output = '' } of results.filter((one) => one.failed > 0)) {
    console.log([`FAILED ${name}`, ...failures(output).map((one) => `  ${one}`), ''].join('\n'))
  }
  const sum = total(results)
  console.log(summary(sum))
  return sum.failed === 0 && sum.passed > 0
}
