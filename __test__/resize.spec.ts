import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { appendFileSync, readFileSync, statSync, statfsSync, truncateSync, writeFileSync } from 'node:fs'
import test from 'ava'
import { AnonymousMemory, MappedFile, Mapping, SharedMemory } from '../index'
import {
  atOnce,
  caught,
  counting,
  deniedPages,
  fresh,
  file,
  isCoded,
  linuxOnly,
  onWindows,
  page,
  rejected,
  throwsCoded,
  unless,
  using,
  wideOnly,
} from './helpers'
import { booksProblem, disk, elsewhere, fails } from './systems'

const write = { access: 'write' } as const

/** Lengths that stay in a page, leave it, end with it, and go far. */
const LENGTHS = [1, 100, page - 1, page, page + 1, 3 * page, 3 * page + 77, 1 << 20]

for (const from of [0, ...LENGTHS]) {
  atOnce(`a 'write' file of ${from} bytes grows and shrinks with its mapping, to any length`, (t) => {
    for (const to of [0, ...LENGTHS]) {
      const path = file(counting(from))
      using(MappedFile.openSync(path, write), (m) => {
        const view = m.bytes
        t.is(m.resize(to), undefined)
        t.is(m.byteLength, to)
        t.is(m.size(), to)
        t.is(statSync(path).size, to)
        if (from > 0 && to !== from) t.is(view.length, 0, 'old views have length 0')
        const expected = Buffer.alloc(to)
        counting(from).copy(expected)
        t.is(m.compare(expected), 0)
        t.is(Buffer.compare(m.bytes, expected), 0)
        if (to === 0) return
        m.setUint8(to - 1, 0xee)
        m.bytes[0] = 0xdd
        m.flushSync()
        expected[to - 1] = 0xee
        expected[0] = 0xdd
        t.deepEqual(readFileSync(path), expected)
        throwsCoded(t, () => m.getUint8(to), 'ERR_OUT_OF_RANGE')
      })
    }
  })
}

test('to its own length nothing happens, but what is there stays', (t) => {
  const path = file(counting(5000))
  using(MappedFile.openSync(path, write), (m) => {
    m.resize(5000)
    m.resize()
    t.is(m.byteLength, 5000)
    t.deepEqual(readFileSync(path), counting(5000))
  })
})

atOnce('an offset stays where it is', (t) => {
  const path = file(counting(3 * page))
  using(MappedFile.openSync(path, { access: 'write', offset: page + 10 }), (m) => {
    m.resize(5 * page)
    t.is(m.fileOffset, page + 10)
    t.is(statSync(path).size, 6 * page + 10)
    t.deepEqual(m.read(0, 100), counting(3 * page).subarray(page + 10, page + 110))
    m.resize(7)
    t.is(statSync(path).size, page + 17)
    m.resize(0)
    t.is(statSync(path).size, page + 10)
    m.resize(20)
    t.deepEqual(m.read(0, 20), Buffer.alloc(20))
  })
  t.deepEqual(readFileSync(path).subarray(0, page + 10), counting(3 * page).subarray(0, page + 10))
})

atOnce(
  'a window never cuts the file that goes on behind it, whether it moves, stays in its page or has capacity',
  (t) => {
    for (const capacity of [undefined, 16 * page]) {
      for (const from of [100, page, 2 * page + 5]) {
        for (const to of [0, 50, 99, 101, page, page + 1, 3 * page]) {
          const path = file(counting(8 * page))
          using(MappedFile.openSync(path, { access: 'write', offset: 10, length: from, capacity }), (m) => {
            m.resize(to)
            t.is(m.byteLength, to)
            t.is(m.compare(counting(8 * page).subarray(10, 10 + to)), 0)
          })
          t.deepEqual(readFileSync(path), counting(8 * page), `${capacity} ${from} ${to}`)
        }
      }
    }
  },
)

unless(onWindows && 'Windows cuts no file that is mapped')(
  "'read' follows a file that grew, and one that shrank; it never changes the file",
  (t) => {
    const path = file(counting(page))
    using(MappedFile.openSync(path), (m) => {
      appendFileSync(path, 'more')
      t.is(m.byteLength, page)
      t.is(m.size(), page + 4)
      m.resize()
      t.is(m.byteLength, page + 4)
      t.is(m.read(page, 4).toString(), 'more')
      writeFileSync(path, counting(5 * page))
      m.resize()
      t.is(m.compare(counting(5 * page)), 0)
      m.resize(10)
      t.is(m.byteLength, 10)
      truncateSync(path, 20)
      m.resize()
      t.is(m.byteLength, 20)
      throwsCoded(t, () => m.resize(21), 'ERR_OUT_OF_RANGE')
      t.is(m.byteLength, 20)
      truncateSync(path, 0)
      m.resize()
      t.is(m.byteLength, 0)
      appendFileSync(path, 'again')
      m.resize()
      t.is(m.read(0, 5).toString(), 'again')
    })
    t.is(readFileSync(path, 'utf8'), 'again')
  },
)

