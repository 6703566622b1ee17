import { closeSync, ftruncateSync, openSync, writeSync } from 'node:fs'
import test from 'ava'
import { MappedFile, Mapping, SharedMemory } from '../index'
import { caught, counting, file, page, throwsCoded, unless, using } from './helpers'
import { elsewhere, fails, sealWriting } from './systems'

import type { Seal } from '../index'

const nameless = unless(!Mapping.isSupported('memfd') && 'no memory without a name here')
const sealed = unless(!Mapping.isSupported('seal') && 'no seals here')
const size = 2 * page + 10

/** What the descriptor still allows. */
function allowed(m: SharedMemory): string[] {
  const fd = m.fd!
  const can: [string, () => void][] = [
    ['shrink', () => ftruncateSync(fd, m.size() - 1)],
    ['grow', () => ftruncateSync(fd, m.size() + 1)],
    ['write', () => writeSync(fd, 'x', 0)],
    ['seal', () => m.seal(['shrink'])],
  ]
  return can.flatMap(([name, action]) => {
    try {
      action()
      return [name]
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EPERM') throw error
      return []
    }
  })
}

nameless('memory without a name is for whoever has its descriptor', (t) => {
  using(SharedMemory.anonymous(size), (m) => {
    t.is(m.name, undefined)
    t.is(m.path, undefined)
    t.is(m.access, 'write')
    t.is(m.byteLength, size)
    t.is(m.compare(Buffer.alloc(size)), 0)
    m.write(counting(size), 0)
    using(SharedMemory.fromFd(m.fd!), (other) => {
      t.is(other.access, 'read')
      t.is(other.name, undefined)
      t.not(other.fd, m.fd)
      t.is(other.compare(counting(size)), 0)
      m.bytes[3] = 0x33
      t.is(other.getUint8(3), 0x33)
      t.is(caught(t, () => other.fill(0)).code, 'EACCES')
    })
    using(SharedMemory.fromFd(m.fd!, { access: 'write' }), (other) => {
      other.setUint8(0, 0x44)
      t.is(m.bytes[0], 0x44)
    })
  })
})

nameless('a child has it by stdio', async (t) => {
  const m = SharedMemory.anonymous(page)
  m.write('from the parent', 0)
  const answer = await elsewhere(
    `const m = SharedMemory.fromFd(3, { access: 'write' })
    const text = m.read(0, 15).toString()
    m.write('from the child', 100)
    return [text, m.byteLength, m.name ?? null]`,
    { fds: [m.fd!] },
  )
  t.deepEqual(answer, ['from the parent', page, null])
  t.is(m.read(100, 14).toString(), 'from the child')
  m.close()
})

nameless('0 bytes are an empty mapping, which others cannot open yet', (t) => {
  using(SharedMemory.anonymous(0), (m) => {
    t.is(m.byteLength, 0)
    fails(t, () => SharedMemory.fromFd(m.fd!), 'EAGAIN', 'mmap')
    m.resize(10)
    using(SharedMemory.fromFd(m.fd!), (other) => t.is(other.byteLength, 10))
  })
})

const LEFT: readonly (readonly [readonly Seal[], readonly string[]])[] = [
  [[], ['shrink', 'grow', 'write', 'seal']],
  [['shrink'], ['grow', 'write', 'seal']],
  [['grow'], ['shrink', 'write', 'seal']],
  [['write'], ['shrink', 'grow', 'seal']],
  [['futureWrite'], ['shrink', 'grow', 'seal']],
  [['seal'], ['shrink', 'grow', 'write']],
  [['shrink', 'grow', 'write', 'seal'], []],
  [['seal', 'futureWrite', 'grow', 'grow'], ['shrink']],
]

for (const [seals, left] of LEFT) {
  sealed(`[${seals}] leaves [${left}], at creation and later`, (t) => {
    const later = SharedMemory.anonymous(size)
    later.write(counting(size), 0)
    if (seals.length > 0) t.is(later.seal(seals), undefined)
    t.is(later.compare(counting(size)), 0)
    for (const m of [SharedMemory.anonymous(size, { seal: seals }), later]) {
      using(m, () => {
        t.is(m.access, seals.includes('write') ? 'read' : 'write')
        t.deepEqual(allowed(m), left)
      })
    }
  })
}

