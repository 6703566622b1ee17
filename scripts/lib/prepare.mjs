// From a clone to something that runs: what is missing or stale is installed and built, and only that.
import { existsSync, readFileSync, readdirSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { rustProblem } from './requirements.mjs'
import { root, run } from './run.mjs'

const sourceFolders = ['lib', '__test__', 'examples', 'benchmark']

/** Every file below `folder` that ends in `ending`. */
export function filesIn(folder, ending) {
  if (!existsSync(join(root, folder))) return []
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(ending))
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
    .filter((path) => !path.includes('node_modules'))
}

const modified = (path) => (existsSync(path) ? statSync(path).mtimeMs : 0)

/** Does node_modules hold what package-lock.json asks for? npm writes down what it installed in a lockfile of its own. */
export function modulesAreStale() {
  const installedLock = join(root, 'node_modules/.package-lock.json')
  if (!existsSync(installedLock)) return true
  const installed = JSON.parse(readFileSync(installedLock, 'utf8')).packages
  const wanted = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')).packages
  return Object.entries(wanted).some(([path, { version, optional }]) => {
    if (path === '') return false
    return installed[path] ? installed[path].version !== version : !optional
  })
}

export function nativeIsStale() {
  const addons = readdirSync(root).filter((name) => /^memmap\..+\.node$/.test(name))
  if (addons.length === 0) return true
  const outputs = ['binding.js', 'binding.d.ts'].map((name) => join(root, name))
  if (!outputs.every((path) => existsSync(path))) return true
  const built = Math.max(...addons.map((name) => modified(join(root, name))))
  const sources = ['Cargo.toml', 'Cargo.lock', 'build.rs'].map((name) => join(root, name))
  return [...sources, ...filesIn('src', '.rs')].some((path) => modified(path) > built)
}

const typescriptSources = () =>
  [join(root, 'index.ts'), ...sourceFolders.flatMap((folder) => filesIn(folder, '.ts'))].filter(
    (path) => !path.endsWith('.d.ts') && !path.endsWith('-d.ts'),
  )

/** The package's own sources become few files (scripts/bundle.mjs), the last step of the build; every other one has its twin beside it. */
function outputOf(path) {
  const isShipped = path === join(root, 'index.ts') || path.startsWith(join(root, 'lib'))
  return isShipped ? join(root, 'lib', 'bundled-core.js') : path.replace(/\.ts$/, '.js')
}

export function typescriptIsStale() {
  const configuration = ['tsconfig.json', 'tsconfig.build.json', 'scripts/bundle.mjs']
  const configured = Math.max(...configuration.map((name) => modified(join(root, name))))
  return typescriptSources().some((path) => {
    const output = modified(outputOf(path))
    return output < modified(path) || output < configured
  })
}

/** A spec that was deleted or renamed leaves its compiled twin behind, which ava would go on running. */
function removeOrphans() {
  for (const path of sourceFolders.flatMap((folder) => filesIn(folder, '.js'))) {
    if (!existsSync(path.replace(/\.js$/, '.ts'))) rmSync(path)
  }
}

/** Runs one npm command, saying so; on failure its output and a sentence. */
async function npm(what, args) {
  console.log(`${what} (npm ${args.join(' ')}) ...`)
  const result = await run('npm', args, { minutes: 30, env: { npm_config_loglevel: 'error' } })
  if (result.code === 0 && !result.problem) return ''
  process.stdout.write(result.output)
  return `npm ${args.join(' ')} failed${result.problem ? `: ${result.problem}` : ' (see above)'}`
}

/**
 * @param {{ always?: boolean }} options `always`: build although nothing looks stale
 * @returns {Promise<string>} what went wrong, in a sentence, or ''
 */
export async function prepare({ always = false } = {}) {
  const native = always || nativeIsStale()
  const missing = native ? rustProblem() : ''
  if (missing) return missing
  if (modulesAreStale()) {
    const failed = await npm('Installing', ['ci', '--no-audit', '--no-fund'])
    if (failed) return failed
  }
  if (native) {
    const failed = await npm('Building the native core', ['run', 'build:native'])
    if (failed) return failed
  }
  if (native || typescriptIsStale()) {
    removeOrphans()
    return npm('Compiling TypeScript', ['run', 'build:ts'])
  }
  return ''
}
