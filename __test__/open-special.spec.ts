import { execFileSync } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmdirSync,
  statSync,
  statfsSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import { MappedFile } from '../index'
import {
  asRoot,
  caught,
  counting,
  folder,
  fresh,
  isSystemError,
  linuxOnly,
  onLinux,
  posixOnly,
  rejected,
  throwsCoded,
  unless,
  using,
} from './helpers'

posixOnly('a pipe is ENODEV, at once: opening it does not wait for the other end', async (t) => {
  const path = fresh('fifo')
  execFileSync('mkfifo', [path])
  for (const access of ['read', 'copy', 'write'] as const) {
    isSystemError(
      t,
      caught(t, () => MappedFile.openSync(path, { access })),
      { code: 'ENODEV', path },
    )
    isSystemError(t, await rejected(t, MappedFile.open(path, { access })), { code: 'ENODEV', path })
  }
})

posixOnly('a socket is ENODEV', async (t) => {
  const path = join(folder, 's')
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(path, resolve))
  try {
    isSystemError(
      t,
      caught(t, () => MappedFile.openSync(path)),
      { code: 'ENODEV', path },
    )
    isSystemError(t, await rejected(t, MappedFile.open(path)), { code: 'ENODEV', path })
  } finally {
    server.close()
  }
})

posixOnly('the descriptor of a pipe is ENODEV', (t) => {
  // Descriptor 0 of a child whose standard input is a pipe.
  const script = `
    const { MappedFile } = require(${JSON.stringify(join(__dirname, '../index.js'))})
    try { MappedFile.openSync(0) } catch (error) { console.log(error.code) }`
  t.is(execFileSync(process.execPath, ['-e', script], { input: 'x', encoding: 'utf8' }), 'ENODEV\n')
})

linuxOnly('a character device needs a length', async (t) => {
  const path = '/dev/zero'
  const error = caught(t, () => MappedFile.openSync(path))
  isSystemError(t, error, { code: 'EINVAL', path })
  t.true(error.message.includes('length'), error.message)
  isSystemError(t, await rejected(t, MappedFile.open(path)), { code: 'EINVAL', path })
  for (const access of ['read', 'copy'] as const) {
    using(MappedFile.openSync(path, { access, length: 10_000 }), (m) => {
      t.is(m.byteLength, 10_000)
      t.deepEqual(m.read(0, 10_000), Buffer.alloc(10_000))
      t.true(m.bytes.every((byte) => byte === 0))
    })
  }
})

linuxOnly('a device that cannot be mapped says ENODEV', (t) => {
  isSystemError(
    t,
    caught(t, () => MappedFile.openSync('/dev/null', { length: 1 })),
    { code: 'ENODEV', path: '/dev/null' },
  )
})

linuxOnly('a file of procfs has no length: an empty mapping, and nothing past it', (t) => {
  using(MappedFile.openSync('/proc/version'), (m) => {
    t.is(m.byteLength, 0)
    t.is(m.bytes.length, 0)
  })
  throwsCoded(t, () => MappedFile.openSync('/proc/version', { length: 10 }), 'ERR_OUT_OF_RANGE')
})

linuxOnly('a file of sysfs that cannot be mapped is a system error with its path', (t) => {
  const path = '/sys/kernel/mm/transparent_hugepage/enabled'
  const there = existsSync(path) ? path : '/sys/kernel/uevent_seqnum'
  const error = caught(t, () => MappedFile.openSync(there))
  t.true(['ENODEV', 'EACCES', 'EINVAL'].includes(error.code!), error.message)
  isSystemError(t, error, { code: error.code!, syscall: 'mmap', path: there })
})

/** Private and read-only is the only form that this file takes, and only new kernels (6.16) map it at all. */
const btf = '/sys/kernel/btf/vmlinux'
function btfProblem(): string | undefined {
  if (!onLinux || !existsSync(btf)) return 'no /sys/kernel/btf/vmlinux here'
  const [major, minor] = /\d+\.\d+/.exec(readFileSync('/proc/version', 'utf8'))![0].split('.').map(Number)
  return major! > 6 || (major === 6 && minor! >= 16) ? undefined : 'the kernel maps it from 6.16 on'
}

unless(btfProblem())('a file of sysfs that takes one form of mapping only is mapped in that one', async (t) => {
  const expected = readFileSync(btf)
  for (const m of [MappedFile.openSync(btf), await MappedFile.open(btf)]) {
    t.is(m.byteLength, expected.length)
    t.is(m.compare(expected), 0)
    t.deepEqual(Buffer.from(m.subarray(-100)), expected.subarray(-100))
    m.close()
  }
})

/** A disk of 1 MiB, or why there is none. */
function mountDisk(): { path: string } | { problem: string } {
  if (!onLinux || !asRoot) return { problem: 'needs root on Linux, to mount a small disk' }
  const path = mkdtempSync(join(tmpdir(), 'memmap-disk-'))
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'memmap-test', path], { stdio: 'ignore' })
    return { path }
  } catch {
    rmdirSync(path)
    return { problem: 'this root may not mount' }
  }
}

const disk = mountDisk()
// One after the other: they count the room that is left.
const onDisk = unless('problem' in disk && disk.problem, test.serial)
const root = 'path' in disk ? disk.path : ''
test.after.always('the disk goes', () => {
  if (root === '') return
  execFileSync('umount', ['-l', root])
  rmdirSync(root)
})
const free = () => statfsSync(root).bavail

onDisk('a full disk is ENOSPC at open: the old file keeps its size and bytes, and the disk its room', async (t) => {
  const path = join(root, 'old')
  const content = counting(10_000)
  writeFileSync(path, content)
  const before = free()
  const options = { access: 'write', length: 2 << 20 } as const
  isSystemError(
    t,
    caught(t, () => MappedFile.openSync(path, options)),
    { code: 'ENOSPC', syscall: 'fallocate', path },
  )
  isSystemError(t, await rejected(t, MappedFile.open(path, options)), { code: 'ENOSPC', syscall: 'fallocate', path })
  t.deepEqual(readFileSync(path), content)
  t.is(free(), before)
  // What fits still does.
  using(MappedFile.openSync(path, { access: 'write', length: 100_000 }), (m) => t.is(m.getUint8(99_999), 0))
  t.is(statSync(path).size, 100_000)
})

onDisk('a new file that does not fit is gone again', async (t) => {
  const path = join(root, 'new')
  const options = { access: 'write', create: true, length: 2 << 20 } as const
  isSystemError(
    t,
    caught(t, () => MappedFile.openSync(path, options)),
    { code: 'ENOSPC', path },
  )
  isSystemError(t, await rejected(t, MappedFile.open(path, options)), { code: 'ENOSPC', path })
  t.false(existsSync(path))
})

onDisk('sparse files are larger than their disk until they are written', (t) => {
  mkdirSync(join(root, 'below'))
  const path = join(root, 'below', 'sparse')
  const options = { access: 'write', create: true, sparse: true, length: 64 << 20 } as const
  using(MappedFile.openSync(path, options), (m) => {
    t.is(statSync(path).size, 64 << 20)
    m.setUint8((64 << 20) - 1, 1)
    t.is(m.getUint8((64 << 20) - 1), 1)
  })
})