sealed("'write' makes this mapping read-only, its views too, and everybody else", (t) => {
  using(SharedMemory.anonymous(size), (m) => {
    const view = m.bytes
    for (let i = 0; i < 100; i++) m.setUint32(0, i)
    m.write(counting(size), 0)
    sealWriting(m)
    t.is(m.access, 'read')
    t.is(view.length, size)
    t.is(Buffer.compare(view, counting(size)), 0)
    t.is(caught(t, () => m.setUint32(0, 5)).code, 'EACCES')
    t.is(caught(t, () => m.fill(1)).code, 'EACCES')
    fails(t, () => m.protect('write'), 'EACCES', 'mprotect')
    fails(t, () => SharedMemory.fromFd(m.fd!, { access: 'write' }), 'EPERM', 'mmap')
    using(SharedMemory.fromFd(m.fd!), (other) => t.is(other.compare(counting(size)), 0))
    if (!Mapping.isSupported('faultGuard')) return
    view[page] = 0xee
    t.is(m.fault?.kind, 'protected')
    using(SharedMemory.fromFd(m.fd!), (other) => t.is(other.getUint8(page), counting(size)[page]))
    m.clearFault()
    t.is(view[page], counting(size)[page])
  })
})

sealed("'futureWrite' leaves this mapping its right to write", (t) => {
  using(SharedMemory.anonymous(size, { seal: ['futureWrite'] }), (m) => {
    m.write(counting(size), 0)
    m.bytes[0] = 7
    fails(t, () => SharedMemory.fromFd(m.fd!, { access: 'write' }), 'EPERM', 'mmap')
    using(SharedMemory.fromFd(m.fd!), (other) => {
      t.is(other.getUint8(0), 7)
      m.setUint8(0, 8)
      t.is(other.getUint8(0), 8)
    })
  })
})

sealed("a writable mapping of somebody else's is EBUSY for 'write', and this one writes on", (t) => {
  using(SharedMemory.anonymous(size), (m) => {
    using(SharedMemory.fromFd(m.fd!, { access: 'write' }), (other) => {
      const view = m.bytes
      fails(t, () => m.seal(['write']), 'EBUSY', 'fcntl')
      t.is(m.access, 'write')
      m.setUint8(0, 5)
      view[1] = 6
      t.is(m.fault, null)
      t.deepEqual([...other.read(0, 2)], [5, 6])
    })
    sealWriting(m)
    t.is(m.access, 'read')
  })
})

sealed('where the right to write is lost and the seal refused, the mapping knows that it cannot write', (t) => {
  using(SharedMemory.anonymous(size), (m) => {
    using(SharedMemory.fromFd(m.fd!, { access: 'write' }), (other) => {
      m.fill(1)
      m.seal(['futureWrite'])
      fails(t, () => m.seal(['write']), 'EBUSY')
      t.is(m.access, 'read')
      t.is(caught(t, () => m.setUint8(0, 2)).code, 'EACCES')
      other.setUint8(0, 3)
      t.is(m.getUint8(0), 3)
    })
  })
})

sealed('a mapping that another thread holds cannot become read-only: EBUSY', (t) => {
  using(SharedMemory.anonymous(size), (m) => {
    using(Mapping.from(m.share()), () => fails(t, () => m.seal(['write']), 'EBUSY'))
    m.setUint8(0, 1)
    sealWriting(m)
  })
})

sealed('resize respects seals: EPERM, and nothing has changed', (t) => {
  using(SharedMemory.anonymous(size, { seal: ['shrink', 'grow'] }), (m) => {
    const view = m.bytes
    m.write(counting(size), 0)
    for (const to of [0, 1, size - 1, size + 1, 9 * page]) {
      fails(t, () => m.resize(to), 'EPERM')
      t.is(m.byteLength, size)
      t.is(view.length, size)
      t.is(m.compare(counting(size)), 0)
    }
  })
  using(SharedMemory.anonymous(size, { seal: ['write'] }), (m) => {
    m.resize(page)
    t.is(m.byteLength, page)
    t.is(m.size(), size)
    m.resize()
    t.is(m.byteLength, size)
  })
})

sealed('sealed against shrinking, it maps without fear of truncation', async (t) => {
  const m = SharedMemory.anonymous(size, { seal: ['shrink'] })
  const answer = await elsewhere(
    `const m = SharedMemory.fromFd(3)
    const cut = code(() => fs.ftruncateSync(3, 0))
    return [cut, m.bytes.reduce((sum, byte) => sum + byte, 0), m.fault]`,
    { fds: [m.fd!] },
  )
  t.deepEqual(answer, ['EPERM', 0, null])
  t.is(m.size(), size)
  m.close()
})

