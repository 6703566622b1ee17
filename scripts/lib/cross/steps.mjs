// The quick machines and the packages as steps of `npm test`. They take CI some 25 minutes and everything it can fetch, so a developer's
// own run leaves them out, and says so.
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { skipped, summarised } from '../reports.mjs'
import { run } from '../run.mjs'
import { lint, linted } from './lint.mjs'
import { machines, quickMachines } from './machines.mjs'
import { binaryOf, testMachine, verdictOf } from './suites.mjs'

/**
 * A run of CI that is cut off tells nothing, so on a machine that is too slow for everything the last steps are left out instead.
 * A run is cut off after 90 minutes.
 */
const lastStartMinutes = 60
const started = performance.now()

/** @param {string} name @param {() => Promise<object>} action */
function step(name, action) {
  async function inTime() {
    const minutes = (performance.now() - started) / 60_000
    if (minutes > lastStartMinutes) return skipped(`no time left: this run is ${Math.round(minutes)} minutes old`)
    return action()
  }
  return { name, inCi: true, run: inTime }
}

/** Each binary is built once, by its own step or by the first that asks. */
const binaries = new Map()
const binary = (target) => {
  if (!binaries.has(target)) binaries.set(target, binaryOf(target))
  return binaries.get(target)
}

function buildStep(target) {
  return step(`cross:build ${target}`, async () => {
    const made = await binary(target)
    const facts = [made.size && `${made.size} bytes`, made.symbols !== '-' && made.symbols, made.note]
    return { ...verdictOf(made), note: facts.filter(Boolean).join(', '), output: made.output }
  })
}

function machineStep(name) {
  return step(`cross:${name}`, async () => {
    const { target, quick } = machines[name]
    const made = await binary(target)
    if (!made.file) return skipped(`${target} was not built: ${made.note}`)
    console.log(`${name}: ${quick.why}`)
    return testMachine(name, made.file, { chosen: quick.suites, specs: quick.specs, minutes: 15 })
  })
}

/** The packages with the binary of this system, in every package manager and bundler that can be had. */
function installStep(target) {
  return step('install', async () => {
    const made = await binary(target)
    if (made.state !== 'built') return skipped(`${target} was not built: ${made.note}`)
    // Alone: beside it lie those of other systems, some of them for tests only.
    const folder = mkdtempSync(join(tmpdir(), 'memmap-binaries-'))
    try {
      copyFileSync(made.file, join(folder, basename(made.file)))
      const args = [join('scripts', 'install-test.mjs'), '--binaries', folder]
      const result = await run(process.execPath, args, { minutes: 15 })
      return { ...summarised(result), output: result.output }
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
}

/** Code for systems that nothing here runs at least compiles without a warning. */
function clippyStep(triple) {
  return step(`clippy:${triple}`, () => lint(triple))
}

/** A script of this repository that counts. */
function scriptStep(name, ...args) {
  return step(name, async () => {
    const result = await run(process.execPath, [join('scripts', `${name}.mjs`), ...args], { minutes: 10 })
    return { ...summarised(result), output: result.output }
  })
}

/** A binary and every machine that runs it. */
function targetSteps(target, names) {
  return [buildStep(target)].concat(
    names.filter((name) => machines[name].target === target).map((name) => machineStep(name)),
  )
}

/** Only where Linux is: elsewhere the jobs of the workflow are on the real systems. */
export function crossSteps() {
  if (process.platform !== 'linux' || process.arch !== 'x64') return []
  const names = quickMachines()
  const targets = [...new Set(names.map((name) => machines[name].target))]
  return [
    ...linted.map((triple) => clippyStep(triple)),
    scriptStep('actionlint'),
    scriptStep('audit', '--quick'),
    ...targets.flatMap((target) => targetSteps(target, names)),
    installStep('linux-x64-gnu'),
  ]
}