test('anonymous memory keeps its bytes; what is new is zeros', (t) => {
  using(AnonymousMemory.create(100), (m) => {
    let expected = Buffer.alloc(100, 0xaa)
    m.fill(0xaa)
    for (const to of [50, 100, 5 * page, 2 * page + 1, 1 << 20, 0, 10, page]) {
      m.resize(to)
      const next = Buffer.alloc(to)
      expected.copy(next)
      t.is(m.compare(next), 0, `to ${to}`)
      t.is(m.size(), to)
      if (to > 0) m.setUint8(to - 1, 0x55)
      if (to > 0) next[to - 1] = 0x55
      expected = next
    }
  })
})

unless(!Mapping.isSupported('memfd') && 'a section keeps its length')(
  'shared memory without a name grows for everybody who maps it',
  (t) => {
    using(SharedMemory.anonymous(page), (m) => {
      m.fill(1)
      using(SharedMemory.fromFd(m.fd!, write), (other) => {
        m.resize(3 * page)
        m.setUint8(2 * page, 2)
        other.resize()
        t.is(other.byteLength, 3 * page)
        t.is(other.getUint8(2 * page), 2)
        t.is(other.getUint8(0), 1)
      })
    })
  },
)

test('all of its windows and views become length 0, typed ones and small ones', (t) => {
  using(MappedFile.openSync(file(counting(64 * page)), write), (m) => {
    const views = [m.bytes, m.subarray(5, 10), m.view(Int32Array, 0, 4), m.subarray(40 * page)]
    const data = m.dataView(page, 8)
    for (let i = 0; i < 1000; i++) m.getUint32(i)
    m.resize(65 * page)
    for (const view of views) t.is(view.byteLength, 0)
    t.throws(() => data.getUint8(0), { instanceOf: TypeError })
    t.is(m.getUint32(0, true), counting(4).readUInt32LE(0))
    t.is(m.bytes.length, 65 * page)
  })
})

atOnce('mayMove: false is ENOMEM where it would have to move, and leaves all as it was', (t) => {
  const path = file(counting(page))
  using(MappedFile.openSync(path, write), (m) => {
    const { address, bytes } = m
    const error = fails(t, () => m.resize(page + 1, { mayMove: false }), 'ENOMEM', 'mremap')
    t.is(error.path, path)
    t.true(error.message.includes('capacity'))
    t.is(m.byteLength, page)
    t.is(m.address, address)
    t.is(bytes.length, page)
    t.is(statSync(path).size, page)
    m.resize(page - 5, { mayMove: false })
    t.is(m.address, address)
    t.is(statSync(path).size, page - 5)
  })
  using(AnonymousMemory.create(page), (m) => {
    fails(t, () => m.resize(9 * page, { mayMove: false }), 'ENOMEM')
    t.is(m.byteLength, page)
  })
})

test('EBUSY while a flush is pending, and not after it', async (t) => {
  const path = file(counting(page))
  const m = MappedFile.openSync(path, write)
  const pending = m.flush()
  fails(t, () => m.resize(2 * page), 'EBUSY', 'mremap')
  t.is(m.byteLength, page)
  await pending
  m.resize(2 * page)
  t.is(statSync(path).size, 2 * page)
  m.close()
})

test('EBUSY while another mapping shares the memory, and not after it', (t) => {
  const m = AnonymousMemory.create(page)
  const other = Mapping.from(m.share())
  for (const each of [m, other]) fails(t, () => each.resize(2 * page), 'EBUSY', 'mremap')
  other.close()
  m.resize(2 * page)
  t.is(m.byteLength, 2 * page)
  m.close()
})

const sharing = unless(
  !Mapping.isSupported('sharedArrayBuffer') && 'this engine has no SharedArrayBuffer over mapped memory',
)
sharing('EBUSY where views stand on a SharedArrayBuffer, which cannot be taken back', (t) => {
  using(MappedFile.openSync(file(counting(page)), { access: 'write', sharedArrayBuffer: true }), (m) => {
    t.is(m.bytes.length, page)
    fails(t, () => m.resize(2 * page), 'EBUSY', 'mremap')
    t.is(m.bytes.length, page)
  })
})

