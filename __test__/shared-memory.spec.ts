import { existsSync, statSync, statfsSync } from 'node:fs'
import test from 'ava'
import { Mapping, SharedMemory } from '../index'
import {
  caught,
  counting,
  isSystemError,
  onLinux,
  onWindows,
  page,
  rejected,
  throwsCoded,
  underQemu,
  unless,
  using,
} from './helpers'
import { asNobody, elsewhere, fails, shmName } from './systems'

const named = unless(!Mapping.isSupported('posixShm') && 'no shared memory by name here')
const listed = unless(!onLinux && 'looks into /dev/shm')
const persistent = unless(
  !Mapping.isSupported('posixShm')
    ? 'no shared memory by name here'
    : onWindows && 'there a name lives as long as a mapping',
)
const inSections = unless(!onWindows && 'Windows has named sections')
const size = 2 * page + 100
/** What an object of so many bytes is when it is opened. */
const whole = (length: number) => (onLinux ? length : Math.ceil(length / page) * page)

/** The test may have unlinked it. */
function gone(name: string): void {
  try {
    SharedMemory.unlink(name)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
}

/** Runs `use` with a name, whose object is gone afterwards. */
async function withName<T>(use: (name: string) => T | Promise<T>): Promise<T> {
  const name = shmName()
  try {
    return await use(name)
  } finally {
    gone(name)
  }
}

named('what one mapping writes the other reads, by both twins', (t) =>
  withName(async (name) => {
    const a = SharedMemory.createSync(name, size)
    t.true(a instanceof SharedMemory && a instanceof Mapping)
    t.is(a.name, name)
    t.is(a.access, 'write')
    t.is(a.path, undefined)
    t.is(a.byteLength, size)
    t.is(a.size(), whole(size))
    t.is(typeof a.fd, onWindows ? 'undefined' : 'number')
    t.is(a.compare(Buffer.alloc(size)), 0)
    a.write(counting(size), 0)
    for (const b of [SharedMemory.openSync(name), await SharedMemory.open(name)]) {
      t.is(b.name, name)
      t.is(b.access, 'read')
      t.is(b.byteLength, whole(size))
      t.is(b.read(0, size).compare(counting(size)), 0)
      a.setUint8(7, 99)
      t.is(b.bytes[7], 99)
      a.setUint8(7, counting(8)[7]!)
      const error = caught(t, () => b.setUint8(0, 1))
      t.is(error.code, 'EACCES')
      b.close()
    }
    for (const c of [
      SharedMemory.openSync(name, { access: 'write' }),
      await SharedMemory.open(name, { access: 'write' }),
    ]) {
      c.bytes[size - 1]! ^= 0xff
      c.flushSync()
      t.is(a.getUint8(size - 1), c.getUint8(size - 1))
      c.close()
    }
    a.close()
  }),
)

persistent('an object outlives everybody who maps it', (t) =>
  withName((name) => {
    using(SharedMemory.createSync(name, size), (a) => a.write(counting(size), 0))
    using(SharedMemory.openSync(name), (b) => t.is(b.getUint8(5), counting(6)[5]))
  }),
)

named('the twins of create do the same', (t) =>
  withName(async (name) => {
    const first = await SharedMemory.create(name, size)
    t.is(first.byteLength, size)
    first.fill(1)
    fails(t, () => SharedMemory.createSync(name, size), 'EEXIST', 'shm_open')
    isSystemError(t, await rejected(t, SharedMemory.create(name, size)), {
      code: 'EEXIST',
      syscall: 'shm_open',
      path: name,
    })
    using(await SharedMemory.create(name, size, { exclusive: false }), (m) => t.is(m.getUint8(size - 1), 1))
    first.close()
  }),
)

named('exclusive: false opens what is there, as long as it is long enough', (t) =>
  withName((name) => {
    const first = SharedMemory.createSync(name, size, { exclusive: false })
    first.fill(3)
    using(SharedMemory.createSync(name, size, { exclusive: false }), (m) => t.is(m.compare(Buffer.alloc(size, 3)), 0))
    using(SharedMemory.createSync(name, 10, { exclusive: false }), (m) => {
      t.is(m.byteLength, 10)
      t.is(m.size(), whole(size))
    })
    const error = fails(t, () => SharedMemory.createSync(name, whole(size) + 1, { exclusive: false }), 'EINVAL')
    t.is(error.path, name)
    using(SharedMemory.openSync(name), (m) => t.is(m.byteLength, whole(size)))
    first.close()
  }),
)

unless(
  !Mapping.isSupported('posixShm')
    ? 'no shared memory by name here'
    : !Mapping.isSupported('sharedArrayBuffer') && 'this engine makes none over foreign memory',
)('views may stand on a SharedArrayBuffer', (t) =>
  withName((name) => {
    using(SharedMemory.createSync(name, page, { sharedArrayBuffer: true }), (m) => {
      t.true(m.bytes.buffer instanceof SharedArrayBuffer)
      Atomics.add(m.view(Int32Array), 0, 5)
      using(SharedMemory.openSync(name, { sharedArrayBuffer: true }), (other) => {
        t.is(Atomics.load(other.view(Int32Array), 0), 5)
      })
    })
  }),
)

persistent('a name goes at once, the memory with its last mapping', (t) => {
  const name = shmName()
  const m = SharedMemory.createSync(name, page)
  t.is(SharedMemory.unlink(name), undefined)
  isSystemError(
    t,
    caught(t, () => SharedMemory.openSync(name)),
    { code: 'ENOENT', syscall: 'shm_open', path: name },
  )
  isSystemError(
    t,
    caught(t, () => SharedMemory.unlink(name)),
    { code: 'ENOENT', syscall: 'shm_unlink', path: name },
  )
  m.fill(5)
  const second = SharedMemory.createSync(name, page)
  t.is(second.getUint8(0), 0)
  t.is(m.getUint8(0), 5)
  SharedMemory.unlink(name)
  m.close()
  second.close()
})

named('an object that is not there is ENOENT', async (t) => {
  const name = shmName()
  isSystemError(
    t,
    caught(t, () => SharedMemory.openSync(name)),
    { code: 'ENOENT', syscall: 'shm_open', path: name },
  )
  isSystemError(t, await rejected(t, SharedMemory.open(name)), { code: 'ENOENT', syscall: 'shm_open', path: name })
})

listed('list names what is there, and no semaphores', (t) =>
  withName((name) => {
    t.false(SharedMemory.list().includes(name))
    const m = SharedMemory.createSync(name, 1)
    const names = SharedMemory.list()
    t.true(names.includes(name))
    t.deepEqual(names, [...names].toSorted())
    t.true(names.every((each) => /^\/[^/]+$/.test(each) && !each.startsWith('/sem.')))
    m.close()
    SharedMemory.unlink(name)
    t.false(SharedMemory.list().includes(name))
  }),
)

listed('the owner alone has rights; mode gives others some, less the umask', async (t) => {
  const rights = await elsewhere(`
    process.umask(0o022)
    const name = '/mm-mode-' + process.pid
    const seen = []
    for (const mode of [undefined, 0o600, 0o666, '640', 0o777]) {
      SharedMemory.createSync(name, 10, { mode }).close()
      seen.push(fs.statSync('/dev/shm' + name).mode & 0o777)
      SharedMemory.unlink(name)
    }
    return seen`)
  t.deepEqual(rights, [0o600, 0o600, 0o644, 0o640, 0o755])
})

asNobody('whoever the mode leaves out gets EACCES, for what it leaves out', (t) =>
  withName(async (name) => {
    SharedMemory.createSync(name, 10).close()
    const ask = `const name = ${JSON.stringify(name)}
      return [
        code(() => SharedMemory.openSync(name)),
        code(() => SharedMemory.openSync(name, { access: 'write' })),
        code(() => SharedMemory.createSync(name, 10, { exclusive: false })),
        code(() => SharedMemory.unlink(name)),
      ]`
    t.deepEqual(await elsewhere(ask, { nobody: true }), ['EACCES', 'EACCES', 'EACCES', 'EACCES'])
    SharedMemory.unlink(name)
    SharedMemory.createSync(name, 10, { mode: 0o644 }).close()
    t.deepEqual(await elsewhere(ask, { nobody: true }), ['nothing', 'EACCES', 'EACCES', 'EACCES'])
  }),
)

/** `open` must not meet the object between its creation and its size. */
listed('an object without a size is EAGAIN to open; who creates gives it one', (t) =>
  withName(async (name) => {
    await elsewhere(`fs.closeSync(fs.openSync('/dev/shm${name}', 'w'))`)
    isSystemError(
      t,
      caught(t, () => SharedMemory.openSync(name)),
      { code: 'EAGAIN', syscall: 'shm_open', path: name },
    )
    isSystemError(t, await rejected(t, SharedMemory.open(name)), { code: 'EAGAIN', syscall: 'shm_open', path: name })
    using(SharedMemory.createSync(name, size, { exclusive: false }), (m) => t.is(m.size(), size))
    using(SharedMemory.openSync(name), (m) => t.is(m.byteLength, size))
  }),
)

const roomProblem = (() => {
  if (!onLinux || !existsSync('/dev/shm')) return 'looks at /dev/shm'
  const { blocks, bsize } = statfsSync('/dev/shm')
  return blocks === 0 || blocks * bsize > 2 ** 50 ? '/dev/shm has no limit here' : undefined
})()
unless(roomProblem)('more than there is room for is ENOSPC, and no object is left', async (t) => {
  const name = shmName()
  const { blocks, bsize } = statfsSync('/dev/shm')
  const tooMuch = (blocks + 1) * bsize
  isSystemError(
    t,
    caught(t, () => SharedMemory.createSync(name, tooMuch)),
    { code: 'ENOSPC', syscall: 'fallocate', path: name },
  )
  isSystemError(t, await rejected(t, SharedMemory.create(name, tooMuch)), {
    code: 'ENOSPC',
    syscall: 'fallocate',
    path: name,
  })
  t.false(SharedMemory.list().includes(name))
  t.false(existsSync(`/dev/shm${name}`))
})

listed('its memory is there when create returns', (t) =>
  withName((name) => {
    using(SharedMemory.createSync(name, 10 * page), () => t.is(statSync(`/dev/shm${name}`).blocks * 512, 10 * page))
  }),
)

unless(!onLinux && 'elsewhere its length is set once')('a named object grows and shrinks with a mapping of it', (t) =>
  withName((name) => {
    using(SharedMemory.createSync(name, page), (m) => {
      m.fill(1)
      using(SharedMemory.openSync(name), (reader) => {
        m.resize(3 * page)
        reader.resize()
        t.is(reader.byteLength, 3 * page)
        t.is(reader.getUint8(page - 1), 1)
        t.is(m.name, name)
        throwsCoded(t, () => reader.resize(4 * page), 'ERR_OUT_OF_RANGE')
      })
    })
  }),
)

test('names have one leading slash, no other, and fit', (t) => {
  const longest = process.platform === 'darwin' ? 31 : 256
  const wrong = [
    '',
    '/',
    'x',
    'a/b',
    '/a/b',
    '//a',
    '/a/',
    '/.',
    '/..',
    '/a\0b',
    `/${'n'.repeat(longest)}`,
    `/${'ü'.repeat(longest / 2)}`,
    ...(onWindows ? ['/a\\b', '/\\Global'] : []),
  ]
  for (const name of wrong) {
    throwsCoded(t, () => SharedMemory.createSync(name, 1), 'ERR_INVALID_ARG_VALUE', 'name')
    throwsCoded(t, () => SharedMemory.openSync(name), 'ERR_INVALID_ARG_VALUE', 'name')
    throwsCoded(t, () => SharedMemory.unlink(name), 'ERR_INVALID_ARG_VALUE', 'name')
  }
  for (const name of [undefined, null, 1, {}]) {
    throwsCoded(t, () => SharedMemory.createSync(name as never, 1), 'ERR_INVALID_ARG_TYPE', 'name')
    throwsCoded(t, () => SharedMemory.unlink(name as never), 'ERR_INVALID_ARG_TYPE', 'name')
  }
})

/** glibc before 2.34 counted the final zero, and wanted less than NAME_MAX. */
function oldShmNames() {
  // A report walks the stack, which ends qemu where its pages are larger than the host's. Debian 12 is what it runs, with glibc 2.36.
  if (underQemu) return false
  const { header } = process.report.getReport() as unknown as { header: { glibcVersionRuntime?: string } }
  return Number(/^2\.(\d+)$/.exec(header.glibcVersionRuntime ?? '')?.[1] ?? 34) < 34
}

named('the longest name, dots and letters of all kinds are names', (t) => {
  const longest = process.platform === 'darwin' ? 30 : oldShmNames() ? 253 : 255
  const start = shmName().slice(1)
  const names = [`/${start}${'n'.repeat(longest - start.length)}`, `/.${start}`, `/${start} ü…`]
  if (!onWindows) names.push(`/${start}\\`)
  for (const name of names) {
    using(SharedMemory.createSync(name, 1), (m) => {
      t.is(m.name, name)
      if (onLinux || onWindows) t.true(SharedMemory.list().includes(name))
      SharedMemory.unlink(name)
    })
  }
})

test('wrong arguments make no object', async (t) => {
  const name = shmName()
  throwsCoded(t, () => SharedMemory.createSync(name, 0), 'ERR_OUT_OF_RANGE', 'length')
  throwsCoded(t, () => SharedMemory.createSync(name, -1), 'ERR_OUT_OF_RANGE', 'length')
  throwsCoded(t, () => SharedMemory.createSync(name, 1.5), 'ERR_OUT_OF_RANGE')
  throwsCoded(t, () => SharedMemory.createSync(name, '1' as never), 'ERR_INVALID_ARG_TYPE', 'length')
  throwsCoded(
    t,
    () => SharedMemory.createSync(name, 1, { exclusiv: true } as never),
    'ERR_INVALID_ARG_VALUE',
    'exclusive',
  )
  throwsCoded(t, () => SharedMemory.createSync(name, 1, { exclusive: 1 } as never), 'ERR_INVALID_ARG_TYPE', 'exclusive')
  throwsCoded(t, () => SharedMemory.createSync(name, 1, { mode: '9' as never }), 'ERR_INVALID_ARG_VALUE', 'mode')
  throwsCoded(t, () => SharedMemory.openSync(name, { access: 'copy' as never }), 'ERR_INVALID_ARG_VALUE', 'access')
  throwsCoded(t, () => SharedMemory.openSync(name, { access: 1 as never }), 'ERR_INVALID_ARG_TYPE', 'access')
  throwsCoded(t, () => SharedMemory.openSync(name, { length: 1 } as never), 'ERR_INVALID_ARG_VALUE', 'length')
  t.is((await rejected(t, SharedMemory.create(name, 0))).code, 'ERR_OUT_OF_RANGE')
  t.is((await rejected(t, SharedMemory.open('x'))).code, 'ERR_INVALID_ARG_VALUE')
  if (onLinux) t.false(SharedMemory.list().includes(name))
})

test('nobody makes one with new', (t) => {
  throwsCodedConstructor(t, () => new (SharedMemory as unknown as new () => unknown)())
})

function throwsCodedConstructor(t: import('ava').ExecutionContext, action: () => unknown): void {
  t.is(caught(t, action).code, 'ERR_ILLEGAL_CONSTRUCTOR')
}

listed('what a process leaves behind when it is killed: the object and what was stored in it', async (t) => {
  const name = shmName()
  t.teardown(() => gone(name))
  await t.throwsAsync(
    elsewhere(`
      const m = SharedMemory.createSync(${JSON.stringify(name)}, 100)
      m.write('left behind', 0)
      process.kill(process.pid, 'SIGKILL')
      await new Promise(() => setTimeout(() => {}, 60_000))`),
    { message: /SIGKILL/ },
  )
  t.true(SharedMemory.list().includes(name))
  using(SharedMemory.openSync(name), (m) => t.is(m.read(0, 11).toString(), 'left behind'))
  SharedMemory.unlink(name)
})

named('many processes that create the same object at once all get it', (t) =>
  withName(async (name) => {
    const one = `
      const m = SharedMemory.createSync(${JSON.stringify(name)}, 4096, { exclusive: false })
      for (let i = 0; i < 1000; i++) Atomics.add(m.view(Int32Array), 0, 1)
      return m.byteLength`
    // Where a name lives as long as a mapping, this one keeps it.
    const kept = onWindows ? SharedMemory.createSync(name, 4096, { exclusive: false }) : undefined
    const others = Array.from({ length: 6 }, () => elsewhere(one))
    // Whoever comes late would make it again after the name is gone.
    await Promise.allSettled(others)
    t.deepEqual(await Promise.all(others), [4096, 4096, 4096, 4096, 4096, 4096])
    using(SharedMemory.openSync(name), (m) => t.is(m.view(Int32Array)[0], 6000))
    kept?.close()
  }),
)

inSections('a name and its memory go with the last mapping, of whichever process', async (t) => {
  const name = shmName()
  const m = SharedMemory.createSync(name, size)
  m.write('from the parent', 0)
  t.is(SharedMemory.unlink(name), undefined)
  const answer = await elsewhere(`
    const m = SharedMemory.openSync(${JSON.stringify(name)}, { access: 'write' })
    const seen = [m.byteLength, m.read(0, 15).toString(), code(() => SharedMemory.createSync(${JSON.stringify(name)}, 10))]
    m.write('from the child', 100)
    return seen`)
  t.deepEqual(answer, [whole(size), 'from the parent', 'EEXIST'])
  t.is(m.read(100, 14).toString(), 'from the child')
  const second = SharedMemory.openSync(name)
  m.close()
  t.is(second.getUint8(0), 'f'.charCodeAt(0))
  second.close()
  isSystemError(
    t,
    caught(t, () => SharedMemory.openSync(name)),
    { code: 'ENOENT', syscall: 'shm_open', path: name },
  )
  isSystemError(
    t,
    caught(t, () => SharedMemory.unlink(name)),
    { code: 'ENOENT', syscall: 'shm_unlink', path: name },
  )
  using(SharedMemory.createSync(name, 10), (fresh) => t.is(fresh.getUint8(0), 0))
})

inSections('sections are listed while they live', (t) => {
  const name = shmName()
  t.false(SharedMemory.list().includes(name))
  using(SharedMemory.createSync(name, 1), () => {
    const names = SharedMemory.list()
    t.true(names.includes(name))
    t.deepEqual(names, [...names].toSorted())
    t.true(names.every((each) => /^\/[^/]+$/.test(each)))
  })
  t.false(SharedMemory.list().includes(name))
})

inSections('a section keeps its length, and flush has nothing to write', async (t) => {
  const name = shmName()
  const m = SharedMemory.createSync(name, size)
  fails(t, () => m.resize(10 * page), 'ENOTSUP')
  m.flushSync()
  await m.flush()
  using(SharedMemory.openSync(name), (reader) => {
    t.is(caught(t, () => reader.fill(1)).code, 'EACCES')
  })
  m.close()
})

inSections('memory without a name is for the threads of this process', (t) => {
  using(SharedMemory.anonymous(size), (m) => {
    t.is(m.byteLength, size)
    t.is(m.fd, undefined)
    t.is(m.name, undefined)
    m.write(counting(size), 0)
    using(Mapping.from(m.share()), (other) => {
      t.is(other.compare(counting(size)), 0)
      other.setUint8(3, 0x33)
      t.is(m.getUint8(3), 0x33)
    })
  })
  using(SharedMemory.anonymous(0), (m) => t.is(m.byteLength, 0))
  fails(t, () => SharedMemory.anonymous(8, { seal: ['grow'] }), 'ENOTSUP')
})

inSections('more than the page file has room for is ENOSPC', (t) => {
  const name = shmName()
  fails(t, () => SharedMemory.createSync(name, 2 ** 46), 'ENOSPC', 'shm_open')
  t.false(SharedMemory.list().includes(name))
})