sealed("a second seal after 'seal' is EPERM; what cannot be sealed is EPERM or EINVAL", (t) => {
  using(SharedMemory.anonymous(size, { seal: ['seal'] }), (m) => {
    for (const seal of ['shrink', 'write', 'seal'] as const) fails(t, () => m.seal([seal]), 'EPERM', 'fcntl')
    m.setUint8(0, 1)
    t.is(m.fault, null)
  })
  const fd = openSync(file(counting(page)), 'r+')
  using(SharedMemory.fromFd(fd, { access: 'write' }), (m) => {
    const error = caught(t, () => m.seal(['shrink']))
    t.true(['EINVAL', 'EPERM'].includes(error.code!), error.message)
    m.setUint8(0, 1)
  })
  closeSync(fd)
})

test('fromFd takes a file, and refuses what it cannot map', (t) => {
  const path = file(counting(page))
  const fd = openSync(path, 'r')
  using(SharedMemory.fromFd(fd), (m) => t.is(m.compare(counting(page)), 0))
  fails(t, () => SharedMemory.fromFd(fd, { access: 'write' }), 'EACCES', 'mmap')
  closeSync(fd)
  fails(t, () => SharedMemory.fromFd(fd === 1_000_000 ? 1_000_001 : 1_000_000), 'EBADF')
  const empty = openSync(file(''), 'r')
  fails(t, () => SharedMemory.fromFd(empty), 'EAGAIN')
  closeSync(empty)
  using(MappedFile.openSync(path), (m) => t.is(m.byteLength, page))
})

test('wrong arguments seal nothing', (t) => {
  throwsCoded(t, () => SharedMemory.anonymous(-1), 'ERR_OUT_OF_RANGE', 'length')
  throwsCoded(t, () => SharedMemory.anonymous('1' as never), 'ERR_INVALID_ARG_TYPE')
  throwsCoded(t, () => SharedMemory.anonymous(1, { seals: [] } as never), 'ERR_INVALID_ARG_VALUE', 'seal')
  throwsCoded(t, () => SharedMemory.anonymous(1, { seal: 'write' } as never), 'ERR_INVALID_ARG_TYPE', 'seal')
  throwsCoded(t, () => SharedMemory.anonymous(1, { seal: ['exec'] } as never), 'ERR_INVALID_ARG_VALUE', 'seal')
  throwsCoded(t, () => SharedMemory.fromFd(-1), 'ERR_OUT_OF_RANGE', 'fd')
  throwsCoded(t, () => SharedMemory.fromFd('3' as never), 'ERR_INVALID_ARG_TYPE', 'fd')
  throwsCoded(t, () => SharedMemory.fromFd(0, { access: 'copy' } as never), 'ERR_INVALID_ARG_VALUE', 'access')
})

sealed('wrong arguments of seal seal nothing, and after close there is nothing to seal', (t) => {
  const m = SharedMemory.anonymous(size)
  throwsCoded(t, () => m.seal(undefined as never), 'ERR_INVALID_ARG_TYPE', 'seals')
  throwsCoded(t, () => m.seal(['all'] as never), 'ERR_INVALID_ARG_VALUE', 'seals')
  t.deepEqual(allowed(m), ['shrink', 'grow', 'write', 'seal'])
  m.close()
  throwsCoded(t, () => m.seal(['grow']), 'ERR_INVALID_STATE')
})

sealed('sealing leaves pages protected, whether it is refused or not', (t) => {
  using(SharedMemory.anonymous(2 * page), (m) =>
    using(SharedMemory.fromFd(m.fd!, { access: 'write' }), (other) => {
      m.protect('read', { offset: 0, length: page })
      t.is(caught(t, () => m.seal(['write'])).code, 'EBUSY')
      t.is(caught(t, () => m.setUint8(0, 1)).code, 'EACCES')
      m.bytes[0] = 9
      t.is(other.getUint8(0), 0)
      t.is(m.fault?.kind, 'protected')
    }),
  )
  using(SharedMemory.anonymous(page), (m) => {
    m.write('secret', 0)
    m.protect('none')
    sealWriting(m)
    t.is(caught(t, () => m.read(0, 6)).code, 'EACCES')
    t.is(typeof m.bytes[0], 'number')
    t.is(m.fault?.kind, 'protected')
  })
})

sealed('whoever comes by a handle from before the seal can read only', (t) => {
  using(SharedMemory.anonymous(size), (m) => {
    const handle = m.share()
    sealWriting(m)
    using(Mapping.from(handle), (late) => {
      t.is(late.access, 'read')
      for (let turn = 0; turn < 20; turn++) fails(t, () => late.setUint8(turn, 1), 'EACCES')
      t.is(late.fault, null)
    })
  })
})
