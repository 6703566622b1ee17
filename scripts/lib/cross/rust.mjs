// A Rust that compiles for any target: rustup's with the sources of its standard library, else Debian's with them, and zig to link with.
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { run } from '../run.mjs'
import { cache, has, need, once, Unavailable } from './cache.mjs'
import { tree } from './debian.mjs'

/** The versions that a build is repeated with; a new one is a change of this repository. */
const pinned = { ziglang: '0.17.0', 'cargo-zigbuild': '0.24.0' }

/** zig (compiler and linker for every target) and cargo-zigbuild, in a Python environment of their own. @returns the folder of their commands */
export async function zig() {
  if (!(await has('python3'))) throw new Unavailable('python3 was not found, and zig and cargo-zigbuild come from PyPI')
  const folder = join(cache, 'zig-venv')
  const bin = join(folder, 'bin')
  const done = join(folder, 'done.json')
  if (existsSync(done) && readFileSync(done, 'utf8') === JSON.stringify(pinned)) return bin
  // A Python environment holds its own path in its scripts: it is made where it stays.
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(cache, { recursive: true })
  await need('a Python environment', 'python3', ['-m', 'venv', folder])
  const packages = Object.entries(pinned).map(([name, version]) => `${name}==${version}`)
  await need('zig and cargo-zigbuild from PyPI', join(bin, 'pip'), [
    'install',
    '--quiet',
    '--disable-pip-version-check',
    ...packages,
  ])
  script(join(bin, 'zig'), `exec "${join(bin, 'python')}" -m ziglang "$@"`)
  writeFileSync(done, JSON.stringify(pinned))
  return bin
}

function script(path, line) {
  writeFileSync(path, `#!/bin/sh\n${line}\n`)
  chmodSync(path, 0o755)
}

/** Debian's rustc for Firefox, with the sources of its standard library. */
async function debianRust() {
  const root = await tree('rustc-web', {
    architecture: 'amd64',
    suite: 'bookworm',
    packages: ['rustc-web', 'libstd-rust-web-dev', 'libstd-rust-web-1.96', 'rust-web-src', 'libllvm22'],
    alone: true,
  })
  const rustc = join(root, 'rustc')
  const libraries = `${root}/usr/lib/x86_64-linux-gnu:${root}/usr/lib`
  script(
    rustc,
    `LD_LIBRARY_PATH="${libraries}\${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}" exec "${root}/usr/bin/rustc" "$@"`,
  )
  await linkObjcopy(root)
  return rustc
}

/** Stripping a Mach-O file calls rust-objcopy; Debian's is a link to a package that is not there, rustup's is the same program. */
async function linkObjcopy(root) {
  const sysroot = (await run('rustc', ['--print', 'sysroot'], { minutes: 1 })).stdout.trim()
  const theirs = join(sysroot, 'lib/rustlib/x86_64-unknown-linux-gnu/bin/rust-objcopy')
  const ours = join(root, 'usr/lib/rustlib/x86_64-unknown-linux-gnu/bin/rust-objcopy')
  if (!existsSync(theirs)) return
  rmSync(ours, { force: true })
  mkdirSync(join(ours, '..'), { recursive: true })
  script(ours, `LD_LIBRARY_PATH="${sysroot}/lib" exec "${theirs}" "$@"`)
}

/** The folder of rustup's compiler, if the sources of its standard library are there or can be had; else ''. */
async function rustupSysroot() {
  const { stdout, code } = await run('rustc', ['--print', 'sysroot'], { minutes: 1 })
  if (code !== 0) return ''
  const sysroot = stdout.trim()
  const sources = join(sysroot, 'lib/rustlib/src/rust/library/Cargo.lock')
  if (!existsSync(sources)) await run('rustup', ['component', 'add', 'rust-src'], { minutes: 5 })
  return existsSync(sources) ? sysroot : ''
}

/**
 * The standard library is built along, without what prints backtraces and unwinds: a stripped binary has no names to print, Cargo.toml says
 * `panic = "abort"`, and that code is a third of a binary. It also makes every target alike, prebuilt library or not.
 */
const buildStd = ['-Zbuild-std=std,panic_abort', '-Zbuild-std-features=optimize_for_size']

/** The environment and the extra cargo arguments of every build, and the folder that paths inside the compiler begin with. */
export async function rust() {
  // -Z on a stable compiler: the two flags above are all that is used of it.
  const env = { RUSTC_BOOTSTRAP: '1' }
  const sysroot = await rustupSysroot()
  if (sysroot) return { env, args: buildStd, sysroot }
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    throw new Unavailable('the sources of the Rust standard library are missing (rustup component add rust-src)')
  }
  const rustc = await debianRust()
  return { env: { ...env, RUSTC: rustc }, args: buildStd, sysroot: join(dirname(rustc), 'usr') }
}

/** Empty import libraries: napi-build looks for libnode.dll although the add-on finds every function of Node-API at run time. */
export function nodeImportLibrary(bin) {
  return once('libnode', async (folder) => {
    writeFileSync(join(folder, 'libnode.dll'), '')
    for (const name of ['libnode.a', 'libnode.dll.a']) {
      await need('an empty import library', join(bin, 'zig'), ['ar', 'crs', join(folder, name)])
    }
  })
}
