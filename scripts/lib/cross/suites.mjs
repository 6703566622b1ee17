// One target: its binary, and the suites on each machine that runs it. A machine is a step of `npm test` and a row of the cross table.
import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { argumentsFor as argumentsOn, suites } from '../../matrix.mjs'
import { forgive } from '../excuses.mjs'
import { skipped, tap, total } from '../reports.mjs'
import { run } from '../run.mjs'
import { build, inspect } from './build.mjs'
import { Unavailable } from './cache.mjs'
import { environmentOf, machines, prepareMachine } from './machines.mjs'
import { specsOn } from './specs.mjs'
import { find, targets } from './targets.mjs'

/** Every suite, the quick ones first: what is broken altogether says so at once. */
const allSuites = () => suites().toReversed()

/** Built (or checked) by --full and run on nothing here. */
export const unrunnable = Object.keys(targets).filter(
  (name) => !Object.values(machines).some(({ target }) => target === name),
)

function argumentsFor(name, suite, specs) {
  if (suite !== 'ava') return argumentsOn(suite, machines[name].engine ?? 'node')
  // Emulators are some 25 times slower than the machine: no limit that a native run would need, and few files at a time.
  return ['node_modules/ava/entrypoints/cli.mjs', '--tap', '--timeout=15m', '--concurrency=2', ...specs]
}

/** One suite on one machine: counts, and what the runner printed. */
async function runOn(name, addon, suite, node, { specs: only, minutes }) {
  const { specs, left } = suite === 'ava' ? specsOn(name, only) : { specs: [], left: [] }
  const result = await run(node, argumentsFor(name, suite, specs), { minutes, env: environmentOf(name, node, addon) })
  const judged = forgive(result, machines[name].excuse ?? (() => undefined))
  const counts = tap(judged)
  const excused = [...judged.reasons].map(([reason, count]) => `${count} excused: ${reason}`)
  const notes = [counts.note, ...excused, left.length > 0 && `${left.length} specs left out`].filter(Boolean)
  return {
    ...counts,
    skipped: counts.skipped + left.length,
    note: notes.join('; '),
    seconds: result.seconds,
    output: result.output,
    report: judged.stdout,
  }
}

/** The binary to test: built here, or (`folder`) by another job. */
export async function binaryOf(targetName, folder) {
  const target = find(targetName)
  if (!folder) return build(target)
  const file = join(resolve(folder), `memmap.${target.platform}.node`)
  if (!existsSync(file)) return { state: 'skipped', note: `no ${file}`, seconds: 0, symbols: '-', output: '' }
  return { file, seconds: 0, output: '', ...(await inspect(target, file)) }
}

/** What a build counts as: one check, unless it could not be tried. */
export function verdictOf({ state, note }) {
  if (state === 'skipped') return skipped(note)
  const failed = state === 'failed' ? 1 : 0
  return { passed: 1 - failed, failed, skipped: 0, note }
}

/**
 * Runs the suites on one machine, or says why it is not to be had.
 * @param {string} name
 * @param {string} addon the binary's path
 * @param {{ chosen?: readonly string[], specs?: readonly string[], minutes?: number, each?: (suite: string, version: string, result: object) => void }} options
 *   `chosen` suites, `specs` of ava's, `minutes` that a suite may take, and `each` hears every result
 */
export async function testMachine(name, addon, { chosen, specs, minutes = 40, each = () => {} } = {}) {
  let machine
  try {
    machine = await prepareMachine(name)
  } catch (error) {
    if (error instanceof Unavailable) return { ...skipped(error.message), version: '-', output: '' }
    throw error
  }
  const results = []
  for (const suite of chosen ?? machines[name].suites ?? allSuites()) {
    const one = await runOn(name, addon, suite, machine.node, { specs, minutes })
    each(suite, machine.version, one)
    results.push({ suite, ...one })
  }
  const notes = results.filter(({ note }) => note).map(({ suite, note }) => `${suite}: ${note}`)
  return {
    ...total(results),
    version: machine.version,
    note: [machine.version, ...notes].join('; '),
    output: results.map(({ output }) => output).join('\n'),
  }
}
