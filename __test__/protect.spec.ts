import { readFileSync } from 'node:fs'
import test from 'ava'
import { AnonymousMemory, MappedFile, Mapping, SharedMemory } from '../index'
import {
  caught,
  counting,
  deniedPages,
  file,
  isSystemError,
  page,
  reserving,
  throwsCoded,
  underWine,
  unless,
  using,
} from './helpers'
import { books, disk, fails, withBooks } from './systems'

import type { ExecutionContext } from 'ava'
import type { Protection } from '../index'

const size = 4 * page

/** Every checked method that reads, and every one that writes, a byte at `at`. */
const readers = (m: Mapping, at: number): (() => unknown)[] => [
  () => m.getUint8(at),
  () => m.getInt16(at - 1),
  () => m.read(at, 1),
  () => m.readInto(Buffer.alloc(3), at - 1),
  () => m.compare(Buffer.alloc(at + 1)),
]
const writers = (m: Mapping, at: number): (() => unknown)[] => [
  () => m.setUint8(at, 0xaa),
  () => m.setUint32(at - 3, 0xaaaaaaaa),
  () => m.write('x', at),
  () => m.fill(0xaa, at, at + 1),
  () => m.copyWithin(at, 0, 1),
]

function areDenied(t: ExecutionContext, actions: (() => unknown)[], path: string | undefined): void {
  for (const action of actions)
    isSystemError(t, caught(t, action), { code: 'EACCES', ...(path === undefined ? {} : { path }) })
}

test("'read' stops checked writers with EACCES, and nobody else", (t) => {
  const path = file(counting(size))
  using(MappedFile.openSync(path, { access: 'write' }), (m) => {
    t.is(m.protect('read', { offset: page + 7, length: 1 }), undefined)
    // The whole page, and no byte more.
    areDenied(t, [...writers(m, page), ...writers(m, 2 * page - 1)], path)
    for (const action of readers(m, page)) action()
    m.setUint8(page - 1, 1)
    m.setUint8(2 * page, 2)
    m.protect('write')
    for (const action of writers(m, page + 4)) action()
  })
  t.not(readFileSync(path)[page + 4], counting(size)[page + 4])
})

test("'none' stops readers, too", (t) => {
  using(AnonymousMemory.create(size), (m) => {
    m.write(counting(size), 0)
    m.protect('none', { offset: page, length: page })
    areDenied(t, [...readers(m, page + 5), ...writers(m, page + 5)], undefined)
    areDenied(t, [() => m.copyWithin(0, page, page + 1)], undefined)
    t.is(m.getUint8(page - 1), counting(size)[page - 1])
    t.is(m.getUint8(2 * page), counting(size)[2 * page])
    m.protect('read', { offset: page, length: page })
    t.is(m.compare(counting(size)), 0)
    areDenied(t, writers(m, page + 5), undefined)
    m.protect('write', { offset: page, length: page })
    m.setUint8(page, 1)
    t.is(m.getUint8(page), 1)
  })
})

withBooks('the kernel knows, for whole pages', (t) => {
  using(MappedFile.openSync(file(counting(size)), { access: 'write' }), (m) => {
    m.protect('read', { offset: page, length: 1 })
    m.protect('none', { offset: 2 * page, length: 1 })
    t.deepEqual(books(m).rights, ['rw-s', 'r--s', '---s', 'rw-s'])
    m.protect('write')
    t.deepEqual(books(m).rights, ['rw-s'])
  })
})

withBooks("'exec' is read and execute, never with write", (t) => {
  for (const m of [
    AnonymousMemory.create(size),
    SharedMemory.anonymous(size),
    MappedFile.openSync(file(counting(size))),
    MappedFile.openSync(file(counting(size)), { access: 'copy' }),
  ]) {
    using(m, () => {
      m.protect('exec', { offset: 0, length: page })
      t.is(books(m).rights[0]!.slice(0, 3), 'r-x')
      fails(t, () => m.setUint8(0, 1), 'EACCES')
      t.is(typeof m.getUint8(0), 'number')
      t.false(books(m).rights.some((rights) => rights.includes('wx')))
    })
  }
})