test("a 'copy' keeps its length: ENOTSUP", (t) => {
  using(MappedFile.openSync(file(counting(page)), { access: 'copy' }), (m) => {
    fails(t, () => m.resize(10), 'ENOTSUP')
    t.is(m.byteLength, page)
  })
})

linuxOnly('a device has no length: ENOTSUP', (t) => {
  using(MappedFile.openSync('/dev/zero', { access: 'write', length: page }), (m) => {
    m.fill(3)
    fails(t, () => m.resize(2 * page), 'ENOTSUP')
    fails(t, () => m.resize(), 'ENOTSUP')
    t.is(m.compare(Buffer.alloc(page, 3)), 0)
  })
})

const small = disk('tmpfs', 'size=1m')
const onSmall = unless(small.problem, test.serial)
const root = small.problem === undefined ? small.path : ''

onSmall('ENOSPC leaves file, mapping, views and disk as they were, with and without capacity', (t) => {
  for (const capacity of [undefined, 8 << 20]) {
    const path = `${root}/full-${capacity}`
    writeFileSync(path, counting(3 * page + 5))
    const free = statfsSync(root).bavail
    using(MappedFile.openSync(path, { access: 'write', capacity }), (m) => {
      const view = m.bytes
      fails(t, () => m.resize(2 << 20), 'ENOSPC', 'fallocate')
      t.is(m.byteLength, 3 * page + 5)
      t.is(view.length, 3 * page + 5)
      t.is(m.compare(counting(3 * page + 5)), 0)
      t.is(statSync(path).size, 3 * page + 5)
      t.is(statfsSync(root).bavail, free)
      m.resize(10 * page)
      m.fill(1)
      t.is(m.fault, null)
      m.resize(0)
    })
  }
})

onSmall('sparse: true extends without taking room', (t) => {
  const path = `${root}/sparse`
  using(MappedFile.openSync(path, { access: 'write', create: true, sparse: true, length: page }), (m) => {
    const free = statfsSync(root).bavail
    m.resize(16 << 20)
    t.is(statSync(path).size, 16 << 20)
    t.is(statfsSync(root).bavail, free)
    t.is(m.getUint8((16 << 20) - 1), 0)
  })
})

wideOnly('more than there is address space for is ENOMEM, and leaves all as it was', (t) => {
  using(AnonymousMemory.create(page), (m) => {
    m.fill(4)
    fails(t, () => m.resize(Number.MAX_SAFE_INTEGER), 'ENOMEM')
    t.is(m.compare(Buffer.alloc(page, 4)), 0)
  })
  const path = file(counting(page))
  using(MappedFile.openSync(path, { access: 'write', sparse: true }), (m) => {
    // File systems end before the address space does, or after it.
    t.throws(() => m.resize(2 ** 50))
    t.is(m.byteLength, page)
    t.is(m.compare(counting(page)), 0)
  })
  t.is(statSync(path).size, page)
})

unless(booksProblem || deniedPages)('what is mapped anew is mapped as before', (t) => {
  using(MappedFile.openSync(file(counting(page))), (m) => {
    m.resize(10)
    const view = m.bytes
    view[0] = 1
    t.is(m.fault?.kind, 'protected')
    m.clearFault()
    t.is(m.getUint8(0), counting(1)[0])
  })
})

atOnce('a mapping that was shared, cleared or flushed is resized like any other', async (t) => {
  const path = file(counting(page))
  const m = MappedFile.openSync(path, write)
  m.share()
  m.clearFault()
  await m.flush()
  for (let i = 1; i <= 50; i++) {
    m.resize(i * 1000)
    m.setUint8(i * 1000 - 1, i)
  }
  t.is(statSync(path).size, 50_000)
  for (let i = 1; i <= 50; i++) t.is(m.getUint8(i * 1000 - 1), i)
  const other = Mapping.from(m.share())
  t.is(other.byteLength, 50_000)
  other.close()
  m.close()
})

