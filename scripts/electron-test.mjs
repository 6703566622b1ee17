// The latest three majors of Electron, on a display of their own where there is none. Electron's npm package fetches its binary from GitHub.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { has, need, once, Unavailable } from './lib/cross/cache.mjs'
import { prepare } from './lib/prepare.mjs'
import { skipped, summary, tap, total } from './lib/reports.mjs'
import { isOlder } from './lib/requirements.mjs'
import { run } from './lib/run.mjs'
import { duration, table } from './lib/table.mjs'

const program = '__test__/electron/main.cjs'

/** The newest version of each of the latest three majors. */
async function latest() {
  const view = await need('versions of electron', 'npm', ['view', 'electron', 'versions', '--json', '--loglevel=error'])
  const newest = new Map()
  for (const version of JSON.parse(view.stdout).filter((each) => /^[\d.]+$/.test(each))) {
    const major = Number(version.split('.')[0])
    if (!newest.has(major) || isOlder(newest.get(major), version)) newest.set(major, version)
  }
  return [...newest.keys()]
    .toSorted((a, b) => b - a)
    .slice(0, 3)
    .map((major) => newest.get(major))
}

/** @returns {Promise<string>} the path of the program */
async function install(version) {
  const folder = await once(`electron-${version}`, async (scratch) => {
    const args = ['install', '--prefix', scratch, '--no-audit', '--no-fund', '--loglevel=error', `electron@${version}`]
    await need(`electron ${version}`, 'npm', args)
    await need(`the binary of electron ${version}`, process.execPath, [
      join(scratch, 'node_modules/electron/install.js'),
    ])
  })
  const modules = join(folder, 'node_modules/electron')
  return join(modules, 'dist', readFileSync(join(modules, 'path.txt'), 'utf8'))
}

async function test(version) {
  const electron = await install(version)
  const headless = process.platform === 'linux' && !process.env.DISPLAY
  if (headless && !(await has('xvfb-run')))
    throw new Unavailable('there is no display and no xvfb-run (apt install xvfb)')
  // Runners give no rights to set up Chromium's sandbox, which has nothing to do with mapping.
  const args = [...(process.platform === 'linux' ? ['--no-sandbox'] : []), program]
  const result = headless
    ? await run('xvfb-run', ['--auto-servernum', electron, ...args], { minutes: 5 })
    : await run(electron, args, { minutes: 5 })
  const counts = tap(result)
  if (counts.failed > 0) console.log(`\n--- electron ${version} ---\n${result.output}`)
  return { ...counts, seconds: result.seconds }
}

const failed = await prepare()
if (failed) throw new Error(failed)
const rows = []
const counts = []
let versions = []
try {
  versions = await latest()
} catch (error) {
  if (!(error instanceof Unavailable)) throw error
  counts.push(skipped(error.message))
  rows.push(['electron', 0, 0, 1, '-', error.message])
}
for (const version of versions) {
  let one
  try {
    one = await test(version)
  } catch (error) {
    if (!(error instanceof Unavailable)) throw error
    one = { ...skipped(error.message), seconds: 0 }
  }
  counts.push(one)
  rows.push([version, one.passed, one.failed, one.skipped, duration(one.seconds), one.note])
}
console.log(`${table(['electron', 'passed', 'failed', 'skipped', 'time', 'note'], rows)}\n\n${summary(total(counts))}`)
// In CI a skipped Electron is a failure: nothing else would tell that none was tested.
process.exitCode = total(counts).failed > 0 || (process.env.CI && total(counts).passed === 0) ? 1 : 0