test("'write' never widens what the mapping was opened for", (t) => {
  const path = file(counting(size))
  using(MappedFile.openSync(path), (m) => {
    fails(t, () => m.protect('write'), 'EACCES', 'mprotect')
    m.protect('none')
    fails(t, () => m.getUint8(0), 'EACCES')
    m.protect('read')
    t.is(m.compare(counting(size)), 0)
  })
})

const unguarded = !Mapping.isSupported('faultGuard') && 'needs the guard'
const guarded = unless(unguarded)

unless(unguarded || (underWine && 'wine would let the store through to the file, so the guard does not help'))(
  "a store through a view of a closed page is a 'protected' fault: that page is a private copy, the process lives",
  (t) => {
    const path = file(counting(size))
    using(MappedFile.openSync(path, { access: 'write' }), (m) => {
      const view = m.view(Uint8Array)
      m.protect('read', { offset: page, length: page })
      view[page + 3] = 0xee
      t.is(m.fault?.kind, 'protected')
      t.is(m.fault?.offset, page + 3)
      t.is(view[page + 3], 0xee)
      t.is(view[page + 4], counting(size)[page + 4])
      m.clearFault()
      t.is(m.fault, null)
      t.is(view[page + 3], counting(size)[page + 3])
      // The protection came back with the file's page.
      view[page + 9] = 0xee
      t.is(m.fault?.kind, 'protected')
      fails(t, () => m.setUint8(page, 1), 'EACCES')
    })
    t.deepEqual(readFileSync(path), counting(size))
  },
)

unless(unguarded || deniedPages || (underWine && 'wine would let the store through to the file'))(
  "what is stored after protect('write') reaches the file, whatever went astray before",
  (t) => {
    const path = file(counting(size))
    using(MappedFile.openSync(path, { access: 'write' }), (m) => {
      m.protect('read')
      m.bytes[0] = 1
      m.bytes[2 * page] = 1
      t.is(m.fault?.kind, 'protected')
      m.protect('write', { offset: 0, length: page })
      t.is(m.fault, null)
      t.deepEqual([m.getUint8(0), m.getUint8(2 * page)], [counting(size)[0], counting(size)[2 * page]])
      m.setUint8(1, 55)
      m.bytes[2] = 56
      m.flushSync()
      t.deepEqual([...readFileSync(path).subarray(0, 3)], [counting(1)[0], 55, 56])
      fails(t, () => m.setUint8(2 * page, 1), 'EACCES')
    })
  },
)

guarded("a load through a view of a 'none' page is a 'protected' fault, whose bytes are still right", (t) => {
  for (const m of [MappedFile.openSync(file(counting(size))), AnonymousMemory.create(size)]) {
    using(m, () => {
      if (m.access === 'write') m.write(counting(size), 0)
      const view = m.view(Uint8Array)
      m.protect('none', { offset: 2 * page, length: page })
      t.is(view[2 * page + 1], counting(size)[2 * page + 1])
      t.deepEqual(m.fault, { kind: 'protected', offset: 2 * page + 1 })
    })
  }
})

test('later words win, whatever the order, as a plain model says', (t) => {
  const pages = 12
  const kinds: Protection[] = ['none', 'read', 'write', 'exec']
  using(AnonymousMemory.create(pages * page), (m) => {
    const model = new Array<Protection>(pages).fill('write')
    let seed = 7
    const next = (limit: number) => {
      seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31
      return (seed >>> 8) % limit
    }
    for (let round = 0; round < 400; round++) {
      const from = next(pages)
      const count = 1 + next(pages - from)
      const kind = kinds[next(kinds.length)]!
      m.protect(kind, { offset: from * page, length: count * page })
      model.fill(kind, from, from + count)
      for (const [i, expected] of model.entries()) {
        const at = i * page
        const reads = attempt(() => m.getUint8(at))
        const writes = attempt(() => m.setUint8(at, 1))
        t.is(reads, expected === 'none' ? 'EACCES' : 'done')
        t.is(writes, expected === 'write' ? 'done' : 'EACCES')
      }
    }
  })
})

