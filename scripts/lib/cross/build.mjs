// Builds the add-on for one target and checks what came out.
import { copyFileSync, existsSync, mkdirSync, statSync } from 'node:fs'
import { homedir } from 'node:os'
import { delimiter, join } from 'node:path'
import { root, run } from '../run.mjs'
import { Unavailable } from './cache.mjs'
import { nodeImportLibrary, rust, zig } from './rust.mjs'
import { check } from './symbols.mjs'

const limit = 600 * 1024
/** Of this checkout, not in the shared cache: two checkouts that build at once would take each other's binaries for their own. */
const built = join(root, 'target/cross')

/**
 * Unwind tables are a tenth of a binary, and nothing unwinds through one that says `panic = "abort"`. Windows cannot do without: its
 * exceptions, which fault handlers live on, walk these tables.
 */
const noTables = ({ rust: triple }) => (/windows|apple/.test(triple) ? [] : ['-C force-unwind-tables=no'])

/** Panics without messages, and without the places and the formatting that these bring along: a tenth of a binary. */
const terseFlags = ({ terse }) =>
  terse ? ['-Zunstable-options', '-Cpanic=immediate-abort', '-Zlocation-detail=none'] : []

/** What the linker of each system makes of a cdylib named memmap. */
const outputs = ['libmemmap.so', 'libmemmap.dylib', 'memmap.dll']

/** Paths in panic messages would hold this machine's folders, so that no two machines made the same binary. */
function remap(sysroot, sources) {
  const cargo = process.env.CARGO_HOME || join(homedir(), '.cargo')
  const folders = { memmap: sources.replace(/[/\\]$/, ''), cargo, rust: sysroot }
  return Object.entries(folders).map(([name, path]) => `--remap-path-prefix=${path}=${name}`)
}

/** Where a system links its own binaries it does so with its own linker; everywhere else, and for an old glibc, zig does. */
async function toolFor(target) {
  const own = target.rust.includes(`-${{ darwin: 'apple', win32: 'msvc' }[process.platform]}`)
  const ndk = process.env.ANDROID_NDK_LATEST_HOME
  if (target.rust === 'aarch64-linux-android' && ndk) {
    const linker = join(ndk, 'toolchains/llvm/prebuilt/linux-x86_64/bin/aarch64-linux-android24-clang')
    return {
      command: ['cargo', 'build', '--release'],
      triple: target.rust,
      env: { CARGO_TARGET_AARCH64_LINUX_ANDROID_LINKER: linker },
    }
  }
  if (own) return { command: ['cargo', 'build', '--release'], triple: target.rust, env: {} }
  if (target.check) return { command: ['cargo', 'check'], triple: target.rust, env: {}, checked: true }
  const bin = await zig()
  const env = { PATH: bin + delimiter + process.env.PATH }
  if (/windows-gnu/.test(target.rust)) env.LIBNODE_PATH = await nodeImportLibrary(bin)
  const triple = target.glibc ? `${target.rust}.${target.glibc}` : target.rust
  return { command: ['cargo-zigbuild', 'zigbuild', '--release'], triple, env }
}

/**
 * @param {{ targetDir?: string, sources?: string, features?: string }} options other folders, for a build that must not find the results of the
 *   first; features of Cargo.toml, for test builds
 */
async function compile(target, { targetDir = built, sources = root, features } = {}) {
  const compiler = await rust()
  const { command, triple, env, checked } = await toolFor(target)
  const wanted = features ? ['--features', features] : []
  const args = [...command.slice(1), '--locked', '--target', triple, ...wanted, ...compiler.args]
  const result = await run(command[0], args, {
    cwd: sources,
    minutes: 30,
    env: {
      ...compiler.env,
      ...target.env,
      ...env,
      RUSTFLAGS: [
        target.env?.RUSTFLAGS ?? '',
        ...noTables(target),
        ...terseFlags(target),
        ...remap(compiler.sysroot, sources),
      ]
        .join(' ')
        .trim(),
      CARGO_TARGET_DIR: targetDir,
      CARGO_INCREMENTAL: '0',
    },
  })
  const folder = join(targetDir, target.rust, 'release')
  return { ...result, checked, file: outputs.map((name) => join(folder, name)).find((path) => existsSync(path)) }
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
  if (made.checked) return { ...nothing, state: 'checked', note: `linked in CI only: ${target.check}`, seconds, output }
  const file = join(options?.targetDir ?? built, 'addons', `memmap.${target.platform}.node`)
  mkdirSync(join(file, '..'), { recursive: true })
  copyFileSync(made.file, file)
  return { seconds, output, file, ...(await inspect(target, file)) }
}

/** Size and symbols of a finished binary, wherever it was built. */
export async function inspect(target, file) {
  const { size } = statSync(file)
  const notes = size > limit && !target.unshipped ? [`larger than ${limit} bytes`] : []
  let symbols = '-'
  if (target.glibc) {
    const { problems, newest } = await check(file, target.glibc)
    symbols = problems.length > 0 ? 'FAILED' : `GLIBC_${newest}`
    notes.push(...problems)
  }
  return { size, symbols, state: notes.length > 0 ? 'failed' : 'built', note: notes.join('; ') }
}
