import { existsSync } from 'node:fs'
import { join } from 'node:path'

import type * as Binding from '../binding'

/** How the names of the usual binaries end. What is not here, or not found, is left to the loader that napi generates. */
const ENDINGS: Partial<Record<string, string>> = { linux: '-gnu', win32: '-msvc', darwin: '' }

/** What that loader obeys. */
const ORDERS = [
  'NAPI_RS_NATIVE_LIBRARY_PATH',
  'NAPI_RS_ENFORCE_VERSION_CHECK',
  'NAPI_RS_FORCE_WASI',
  'NAPI_RS_WASI_FLAVOR',
]

/** What musl calls the processors that have a usual binary for Linux. */
const MUSL: Partial<Record<string, string>> = {
  x64: 'x86_64',
  arm64: 'aarch64',
  riscv64: 'riscv64',
  ppc64: 'powerpc64le',
  s390x: 's390x',
}

/** A system with musl can have glibc's binary as well, and even load it. One that has both of them, or neither where it usually is, is not asked. */
function isPlainlyGlibc(): boolean {
  const musl = MUSL[process.arch]
  return musl !== undefined && !existsSync(`/lib/ld-musl-${musl}.so.1`) && existsSync('/usr/bin/ldd')
}

/**
 * The binary where it nearly always is: beside the sources in a clone, else in a package of its own, inside of this one's or next to it, in
 * Node's order. The generated loader knows every place and every system, and Node takes longer to compile it, or to find a package, than to
 * load the binary.
 */
function loadUsual(): typeof Binding | undefined {
  const { platform, arch, env } = process
  const ending = ENDINGS[platform]
  if (ending === undefined || ORDERS.some((name) => env[name]) || (platform === 'linux' && !isPlainlyGlibc())) {
    return undefined
  }
  const name = `${platform}-${arch}${ending}`
  const file = `memmap.${name}.node`
  const found = { exports: {} as typeof Binding }
  for (const place of ['..', `../node_modules/memmap-${name}`, `../../memmap-${name}`]) {
    try {
      process.dlopen(found, join(__dirname, place, file))
      return found.exports
    } catch {
      // The generated loader says what is wrong.
    }
  }
  return undefined
}

/** A failing load is a help page with its cause. */
function load(): typeof Binding {
  const usual = loadUsual()
  if (usual !== undefined) return usual
  try {
    return require('../binding.js') as typeof Binding
  } catch (cause) {
    const { explain, inspectSystem } = require('./native-help.js') as typeof import('./native-help')
    const error = new Error(explain(inspectSystem(), cause), { cause })
    throw Object.assign(error, { code: 'ERR_NATIVE_UNAVAILABLE' })
  }
}

export const native = load()

/** The same core, for what is called at every access (src/direct.rs says why). */
export const direct = native.direct()
