// Files that can vanish under a mapping: on FUSE, on removable disks, on networks.
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, existsSync, ftruncateSync, mkdtempSync, openSync, rmdirSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import { MappedFile, Mapping } from '../index'
import { mapInto } from '../lib/wasm'
import {
  asRoot,
  caught,
  counting,
  file,
  fresh,
  missingPages,
  onLinux,
  page,
  rejected,
  throwsCoded,
  unless,
  using,
} from './helpers'
import { disk, fails, pythonProblem } from './systems'

import type { ExecutionContext } from 'ava'

import type { WebAssemblyMemory } from '../lib/wasm'

const size = 20 * page + 33

/** What a copy is, wherever the file lies. */
async function isCopied(t: ExecutionContext, path: string, expected: Buffer): Promise<void> {
  for (const access of ['read', 'copy'] as const) {
    const options = { access, ifUnsafe: 'copy' } as const
    for (const m of [
      MappedFile.openSync(path, options),
      await MappedFile.open(path, { ...options, offset: 7, length: page }),
    ]) {
      using(m, () => {
        const here = m.byteLength === page ? expected.subarray(7, 7 + page) : expected
        t.false(m.mapped)
        t.is(m.access, access)
        t.is(m.path, path)
        t.is(m.compare(here), 0)
        t.is(Buffer.compare(m.bytes, here), 0)
        t.is(m.size(), expected.length)
        t.is(m.residency().resident, m.residency().pages)
        fails(t, () => m.resize(1), 'ENOTSUP')
        if (access === 'read') {
          fails(t, () => m.setUint8(0, 1), 'EACCES')
          return
        }
        m.setUint8(0, 0xee)
        t.is(m.bytes[0], 0xee)
        m.flushSync()
      })
    }
  }
  using(MappedFile.openSync(path, { ifUnsafe: 'copy', length: 0 }), (m) => t.is(m.byteLength, 0))
}

function isRefused(t: ExecutionContext, path: string): void {
  for (const access of ['read', 'copy'] as const) {
    const error = fails(t, () => MappedFile.openSync(path, { access, ifUnsafe: 'throw' }), 'ENOTSUP', 'mmap')
    t.is(error.path, path)
    t.regex(error.message, /vanish/)
  }
}

test('a file on a disk of this machine is mapped, whatever ifUnsafe says', async (t) => {
  const path = file(counting(size))
  for (const ifUnsafe of ['map', 'copy', 'throw'] as const) {
    using(MappedFile.openSync(path, { ifUnsafe }), (m) => {
      t.true(m.mapped)
      t.is(m.compare(counting(size)), 0)
    })
    using(await MappedFile.open(path, { ifUnsafe }), (m) => t.true(m.mapped))
  }
})

const server = join(__dirname, 'fixtures/fuse.py')

/** Why FUSE cannot be mounted here, if so. */
function fuseProblem(): string | undefined | false {
  if (!onLinux || !asRoot) return 'needs root on Linux, to mount FUSE'
  if (!existsSync('/dev/fuse')) return 'no /dev/fuse here'
  if (pythonProblem || missingPages) return pythonProblem || missingPages
  const path = mkdtempSync(join(tmpdir(), 'memmap-fuse-'))
  const { status, stderr } = spawnSync('python3', [server, path, file(''), 'try'], { encoding: 'utf8' })
  if (status === 0) spawnSync('umount', ['-l', path])
  rmdirSync(path)
  return status === 0 ? undefined : `FUSE cannot be mounted: ${stderr.trim().split('\n').at(-1)}`
}

/** The file system and its end, which a test brings about. */
async function fuse(): Promise<{ path: string; end: () => Promise<void>; unmount: () => void }> {
  const path = mkdtempSync(join(tmpdir(), 'memmap-fuse-'))
  const running = spawn('python3', [server, path, file(counting(size))], { stdio: ['ignore', 'pipe', 'pipe'] })
  let problems = ''
  running.stderr.setEncoding('utf8').on('data', (text: string) => (problems += text))
  const ready = await Promise.race([
    once(running.stdout, 'data').then(() => true),
    once(running, 'exit').then(() => false),
  ])
  if (!ready) {
    rmdirSync(path)
    throw new Error(problems)
  }
  const end = async () => {
    if (running.exitCode !== null || running.signalCode !== null) return
    const ended = once(running, 'exit')
    running.kill('SIGKILL')
    await ended
  }
  const unmount = () => {
    spawnSync('umount', ['-l', path])
    rmdirSync(path)
  }
  return { path, end, unmount }
}
const onFuse = unless(fuseProblem(), test.serial)

