import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'

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

/** A system with musl can have glibc's binary as well, and even load it. */
function isMusl(): boolean {
  try {
    return readFileSync('/usr/bin/ldd', 'latin1').includes('musl')
  } catch {
    return true
  }
}

/**
 * The binary where it nearly always is. The generated loader knows every place and every system, and Node takes longer to compile it than to load
 * the binary: a fifth of the whole import.
 */
function loadUsual(): typeof Binding | undefined {
  const { platform, arch, env } = process
  const ending = ENDINGS[platform]
  if (ending === undefined || ORDERS.some((name) => env[name]) || (platform === 'linux' && isMusl())) return undefined
  // Not the `require` that bundlers follow: they find the binaries in the generated loader.
  const find = createRequire(__filename)
  for (const name of [`../memmap.${platform}-${arch}${ending}.node`, `memmap-${platform}-${arch}${ending}`]) {
    try {
      return find(name) as typeof Binding
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
    const { explain, inspectSystem } = require('./native-help') as typeof import('./native-help')
    const error = new Error(explain(inspectSystem(), cause), { cause })
    throw Object.assign(error, { code: 'ERR_NATIVE_UNAVAILABLE' })
  }
}

export const native = load()

/** The same core, for what is called at every access (src/direct.rs says why). */
export const direct = native.direct()
