// Engines that have V8's sandbox and can be had as packages: mini-racer from PyPI, Chromium from Debian. Neither has Node-API, nor needs it here.
import { readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { need, once, Unavailable } from './cross/cache.mjs'
import { tree } from './cross/debian.mjs'
import { root } from './run.mjs'

const architecture = { x64: 'amd64', arm64: 'arm64' }[process.arch]

function checkSystem() {
  if (process.platform !== 'linux' || architecture === undefined)
    throw new Unavailable('it is fetched for Linux on x64 and arm64 only')
}

/** The version whose API __test__/sandbox/mini_racer.py speaks, with V8 14.4. */
const wheel = 'mini-racer==0.14.1'

/** @returns {Promise<string>} the folder to put on PYTHONPATH */
export async function miniRacer() {
  checkSystem()
  const folder = await once(`mini-racer-0.14.1-${process.arch}`, async (scratch) => {
    const pip = [
      '-m',
      'pip',
      'install',
      '--quiet',
      '--no-deps',
      '--disable-pip-version-check',
      '--only-binary',
      ':all:',
    ]
    await need(`${wheel} from PyPI`, 'python3', [...pip, '--root-user-action', 'ignore', '--target', scratch, wheel])
  })
  return folder
}

/** The C library and the compiler's are this system's own: two of them in one process is one too many. */
const OURS =
  /^(ld-linux|lib(c|m|pthread|dl|rt|resolv|util|anl|mvec|thread_db|nsl|nss_\w+|BrokenLocale|gcc_s|stdc\+\+)[.-])/

/** @returns {Promise<{ program: string, libraries: string }>} `libraries`: for LD_LIBRARY_PATH */
export async function chromium() {
  checkSystem()
  const folder = await tree(`chromium-bookworm-${architecture}`, {
    architecture,
    suite: 'bookworm',
    packages: ['chromium-headless-shell'],
  })
  const libraries = join(folder, 'usr/lib', { amd64: 'x86_64-linux-gnu', arm64: 'aarch64-linux-gnu' }[architecture])
  for (const name of readdirSync(libraries)) if (OURS.test(name)) rmSync(join(libraries, name), { recursive: true })
  return { program: join(folder, 'usr/lib/chromium/chromium-headless-shell'), libraries }
}

/** The library that puts the test build into renderers. */
export async function agent(folder) {
  const path = join(folder, 'agent.so')
  const source = join(root, '__test__/sandbox/agent.c')
  await need('a C compiler', 'cc', [
    '-O1',
    '-Wall',
    '-Werror',
    '-shared',
    '-fPIC',
    '-o',
    path,
    source,
    '-ldl',
    '-lpthread',
  ])
  return path
}
