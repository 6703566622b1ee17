// What is Windows' own: names of files, what a mapped file refuses, and that nothing is left of a mapping after close().
import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  closeSync,
  constants,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { basename, join, toNamespacedPath } from 'node:path'
import { pathToFileURL } from 'node:url'
import { MappedFile, Mapping, SharedMemory } from '../index'
import * as posix from '../lib/posix'
import {
  caught,
  counting,
  file,
  folder,
  fresh,
  isSystemError,
  lingering,
  onWindows,
  page,
  rejected,
  unless,
  using,
} from './helpers'
import { elsewhere, fails } from './systems'

const windows = unless(!onWindows && "is about Windows' own")
const held = unless(onWindows ? lingering : "is about Windows' own")
const placed = unless(
  onWindows ? !Mapping.isSupported('resizeInPlace') && 'no places can be held here' : "is about Windows' own",
)
const size = 2 * page + 100

windows('views begin at any byte though the system maps in steps of 64 KiB', (t) => {
  t.is(Mapping.allocationGranularity, 65_536)
  const path = file(200_000)
  const all = counting(200_000)
  for (const offset of [1, 4095, 4096, 65_535, 65_536, 65_537, 131_072, 199_999]) {
    using(MappedFile.openSync(path, { offset }), (m) => {
      t.is(m.fileOffset, offset)
      t.is(m.byteLength, 200_000 - offset)
      t.is(m.compare(all.subarray(offset)), 0)
    })
  }
})

windows('paths with spaces, letters of all kinds, prefixes and slashes both ways are found', async (t) => {
  const inside = join(folder, 'a folder', 'Ünïcødé 文件 🗎')
  mkdirSync(inside, { recursive: true })
  const path = join(inside, 'with space ß.bin')
  writeFileSync(path, counting(size))
  const others = [
    path.replaceAll('\\', '/'),
    toNamespacedPath(path),
    Buffer.from(path),
    pathToFileURL(path),
    join(inside, '..', basename(inside), 'with space ß.bin'),
  ]
  for (const each of [path, ...others]) {
    using(MappedFile.openSync(each), (m) => t.is(m.compare(counting(size)), 0, String(each)))
    using(await MappedFile.open(each), (m) => t.is(m.byteLength, size, String(each)))
  }
})

windows('a path longer than MAX_PATH needs no prefix, as in node:fs', async (t) => {
  let inside = folder
  while (inside.length < 300) inside = join(inside, 'n'.repeat(40))
  mkdirSync(inside, { recursive: true })
  const path = join(inside, 'long.bin')
  using(MappedFile.openSync(path, { access: 'write', create: true, length: size }), (m) => m.write(counting(size), 0))
  t.is(readFileSync(path).compare(counting(size)), 0)
  using(await MappedFile.open(path), (m) => t.is(m.compare(counting(size)), 0))
  using(MappedFile.openSync(toNamespacedPath(path)), (m) => t.is(m.byteLength, size))
})

windows('a share that is not there is ENOENT, for both twins', async (t) => {
  const path = '\\\\memmap-no-such-server\\share\\file.bin'
  t.is(caught(t, () => MappedFile.openSync(path)).code, 'ENOENT')
  t.is((await rejected(t, MappedFile.open(path))).code, 'ENOENT')
})

windows('what no file can be called is ENOENT', (t) => {
  for (const name of ['a<b', 'a|b', 'a?b', 'a"b']) {
    isSystemError(
      t,
      caught(t, () => MappedFile.openSync(join(folder, name))),
      {
        code: 'ENOENT',
        syscall: 'open',
        path: join(folder, name),
      },
    )
  }
})

windows('a descriptor of Node stands for its file and stays open', (t) => {
  const path = file(size)
  const fd = openSync(path, 'r+')
  try {
    using(MappedFile.openSync(fd, { access: 'write' }), (m) => {
      m.setUint8(1, 200)
      t.is(m.path, undefined)
    })
    t.is(readFileSync(fd)[1], 200)
  } finally {
    closeSync(fd)
  }
  const reading = openSync(path, 'r')
  fails(t, () => MappedFile.openSync(reading, { access: 'write' }), 'EACCES')
  closeSync(reading)
  fails(t, () => MappedFile.openSync(reading), 'EBADF')
})

