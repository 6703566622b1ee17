// What `npm run bench` needs besides memmap: the limits (cargo) and the rivals out of npm. Rivals that cannot be had are no failure.
import { existsSync, readFileSync, statSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { root, run } from '../../scripts/lib/run.mjs'

const folder = join(root, 'benchmark')

async function limits() {
  console.log('Building the limits (cargo build --release) ...')
  const built = await run('cargo', [
    'build',
    '--release',
    '--quiet',
    '--manifest-path',
    join(folder, 'limits', 'Cargo.toml'),
  ])
  if (built.code === 0) return ''
  process.stdout.write(built.output)
  return 'the limits could not be built'
}

function limitsAreStale() {
  const program = join(folder, 'limits/target/release/memmap-limits')
  if (!existsSync(program)) return true
  const built = statSync(program).mtimeMs
  const sources = readdirSync(join(folder, 'limits/src')).map((name) => join(folder, 'limits/src', name))
  return [join(folder, 'limits/Cargo.toml'), ...sources].some((path) => statSync(path).mtimeMs > built)
}

/** All rivals are optional: npm leaves out what does not build, and does not say so in its own lockfile. */
function rivalsAreStale() {
  const installed = join(folder, 'node_modules/.package-lock.json')
  if (!existsSync(installed)) return true
  return statSync(join(folder, 'package-lock.json')).mtimeMs > statSync(installed).mtimeMs
}

async function rivals() {
  console.log('Installing the rivals (npm ci --prefix benchmark) ...')
  const installed = await run('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: folder,
    minutes: 10,
  })
  if (installed.code !== 0) console.log(`the rivals of npm are left out: npm ci failed\n${installed.output}`)
}

/** @returns {Promise<string>} what went wrong, in a sentence, or '' */
export async function provide() {
  if (rivalsAreStale()) await rivals()
  return limitsAreStale() ? limits() : ''
}

/** The version of a rival that is installed, or undefined. */
export function versionOf(name) {
  const path = [join(folder, 'node_modules', name, 'package.json'), join(root, 'node_modules', name, 'package.json')]
  const found = path.find((one) => existsSync(one))
  return found === undefined ? undefined : JSON.parse(readFileSync(found, 'utf8')).version
}
