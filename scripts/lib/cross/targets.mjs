// Every target of package.json `napi.targets`: how it is built here and in CI, and what it runs on.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '../run.mjs'

/**
 * @typedef {object} Target
 * @property {string} platform the folder in `npm/` and the middle of the binary's name
 * @property {string} rust the Rust triple that cross-build gives to cargo
 * @property {string} [glibc] the oldest glibc it must load on
 * @property {string} [check] why it is only type-checked here, and linked in CI alone
 * @property {boolean} [unshipped] of its platform another target's binary is published: this one is for tests and may be larger
 * @property {Record<string, string>} [env]
 * @property {boolean} [terse] a panic, which ends the process everywhere, ends it here without the message that names a line of the
 *   sources: these binaries are the longest (code for POWER by a fifth), and may have no more than 600 KiB
 */

/** zig brings the headers and libraries of every system but Android's; Microsoft's import libraries come from their SDK alone. */
const noSdk = 'needs the Windows SDK'
/** zig has no glibc older than 2.19 for ppc64le and 2.27 for riscv64; s390x and the rest go down to 2.17. */
const old = '2.17'
const newer = '2.28'
/** zig's unwinder for ppc64le prints IEEE long doubles, which glibc has since 2.32. */
const ieee = '2.32'

/** POWER9, which Node 26 wants, and nearly every distribution with that glibc: its code is shorter. */
const power = { RUSTFLAGS: '-C target-cpu=pwr9' }

/** A musl library that is loaded by musl's own Node must not bring a second libc along. */
const musl = { RUSTFLAGS: '-C target-feature=-crt-static' }
/** The oldest macOS that Node 20 runs on. */
const macos = { MACOSX_DEPLOYMENT_TARGET: '11.0' }

/** @type {Record<string, Target>} */
export const targets = {
  'linux-x64-gnu': { platform: 'linux-x64-gnu', rust: 'x86_64-unknown-linux-gnu', glibc: old },
  'linux-x64-musl': { platform: 'linux-x64-musl', rust: 'x86_64-unknown-linux-musl', env: musl, terse: true },
  'linux-arm64-gnu': { platform: 'linux-arm64-gnu', rust: 'aarch64-unknown-linux-gnu', glibc: old },
  'linux-arm64-musl': { platform: 'linux-arm64-musl', rust: 'aarch64-unknown-linux-musl', env: musl },
  'linux-arm-gnueabihf': { platform: 'linux-arm-gnueabihf', rust: 'armv7-unknown-linux-gnueabihf', glibc: old },
  'linux-riscv64-gnu': { platform: 'linux-riscv64-gnu', rust: 'riscv64gc-unknown-linux-gnu', glibc: newer },
  'linux-ppc64-gnu': {
    platform: 'linux-ppc64-gnu',
    rust: 'powerpc64le-unknown-linux-gnu',
    glibc: ieee,
    terse: true,
    env: power,
  },
  'linux-s390x-gnu': { platform: 'linux-s390x-gnu', rust: 's390x-unknown-linux-gnu', glibc: old },
  // The shipped Windows binaries are msvc's, linked in CI. gnullvm is the same code with a linker that runs anywhere: what wine tests.
  'win32-x64': { platform: 'win32-x64-msvc', rust: 'x86_64-pc-windows-gnullvm', unshipped: true, terse: true },
  'win32-ia32': { platform: 'win32-ia32-msvc', rust: 'i686-pc-windows-gnullvm', unshipped: true },
  'win32-arm64': { platform: 'win32-arm64-msvc', rust: 'aarch64-pc-windows-gnullvm', unshipped: true },
  'win32-x64-msvc': { platform: 'win32-x64-msvc', rust: 'x86_64-pc-windows-msvc', check: noSdk, terse: true },
  'win32-ia32-msvc': { platform: 'win32-ia32-msvc', rust: 'i686-pc-windows-msvc', check: noSdk },
  'win32-arm64-msvc': { platform: 'win32-arm64-msvc', rust: 'aarch64-pc-windows-msvc', check: noSdk },
  'darwin-x64': { platform: 'darwin-x64', rust: 'x86_64-apple-darwin', env: macos },
  'darwin-arm64': { platform: 'darwin-arm64', rust: 'aarch64-apple-darwin', env: macos },
  'freebsd-x64': { platform: 'freebsd-x64', rust: 'x86_64-unknown-freebsd' },
  'android-arm64': { platform: 'android-arm64', rust: 'aarch64-linux-android', check: 'needs the Android NDK' },
}

/** A target by its name here, its Rust triple or its platform folder. A glibc version behind a triple (`….2.17`) overrides ours. */
export function find(name) {
  const [, triple, glibc] = /^(.*?)(?:\.(2\.\d+))?$/.exec(name)
  const named = (by) => Object.entries(targets).find((entry) => by(entry) === triple)
  // Its own name first: `win32-x64-msvc` is also the platform of what wine tests.
  const entry = named(([key]) => key) ?? named(([, { rust }]) => rust) ?? named(([, { platform }]) => platform)
  if (!entry) throw new RangeError(`no such target: ${name} (there are ${Object.keys(targets).join(', ')})`)
  return { name: entry[0], ...entry[1], ...(glibc && { glibc }) }
}

/** What package.json promises to ship. */
export function promised() {
  return JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).napi.targets
}