held('after close the file can be truncated, renamed, deleted and made again', (t) => {
  for (const access of ['read', 'write', 'copy'] as const) {
    const path = file(size)
    const m = MappedFile.openSync(path, { access })
    const view = m.bytes
    t.is(view[0], counting(1)[0])
    m.close()
    t.is(view.length, 0)
    truncateSync(path, 10)
    t.is(statSync(path).size, 10)
    renameSync(path, `${path}.moved`)
    rmSync(`${path}.moved`)
    t.false(existsSync(path))
    using(MappedFile.openSync(path, { access: 'write', create: 'exclusive', length: 10 }), (again) =>
      t.is(again.getUint8(9), 0),
    )
    rmSync(path)
  }
})

held('a mapping can be resized while it is the only one, and is EBUSY to shorten under another', (t) => {
  const path = file(size)
  using(MappedFile.openSync(path, { access: 'write' }), (m) => {
    m.resize(5 * page)
    t.is(statSync(path).size, 5 * page)
    t.is(m.getUint8(size - 1), counting(size)[size - 1])
    m.resize(page)
    t.is(statSync(path).size, page)
    using(MappedFile.openSync(path), (other) => {
      fails(t, () => m.resize(10), 'EBUSY')
      t.is(statSync(path).size, page)
      t.is(other.compare(counting(size).subarray(0, page)), 0)
      t.is(m.compare(counting(size).subarray(0, page)), 0)
    })
    m.resize(10)
    t.is(statSync(path).size, 10)
  })
})

windows('another program may read, write and append while a file is mapped', (t) => {
  const path = file(size)
  using(MappedFile.openSync(path), (m) => {
    const write = `const fs = require('node:fs'); const fd = fs.openSync(process.argv[1], 'r+'); fs.writeSync(fd, 'X', 7); fs.appendFileSync(process.argv[1], 'more'); fs.closeSync(fd)`
    const { status } = spawnSync(process.execPath, ['-e', write, path], { stdio: 'ignore' })
    t.is(status, 0)
    t.is(m.getUint8(7), 'X'.charCodeAt(0))
    t.is(m.size(), size + 4)
  })
})

windows('locked, loaded, protected and told of: the calls of VirtualLock and its kin', async (t) => {
  const path = file(20 * page)
  const m = MappedFile.openSync(path, { access: 'write' })
  m.lock({ offset: 0, length: page })
  m.unlock({ offset: 0, length: page })
  m.unlock()
  await m.load()
  const { pages, resident, exact } = m.residency()
  t.is(pages, 20)
  t.true(resident > 0 && resident <= 20)
  t.is(exact, false)
  m.advise('willneed')
  m.protect('read')
  t.is(m.getUint8(3), counting(4)[3])
  m.protect('write')
  m.setUint8(3, 9)
  m.flushSync()
  m.close()
  t.is(readFileSync(path)[3], 9)
})

windows('an executable that runs, a directory and a file without rights have their names', (t) => {
  fails(t, () => MappedFile.openSync(process.execPath, { access: 'write' }), 'EBUSY', 'open')
  fails(t, () => MappedFile.openSync(folder), 'EISDIR')
  fails(t, () => MappedFile.openSync(folder, { access: 'write' }), 'EISDIR')
  fails(t, () => MappedFile.openSync(fresh('missing')), 'ENOENT')
  fails(t, () => MappedFile.openSync('NUL', { length: 10 }), 'ENODEV')
})

windows('memmap/posix loads, and what it is about is ENOTSUP', (t) => {
  t.is(typeof posix.PROT_READ, 'object')
  const error = caught(t, () => posix.PROT_READ | posix.PROT_WRITE)
  t.is(error.code, 'ENOTSUP')
  t.regex(error.message, /PROT_READ is not offered by win32/)
  fails(t, () => posix.mmap(null, page, 1, 2, -1, 0), 'ENOTSUP')
  fails(t, () => posix.shm_open('/memmap-none', 0), 'ENOTSUP')
  fails(t, () => posix.memfd_create('memmap-none'), 'ENOTSUP')
  fails(t, () => posix.Reservation.reserve(page), 'ENOTSUP')
})

placed('views of what a shrinking mapping gave up read zeros, also while it grows again by less', async (t) => {
  const path = file(256 * page)
  const value = await elsewhere(`
    const page = Mapping.pageSize
    const m = MappedFile.openSync(${JSON.stringify(path)}, { access: 'write', capacity: 256 * page })
    const view = m.bytes
    m.resize(64 * page)
    m.resize(128 * page)
    const found = [view[64 * page], view[200 * page], view[256 * page - 1]]
    m.close()
    return found`)
  t.deepEqual(value, [0, 0, 0])
})

