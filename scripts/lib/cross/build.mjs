// Builds the add-on for one target and checks what came out.
import { copyFileSync, existsSync, mkdirSync, statSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { root, run } from '../run.mjs'
import { cache, Unavailable } from './cache.mjs'
import { nodeImportLibrary, rustFor, zig } from './rust.mjs'
import { check } from './symbols.mjs'

const limit = 600 * 1024

/** What the linker of each system makes of a cdylib named memmap. */
const outputs = ['libmemmap.so', 'libmemmap.dylib', 'memmap.dll']

/** Paths in panic messages would hold this machine's folders, so that no two machines made the same binary. */
function remap() {
  const home = process.env.CARGO_HOME || join(process.env.HOME ?? '', '.cargo')
  return `--remap-path-prefix=${root.replace(/\/$/, '')}=memmap --remap-path-prefix=${home}=cargo`
}

/** @param {{ targetDir?: string }} options another CARGO_TARGET_DIR, for a build that must not find the results of the first */
async function compile(target, { targetDir = join(cache, 'target') } = {}) {
  const bin = await zig()
  const rust = await rustFor(target.rust)
  const env = {
    ...rust.env,
    ...target.env,
    RUSTFLAGS: [target.env?.RUSTFLAGS, remap()].filter(Boolean).join(' '),
    PATH: bin + delimiter + process.env.PATH,
    CARGO_TARGET_DIR: targetDir,
    CARGO_INCREMENTAL: '0',
  }
  if (/windows-gnu/.test(target.rust)) env.LIBNODE_PATH = await nodeImportLibrary(bin)
  const triple = target.glibc ? `${target.rust}.${target.glibc}` : target.rust
  const command = target.check ? ['cargo', 'check'] : ['cargo-zigbuild', 'zigbuild', '--release']
  const result = await run(command[0], [...command.slice(1), '--locked', '--target', triple, ...rust.args], {
    minutes: 30,
    env,
  })
  const folder = join(targetDir, target.rust, 'release')
  const output = outputs.map((name) => join(folder, name)).find((path) => existsSync(path))
  return { ...result, output: result.output, file: output, compiler: rust.name }
}

/**
 * @param {import('./targets.mjs').Target & { name: string }} target
 * @returns {Promise<{ state: 'built' | 'checked' | 'failed' | 'skipped', note: string, seconds: number, file?: string, size?: number, symbols: string, output: string }>}
 */
export async function build(target, options) {
  const nothing = { seconds: 0, symbols: '-', output: '' }
  let made
  try {
    made = await compile(target, options)
  } catch (error) {
    if (error instanceof Unavailable) return { ...nothing, state: 'skipped', note: error.message }
    throw error
  }
  const { seconds, output } = made
  if (made.code !== 0 || made.problem)
    return { ...nothing, state: 'failed', note: made.problem || 'see above', seconds, output }
  if (target.check) return { ...nothing, state: 'checked', note: `linked in CI only: ${target.check}`, seconds, output }
  const file = join(options?.targetDir ?? join(cache, 'addons'), `memmap.${target.platform}.node`)
  mkdirSync(join(file, '..'), { recursive: true })
  copyFileSync(made.file, file)
  return { seconds, output, file, ...(await inspect(target, file)), compiler: made.compiler }
}

/** Size and symbols of a finished binary, wherever it was built. */
export async function inspect(target, file) {
  const { size } = statSync(file)
  const notes = size > limit ? [`larger than ${limit} bytes`] : []
  let symbols = '-'
  if (target.glibc) {
    const { problems, newest } = await check(file, target.glibc)
    symbols = problems.length > 0 ? 'FAILED' : `GLIBC_${newest}`
    notes.push(...problems)
  }
  return { size, symbols, state: notes.length > 0 ? 'failed' : 'built', note: notes.join('; ') }
}
