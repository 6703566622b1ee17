// Devices, and the times of files.
import { existsSync, statSync, utimesSync } from 'node:fs'
import { closeSync, ftruncateSync, openSync } from 'node:fs'
import { spawnSync } from 'node:child_process'
import test from 'ava'
import { AnonymousMemory, MappedFile, Mapping } from '../index'
import {
  asRoot,
  counting,
  file,
  fresh,
  linuxOnly,
  onLinux,
  page,
  posixOnly,
  throwsCoded,
  unless,
  using,
} from './helpers'
import { disk, elsewhere, fails } from './systems'

import type { ExecutionContext } from 'ava'

linuxOnly('/dev/zero is memory: one of its own for each shared mapping, zeros for each private one', async (t) => {
  const open = (access: 'read' | 'write' | 'copy') => MappedFile.openSync('/dev/zero', { access, length: 3 * page })
  for (const access of ['write', 'copy'] as const) {
    const [a, b] = [open(access), await MappedFile.open('/dev/zero', { access, length: 3 * page })]
    t.is(a.byteLength, 3 * page)
    t.is(a.size(), 0)
    a.fill(7)
    a.bytes[page] = 8
    t.is(a.getUint8(page), 8)
    t.is(b.compare(Buffer.alloc(3 * page)), 0)
    a.flushSync()
    await a.flush()
    t.is(a.getUint8(0), 7)
    t.is(a.fault, null)
    a.close()
    b.close()
  }
  using(open('read'), (m) => {
    t.is(m.compare(Buffer.alloc(3 * page)), 0)
    fails(t, () => m.fill(1), 'EACCES')
  })
})

linuxOnly('a shared mapping of /dev/zero is one memory for those who share the mapping', (t) => {
  using(MappedFile.openSync('/dev/zero', { access: 'write', length: page }), (m) => {
    using(Mapping.from(m.share()), (other) => {
      m.setUint8(5, 6)
      t.is(other.getUint8(5), 6)
    })
  })
})

linuxOnly('controls work on devices as on files', (t) => {
  using(MappedFile.openSync('/dev/zero', { access: 'write', length: 4 * page }), (m) => {
    m.fill(1)
    m.advise('sequential')
    m.lock()
    m.unlock()
    t.is(m.residency().pages, 4)
    m.protect('read', { offset: 0, length: page })
    fails(t, () => m.setUint8(0, 2), 'EACCES')
  })
})

linuxOnly('devices that refuse are ENODEV, whatever is asked', (t) => {
  for (const path of ['/dev/null', '/dev/random', '/dev/full'].filter((each) => existsSync(each))) {
    for (const access of ['read', 'copy'] as const) {
      // /dev/full is /dev/zero to a reader on some kernels.
      try {
        MappedFile.openSync(path, { access, length: page }).close()
        t.is(path, '/dev/full')
      } catch (error) {
        t.is((error as NodeJS.ErrnoException).code, 'ENODEV')
        t.is((error as NodeJS.ErrnoException).path, path)
      }
    }
  }
  fails(t, () => MappedFile.openSync('/dev/null', { access: 'write', length: page }), 'ENODEV', 'mmap')
})

/** A block device over a file of 1 MiB. */
const loop = ((): { path: string; problem?: undefined } | { problem: string } => {
  if (!onLinux || !asRoot) return { problem: 'needs root on Linux, for a loop device' }
  const image = fresh('img')
  const fd = openSync(image, 'w')
  ftruncateSync(fd, 1 << 20)
  closeSync(fd)
  const { error, status, stdout, stderr } = spawnSync('losetup', ['--find', '--show', image], { encoding: 'utf8' })
  if (error || status !== 0) return { problem: `no loop device: ${stderr ?? error}`.trim() }
  const path = stdout.trim()
  test.after.always('the loop device goes', () => {
    spawnSync('losetup', ['--detach', path])
  })
  return { path }
})()