onFuse('FUSE: mapped by default, copied or refused on demand, and too large a copy is an error', async (t) => {
  const mounted = await fuse()
  try {
    const path = join(mounted.path, 'file')
    for (const options of [undefined, { ifUnsafe: 'map' }] as const) {
      using(MappedFile.openSync(path, options), (m) => {
        t.true(m.mapped)
        t.is(m.compare(counting(size)), 0)
      })
    }
    await isCopied(t, path, counting(size))
    isRefused(t, path)
    const huge = join(mounted.path, 'huge')
    isTooLarge(
      t,
      caught(t, () => MappedFile.openSync(huge, { ifUnsafe: 'copy' })),
    )
    isTooLarge(t, await rejected(t, MappedFile.open(huge, { ifUnsafe: 'copy', access: 'copy' })))
    using(MappedFile.openSync(huge, { ifUnsafe: 'copy', offset: 2 ** 49, length: 10 }), (m) => {
      t.false(m.mapped)
      t.deepEqual(m.read(0, 10), Buffer.alloc(10))
    })

    if (Mapping.isSupported('wasm')) {
      const { Memory } = (globalThis as unknown as { WebAssembly: { Memory: new (d: object) => WebAssemblyMemory } })
        .WebAssembly
      const memory = new Memory({ initial: 1, maximum: 100 })
      using(mapInto(memory, path, { ifUnsafe: 'copy' }), (m) => {
        t.false(m.mapped)
        t.is(m.compare(counting(size)), 0)
        t.deepEqual(Buffer.from(new Uint8Array(memory.buffer, m.at, size)), counting(size))
      })
    }

    // The server goes while both are open: the copy keeps its bytes, what was mapped reports a fault; nobody dies.
    const copy = MappedFile.openSync(path, { ifUnsafe: 'copy' })
    const map = MappedFile.openSync(huge, { length: 64 * page })
    await mounted.end()
    t.is(copy.compare(counting(size)), 0)
    t.is(copy.fault, null)
    t.is(caught(t, () => map.read(32 * page, 10)).code, 'ERR_MAPPING_FAULT')
    t.is(map.fault?.kind, 'io')
    copy.close()
    map.close()
  } finally {
    await mounted.end()
    mounted.unmount()
  }
})

function isTooLarge(t: ExecutionContext, error: NodeJS.ErrnoException): void {
  t.is(error.code, 'ERR_FS_FILE_TOO_LARGE')
  t.true(error instanceof RangeError)
}

/** A FAT disk, as memory cards and sticks are. */
function fat(): { path: string; problem?: undefined } | { problem: string } {
  if (!onLinux || !asRoot) return { problem: 'needs root on Linux, to mount a FAT disk' }
  const image = fresh('img')
  const fd = openSync(image, 'w')
  ftruncateSync(fd, 4 << 20)
  closeSync(fd)
  const { error, status, stderr } = spawnSync('mkfs.vfat', [image], {
    encoding: 'utf8',
    env: { ...process.env, PATH: `${process.env['PATH']}:/usr/sbin:/sbin` },
  })
  if (error) return { problem: 'no mkfs.vfat here' }
  if (status !== 0) return { problem: stderr.trim() }
  return disk('vfat', 'loop', image)
}
const stick = fat()
unless(stick.problem, test.serial)('FAT counts as removable', async (t) => {
  if (stick.problem !== undefined) return
  const path = join(stick.path, 'file')
  writeFileSync(path, counting(size))
  using(MappedFile.openSync(path), (m) => t.true(m.mapped))
  await isCopied(t, path, counting(size))
  isRefused(t, path)
})

test("'write' cannot be a copy; wrong values are named", (t) => {
  const path = file('x')
  throwsCoded(
    t,
    () => MappedFile.openSync(path, { access: 'write', ifUnsafe: 'copy' }),
    'ERR_INVALID_ARG_VALUE',
    'ifUnsafe',
  )
  throwsCoded(t, () => MappedFile.openSync(path, { ifUnsafe: 'never' as never }), 'ERR_INVALID_ARG_VALUE', 'ifUnsafe')
  throwsCoded(t, () => MappedFile.openSync(path, { ifUnsafe: true as never }), 'ERR_INVALID_ARG_TYPE', 'ifUnsafe')
  using(MappedFile.openSync(path, { access: 'write', ifUnsafe: 'throw' }), (m) => t.true(m.mapped))
})
