import { closeSync, fstatSync, mkdirSync, openSync, promises, readSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import test from 'ava'
import { MappedFile } from '../index'
import { elsewhere } from './systems'
import {
  caught,
  counting,
  file,
  folder,
  fresh,
  isCoded,
  isSystemError,
  linuxOnly,
  onWindows,
  posixOnly,
  rejected,
  throwsCoded,
  underWine,
  unless,
  using,
} from './helpers'

import type { ExecutionContext } from 'ava'

const content = counting(5000)

/** Opened by both twins, the mapping is the file, and says so. */
async function opens(t: ExecutionContext, target: unknown, path: unknown): Promise<void> {
  const both = [MappedFile.openSync(target as string), await MappedFile.open(target as string)]
  for (const m of both) {
    t.deepEqual(m.read(0, m.byteLength), content)
    t.deepEqual(m.path, path as string)
    t.is(m.access, 'read')
    t.is(m.fileOffset, 0)
    t.true(m.mapped)
    t.true(m instanceof MappedFile)
    m.close()
  }
}

test('a path is opened', async (t) => {
  const path = file(content)
  await opens(t, path, path)
})

test('a path in a Buffer is opened', async (t) => {
  const path = Buffer.from(file(content))
  await opens(t, path, path)
})

test('a path in a Uint8Array is opened', async (t) => {
  const path = Buffer.from(file(content))
  await opens(t, new Uint8Array(path), path)
})

test('a file: URL is opened, and its path is the path', async (t) => {
  const path = join(folder, 'with space%.bin')
  writeFileSync(path, content)
  await opens(t, pathToFileURL(path), path)
})

test('a FileHandle is opened and stays the caller’s', async (t) => {
  const handle = await promises.open(file(content))
  await opens(t, handle, undefined)
  t.is((await handle.stat()).size, content.length)
  await handle.close()
})

test('a descriptor is duplicated: the caller’s stays open after close, and the mapping outlives the caller’s', (t) => {
  const fd = openSync(file(content), 'r')
  const first = MappedFile.openSync(fd)
  t.not(first.fd, fd)
  first.close()
  const bytes = Buffer.alloc(10)
  t.is(readSync(fd, bytes, 0, 10, 20), 10)
  t.deepEqual(bytes, content.subarray(20, 30))
  const second = MappedFile.openSync(fd)
  closeSync(fd)
  t.deepEqual(second.read(0, 5000), content)
  if (second.fd === undefined) t.true(onWindows)
  else t.is(fstatSync(second.fd).size, 5000)
  second.close()
})

test('the read position of a descriptor does not matter and does not move', (t) => {
  const fd = openSync(file(content), 'r')
  const bytes = Buffer.alloc(100)
  readSync(fd, bytes, 0, 100, null)
  using(MappedFile.openSync(fd), (m) => t.deepEqual(m.read(0, 5000), content))
  readSync(fd, bytes, 0, 100, null)
  t.deepEqual(bytes, content.subarray(100, 200))
  closeSync(fd)
})

unless(underWine && 'wine makes links that it cannot follow')('a symbolic link leads to its file', (t) => {
  const link = fresh('link')
  try {
    symlinkSync(file(content), link)
  } catch (error) {
    if (!onWindows) throw error
    t.log('no right to make links here')
    t.pass()
    return
  }
  using(MappedFile.openSync(link), (m) => t.deepEqual(m.read(0, 5000), content))
})

// What UTF-8 cannot say is a fine name to Linux only: others refuse it, or decode it.
linuxOnly('a path that is not UTF-8 is opened by its bytes', async (t) => {
  const path = Buffer.concat([Buffer.from(`${folder}/`), Buffer.from([0xff, 0xfe, 0x41])])
  writeFileSync(path, content)
  await opens(t, path, path)
})

test('a path with letters beyond ASCII is opened', async (t) => {
  const path = join(folder, 'Größe-文件-🗺.bin')
  writeFileSync(path, content)
  await opens(t, path, path)
})

test('what is missing is ENOENT with the path, by every kind of path and by both twins', async (t) => {
  const path = join(folder, 'missing.bin')
  for (const target of [path, Buffer.from(path), pathToFileURL(path)]) {
    const expected = { code: 'ENOENT', syscall: 'open', path }
    isSystemError(
      t,
      caught(t, () => MappedFile.openSync(target)),
      expected,
    )
    isSystemError(t, await rejected(t, MappedFile.open(target)), expected)
  }
})

test('a path through a file is ENOTDIR, or ENOENT on Windows', (t) => {
  const path = join(file('x'), 'below')
  const code = onWindows ? 'ENOENT' : 'ENOTDIR'
  isSystemError(
    t,
    caught(t, () => MappedFile.openSync(path)),
    { code, syscall: 'open', path },
  )
})

posixOnly('a link to itself is ELOOP', (t) => {
  const path = fresh('loop')
  symlinkSync(path, path)
  isSystemError(
    t,
    caught(t, () => MappedFile.openSync(path)),
    { code: 'ELOOP', syscall: 'open', path },
  )
})

posixOnly('a name that is too long is ENAMETOOLONG', (t) => {
  const path = join(folder, 'n'.repeat(300))
  isSystemError(
    t,
    caught(t, () => MappedFile.openSync(path)),
    { code: 'ENAMETOOLONG', syscall: 'open', path },
  )
})

test('a directory is EISDIR, whatever the access', async (t) => {
  const path = fresh('folder')
  mkdirSync(path)
  for (const access of ['read', 'write', 'copy'] as const) {
    isSystemError(
      t,
      caught(t, () => MappedFile.openSync(path, { access })),
      { code: 'EISDIR', path },
    )
    isSystemError(t, await rejected(t, MappedFile.open(path, { access })), { code: 'EISDIR', path })
  }
})

test('a descriptor that is not open is EBADF', async (t) => {
  const free = 2 ** 20
  isSystemError(
    t,
    caught(t, () => MappedFile.openSync(free)),
    { code: 'EBADF' },
  )
  isSystemError(t, await rejected(t, MappedFile.open(free)), { code: 'EBADF' })
})

test('a FileHandle that was closed is EBADF', async (t) => {
  const handle = await promises.open(file(content))
  await handle.close()
  isSystemError(
    t,
    caught(t, () => MappedFile.openSync(handle)),
    { code: 'EBADF' },
  )
  isSystemError(t, await rejected(t, MappedFile.open(handle)), { code: 'EBADF' })
})

test('a read-only descriptor does not make a writable mapping', async (t) => {
  const path = file(content)
  const fd = openSync(path, 'r')
  const handle = await promises.open(path, 'r')
  for (const target of [fd, handle]) {
    isSystemError(
      t,
      caught(t, () => MappedFile.openSync(target, { access: 'write' })),
      { code: 'EACCES' },
    )
  }
  using(MappedFile.openSync(fd, { access: 'copy' }), (m) => {
    m.setUint8(0, 255)
    t.is(m.getUint8(0), 255)
  })
  closeSync(fd)
  await handle.close()
})

// memmap needs to read what it maps, for whatever access: mmap(2) says EACCES.
unless(onWindows && 'handles for writing can be read there')('a write-only descriptor cannot be mapped', (t) => {
  const fd = openSync(file(content), 'a')
  for (const access of ['read', 'copy', 'write'] as const) {
    isSystemError(
      t,
      caught(t, () => MappedFile.openSync(fd, { access })),
      { code: 'EACCES', syscall: 'mmap' },
    )
  }
  closeSync(fd)
})

test('a descriptor open for writing makes a writable mapping', (t) => {
  const path = file(content)
  const fd = openSync(path, 'r+')
  using(MappedFile.openSync(fd, { access: 'write' }), (m) => m.setUint8(7, 99))
  const back = Buffer.alloc(1)
  readSync(fd, back, 0, 1, 7)
  t.is(back[0], 99)
  closeSync(fd)
})

test('wrong targets are told before anything is touched, and the async twin rejects', async (t) => {
  const types = [undefined, null, true, {}, [], Symbol('path'), 5n, () => 'path', { fd: '3' }]
  for (const target of types) {
    throwsCoded(t, () => MappedFile.openSync(target as never), 'ERR_INVALID_ARG_TYPE', 'target')
    isCoded(t, await rejected(t, MappedFile.open(target as never)), 'ERR_INVALID_ARG_TYPE', 'target')
  }
  for (const target of [-1, 1.5, Number.NaN, 2 ** 31, Infinity]) {
    throwsCoded(t, () => MappedFile.openSync(target), 'ERR_OUT_OF_RANGE', 'target')
    isCoded(t, await rejected(t, MappedFile.open(target)), 'ERR_OUT_OF_RANGE', 'target')
  }
})

test('a path with a NUL is an invalid value, not the file in front of it', (t) => {
  const path = file(content)
  for (const target of [`${path}\0.txt`, Buffer.from(`${path}\0`), new URL(`${pathToFileURL(path).href}%00`)]) {
    throwsCoded(t, () => MappedFile.openSync(target), 'ERR_INVALID_ARG_VALUE')
  }
})

test('URLs of other schemes are refused as node:fs refuses them', (t) => {
  t.is(caught(t, () => MappedFile.openSync(new URL('https://example.org/x'))).code, 'ERR_INVALID_URL_SCHEME')
})

test('an empty path is ENOENT', (t) => {
  t.is(caught(t, () => MappedFile.openSync('')).code, 'ENOENT')
  t.is(caught(t, () => MappedFile.openSync(Buffer.alloc(0))).code, 'ENOENT')
})

linuxOnly('without a free descriptor the error is of the file that was asked for', async (t) => {
  const told = await elsewhere(
    `try { for (;;) fs.openSync('/', 'r') } catch {}
     try { MappedFile.openSync('/etc/passwd') } catch ({ code, path }) { return { code, path } }`,
    { limits: ['-n 60'] },
  )
  t.deepEqual(told, { code: 'EMFILE', path: '/etc/passwd' })
})

linuxOnly('a path that is no UTF-8 is no path in another thread, and not that of another file', (t) => {
  const path = Buffer.concat([Buffer.from(fresh()), Buffer.from([0xff])])
  writeFileSync(path, 'x')
  using(MappedFile.openSync(path), (m) => {
    t.deepEqual(m.path, path)
    using(MappedFile.from(m.share()), (other) => t.is(other.path, undefined))
  })
})