unless(loop.problem, test.serial)('a block device has a length, which nothing changes', (t) => {
  if (loop.problem !== undefined) return
  using(MappedFile.openSync(loop.path), (m) => {
    t.is(m.byteLength, 1 << 20)
    t.is(m.size(), 1 << 20)
  })
  using(MappedFile.openSync(loop.path, { access: 'write' }), (m) => {
    m.write('block', 100)
    m.flushSync()
    throwsCoded(t, () => m.resize(2 << 20), 'ERR_OUT_OF_RANGE')
    m.resize(page)
    t.is(m.byteLength, page)
    t.is(m.size(), 1 << 20)
    m.resize()
    t.is(m.byteLength, 1 << 20)
  })
  using(MappedFile.openSync(loop.path, { offset: 100, length: 5 }), (m) => t.is(m.bytes.toString(), 'block'))
})

const LONG_AGO = new Date('2001-02-03T04:05:06Z')

/** POSIX, mmap and msync: st_mtime is marked for update between the store and the next msync. */
async function mtimeMoves(t: ExecutionContext, path: string): Promise<void> {
  const m = MappedFile.openSync(path, { access: 'write' })
  for (const flush of [() => m.flushSync(), () => m.flush(), () => m.flush({ offset: 0, length: 1 })]) {
    utimesSync(path, LONG_AGO, LONG_AGO)
    m.setUint8(0, m.getUint8(0) + 1)
    await flush()
    t.true(statSync(path).mtimeMs > LONG_AGO.getTime(), `mtime ${statSync(path).mtime.toISOString()}`)
  }
  m.close()
}

posixOnly('what was stored and flushed moves st_mtime', (t) => mtimeMoves(t, file(counting(2 * page))))

const ram = disk('tmpfs', 'size=1m')
unless(ram.problem, test.serial)('the first store moves st_mtime on tmpfs, too', (t) => {
  if (ram.problem !== undefined) return
  const path = `${ram.path}/times`
  using(MappedFile.openSync(path, { access: 'write', create: true, length: page }), () => undefined)
  utimesSync(path, LONG_AGO, LONG_AGO)
  using(MappedFile.openSync(path, { access: 'write' }), (m) => {
    m.setUint8(0, 1)
    m.flushSync()
    t.true(statSync(path).mtimeMs > LONG_AGO.getTime())
  })
})

test("reading leaves st_mtime alone, and so does a 'copy', whatever is stored", (t) => {
  for (const access of ['read', 'copy'] as const) {
    const path = file(counting(2 * page))
    utimesSync(path, LONG_AGO, LONG_AGO)
    using(MappedFile.openSync(path, { access }), (m) => {
      if (access === 'copy') m.fill(1)
      t.is(typeof m.getUint8(page), 'number')
      t.is(statSync(path).mtimeMs, LONG_AGO.getTime())
    })
    t.is(statSync(path).mtimeMs, LONG_AGO.getTime())
    t.true(statSync(path).atimeMs >= LONG_AGO.getTime())
  }
})

const timed = disk('tmpfs', 'size=1m,strictatime')
unless(timed.problem, test.serial)('mapping moves st_atime where the file system keeps it', (t) => {
  if (timed.problem !== undefined) return
  const path = `${timed.path}/read`
  using(MappedFile.openSync(path, { access: 'write', create: true, length: page }), () => undefined)
  utimesSync(path, LONG_AGO, LONG_AGO)
  using(MappedFile.openSync(path), (m) => t.is(m.getUint8(0), 0))
  t.true(statSync(path).atimeMs > LONG_AGO.getTime())
})

linuxOnly('mapped /dev/zero outlives nothing: memory of a child is its own', async (t) => {
  using(AnonymousMemory.create(page), (m) => m.fill(1))
  t.is(await elsewhere(`return MappedFile.openSync('/dev/zero', { access: 'write', length: 10 }).getUint8(9)`), 0)
})