test('wrong arguments resize nothing', (t) => {
  using(AnonymousMemory.create(page), (m) => {
    throwsCoded(t, () => m.resize(-1), 'ERR_OUT_OF_RANGE', 'length')
    throwsCoded(t, () => m.resize(1.5), 'ERR_OUT_OF_RANGE')
    throwsCoded(t, () => m.resize('10' as never), 'ERR_INVALID_ARG_TYPE', 'length')
    throwsCoded(t, () => m.resize(null as never), 'ERR_INVALID_ARG_TYPE')
    throwsCoded(t, () => m.resize(10, { move: true } as never), 'ERR_INVALID_ARG_VALUE', 'move')
    throwsCoded(t, () => m.resize(10, { mayMove: 1 } as never), 'ERR_INVALID_ARG_TYPE', 'mayMove')
    t.is(m.byteLength, page)
  })
})

test('after close there is nothing to resize, and a flush that is pending says so', async (t) => {
  const m = MappedFile.openSync(file(counting(page)), write)
  const pending = m.flush()
  m.close()
  throwsCoded(t, () => m.resize(10), 'ERR_INVALID_STATE')
  isCoded(t, await rejected(t, pending), 'ERR_INVALID_STATE')
})

unless(onWindows && 'Windows cuts no mapped file')(
  'asked to take the present size, a mapping behind the end becomes empty and leaves the file alone',
  (t) => {
    for (const access of ['write', 'read'] as const) {
      const path = file(counting(4 * page))
      using(MappedFile.openSync(path, { access, offset: 2 * page }), (m) => {
        truncateSync(path, page)
        m.resize()
        t.is(m.byteLength, 0, access)
        t.is(statSync(path).size, page, access)
      })
    }
  },
)

test('a refusal names the file', (t) => {
  const path = file(2 * page)
  using(MappedFile.openSync(path, { access: 'copy' }), (m) => {
    // In V8's memory cage the engine carries it from the beginning.
    const code = ['external', 'none'].includes(m.carrier) ? 'ENOTSUP' : 'EBUSY'
    t.like(
      caught(t, () => m.resize(5)),
      { code, syscall: 'mremap', path },
    )
  })
  using(MappedFile.openSync(path, write), (m) => {
    using(Mapping.from(m.share()), () => {
      t.like(
        caught(t, () => m.resize(5)),
        { code: 'EBUSY', syscall: 'mremap', path },
      )
    })
  })
})

unless(deniedPages)('a fault that nobody was told of yet is told before the memory is another', (t) => {
  const told: unknown[] = []
  const hear = (message: unknown): void => void told.push(message)
  subscribe('memmap:fault', hear)
  using(MappedFile.openSync(file(3 * page)), (m) => {
    if (m.carrier !== 'external') {
      t.pass('a carried mapping keeps its length')
      return
    }
    const view = m.bytes
    view[page + 7] = 66
    m.resize(page)
    t.is(m.fault, null)
    t.deepEqual(
      told.map((one) => [(one as { mapping: Mapping }).mapping === m, (one as { kind: string }).kind]),
      [[true, 'protected']],
    )
  })
  unsubscribe('memmap:fault', hear)
})

test('memory that was protected grows inside of its last page, and stays protected', (t) => {
  for (const protection of ['read', 'none'] as const) {
    const told: unknown[] = []
    using(AnonymousMemory.create(100), (m) => {
      const hear = (message: unknown): void => {
        if ((message as { mapping: Mapping }).mapping === m) told.push(message)
      }
      subscribe('memmap:fault', hear)
      m.fill(7)
      m.resize(50)
      m.protect(protection)
      m.resize(100)
      t.is(m.fault, null)
      fails(t, () => m.setUint8(60, 1), 'EACCES')
      if (protection === 'none') m.protect('read')
      t.deepEqual(m.read(0, 100), Buffer.concat([Buffer.alloc(50, 7), Buffer.alloc(50)]))
      unsubscribe('memmap:fault', hear)
    })
    t.deepEqual(told, [])
  }
})

unless(onWindows && 'Windows truncates no file that is mapped')(
  'the guard stands when the first mapping of a process was empty at first',
  async (t) => {
    const body = `
      const { truncateSync } = require('node:fs')
      const m = MappedFile.openSync(${JSON.stringify(fresh())}, { access: 'write', create: true })
      m.resize(3 * 65536)
      m.subarray(2 * 65536).fill(1)
      truncateSync(m.path, 1)
      const seen = [m.subarray(2 * 65536)[0], m.fault?.kind]
      const memory = AnonymousMemory.create(0)
      memory.resize(10)
      const view = memory.bytes
      memory.protect('read')
      view[0] = 1
      return [...seen, memory.fault?.kind]`
    t.deepEqual(await elsewhere(body), [0, 'truncated', 'protected'])
  },
)