placed('flush and protect take a mapping that has grown view by view, as a whole and in part', async (t) => {
  const path = file(4 * page)
  const m = MappedFile.openSync(path, { access: 'write', capacity: 64 * page })
  for (let pages = 5; pages <= 20; pages++) m.resize(pages * page)
  m.fill(2)
  m.flushSync()
  m.flushSync({ offset: page, length: 17 * page })
  await m.flush()
  t.deepEqual(readFileSync(path), Buffer.alloc(20 * page, 2))
  m.protect('read', { offset: 3 * page, length: 10 * page })
  for (const at of [3, 12]) fails(t, () => m.setUint8(at * page, 1), 'EACCES')
  m.protect('write')
  m.fill(3)
  m.close()
  t.deepEqual(readFileSync(path), Buffer.alloc(20 * page, 3))
})

windows('a resize that is refused has changed nothing: length, views, file', (t) => {
  const path = file(4 * page)
  const whole = counting(4 * page)
  using(MappedFile.openSync(path, { access: 'write' }), (m) => {
    const view = m.bytes
    using(MappedFile.openSync(path), () => fails(t, () => m.resize(page), 'EBUSY', 'ftruncate'))
    t.is(m.byteLength, 4 * page)
    t.is(statSync(path).size, 4 * page)
    t.is(Buffer.compare(view, whole), 0)
    m.setUint8(3 * page, 1)
    t.is(view[3 * page], 1)
    // Where no place can be held, the mapping itself is what the file cannot be cut under.
    if (lingering) fails(t, () => m.resize(page), 'EBUSY', 'ftruncate')
  })
})

placed('within a capacity it has not changed what protect did to the end either', async (t) => {
  const path = file(4 * page)
  const before = readFileSync(path)
  // On Windows the last store becomes private; wine would let it through, so there it ends the child.
  await elsewhere(`
    const page = Mapping.pageSize
    const m = MappedFile.openSync(${JSON.stringify(path)}, { access: 'write', capacity: 16 * page })
    const view = m.bytes
    m.protect('read', { offset: 3 * page, length: page })
    const other = MappedFile.openSync(${JSON.stringify(path)})
    if (code(() => m.resize(page)) !== 'EBUSY' || m.byteLength !== 4 * page) return
    other.close()
    view[2 * page] ^= 255
    view[3 * page] ^= 255`).catch(() => {})
  const after = readFileSync(path)
  t.is(after[2 * page], before[2 * page]! ^ 255)
  t.is(after[3 * page], before[3 * page])
})

windows('a mode without a right to write makes a file that is read-only, as in node:fs', (t) => {
  const path = fresh()
  using(MappedFile.openSync(path, { access: 'write', create: true, length: 10, mode: 0o444 }), (m) => m.setUint8(0, 1))
  t.is(statSync(path).mode & 0o222, 0)
  chmodSync(path, 0o666)
})

windows('a descriptor that cannot read, and code in a file that was not opened for it, are EACCES', (t) => {
  const fd = openSync(file(size), constants.O_WRONLY)
  for (const access of ['read', 'write'] as const) fails(t, () => MappedFile.openSync(fd, { access }), 'EACCES')
  closeSync(fd)
  using(MappedFile.openSync(file(size)), (m) => fails(t, () => m.protect('exec'), 'EACCES', 'mprotect'))
  using(MappedFile.openSync(file(size), { exec: true }), (m) => t.is(m.compare(counting(size)), 0))
})

windows('a name of shared memory that is an event or a mutex is EINVAL, as there is nothing to open', (t) => {
  t.true(Mapping.isSupported('wait'))
  for (const exclusive of [true, false]) {
    fails(t, () => SharedMemory.createSync('/memmap-waits-1-lock', 10, { exclusive }), 'EINVAL', 'shm_open')
  }
})

placed('shared memory that is closed is nowhere to be seen, not in a SharedArrayBuffer either', (t) => {
  const name = `/memmap-closed-${process.pid}`
  const m = SharedMemory.createSync(name, page, { sharedArrayBuffer: true })
  const words = m.view(Int32Array)
  using(SharedMemory.openSync(name, { access: 'write' }), (other) => {
    other.setInt32(0, 99)
    t.not(words[0], 0)
    m.close()
    t.is(words[0], 0)
    words[1] = 55
    t.is(other.getInt32(4), 0)
    fails(t, () => other.resize(page - 1), 'ENOTSUP')
  })
  // Its name went with the last mapping, not with the last view.
  t.false(SharedMemory.list().includes(name))
})