function attempt(action: () => void): string | undefined {
  try {
    action()
    return 'done'
  } catch (error) {
    return (error as NodeJS.ErrnoException).code
  }
}

reserving('a resize keeps what was protected, and gives fresh pages none', (t) => {
  using(AnonymousMemory.create(2 * page), (m) => {
    m.write(counting(2 * page), 0)
    m.protect('none', { offset: page, length: page })
    m.resize(8 * page)
    fails(t, () => m.getUint8(page), 'EACCES')
    m.setUint8(2 * page, 1)
    m.protect('read', { offset: page, length: page })
    t.deepEqual(m.read(0, 2 * page), counting(2 * page))
    m.resize(page)
    m.resize(2 * page)
    m.setUint8(page, 9)
    t.is(m.getUint8(page), 9)
  })
  const path = file(counting(4 * page))
  using(MappedFile.openSync(path, { access: 'write', capacity: 16 * page }), (m) => {
    m.protect('read', { offset: 2 * page, length: 2 * page })
    m.resize(3 * page)
    m.resize(6 * page)
    fails(t, () => m.setUint8(2 * page, 1), 'EACCES')
    m.setUint8(3 * page, 7)
    m.bytes[3 * page + 1] = 8
    t.is(m.fault, null)
  })
  t.deepEqual([...readFileSync(path).subarray(3 * page, 3 * page + 2)], [7, 8])
})

const noexec = disk('tmpfs', 'size=1m,noexec')
unless(noexec.problem, test.serial)("a file system without execution refuses 'exec' and the option", (t) => {
  if (noexec.problem !== undefined) return
  const path = `${noexec.path}/code`
  using(MappedFile.openSync(path, { access: 'write', create: true, length: page }), (m) => {
    fails(t, () => m.protect('exec'), 'EACCES', 'mprotect')
    m.setUint8(0, 1)
  })
  fails(t, () => MappedFile.openSync(path, { exec: true }), 'EPERM', 'mmap')
})

withBooks('the option exec maps for reading and execution', async (t) => {
  const path = file(counting(size))
  for (const m of [MappedFile.openSync(path, { exec: true }), await MappedFile.open(path, { exec: true })]) {
    using(m, () => {
      t.is(books(m).rights[0]!.slice(0, 3), 'r-x')
      t.is(m.compare(counting(size)), 0)
      m.protect('read')
      t.is(books(m).rights[0]!.slice(0, 3), 'r--')
      fails(t, () => m.protect('write'), 'EACCES')
    })
  }
})

test('the option exec goes with nothing that writes', (t) => {
  for (const access of ['write', 'copy'] as const) {
    throwsCoded(t, () => MappedFile.openSync(file('x'), { exec: true, access }), 'ERR_INVALID_ARG_VALUE', 'exec')
  }
})

test('empty ranges protect nothing', (t) => {
  using(AnonymousMemory.create(page), (m) => {
    m.protect('none', { offset: 5, length: 0 })
    m.setUint8(5, 1)
    t.is(m.getUint8(5), 1)
  })
  using(AnonymousMemory.create(0), (m) => t.is(m.protect('none'), undefined))
})

test('wrong arguments protect nothing', (t) => {
  using(AnonymousMemory.create(page), (m) => {
    throwsCoded(t, () => m.protect('readwrite' as never), 'ERR_INVALID_ARG_VALUE', 'protection')
    throwsCoded(t, () => m.protect(3 as never), 'ERR_INVALID_ARG_TYPE', 'protection')
    throwsCoded(t, () => m.protect('none', { offset: page + 1 }), 'ERR_OUT_OF_RANGE')
    throwsCoded(t, () => m.protect('none', { length: page + 1 }), 'ERR_OUT_OF_RANGE')
    throwsCoded(t, () => m.protect('none', { len: 1 } as never), 'ERR_INVALID_ARG_VALUE', 'len')
    m.setUint8(0, 1)
    t.is(m.getUint8(0), 1)
  })
})

test('after close there is nothing to protect', (t) => {
  const m = AnonymousMemory.create(page)
  m.close()
  throwsCoded(t, () => m.protect('read'), 'ERR_INVALID_STATE')
})
