import { readFileSync, statSync } from 'node:fs'
import test from 'ava'
import { AnonymousMemory, MappedFile, SharedMemory } from '../index'
import { counting, file, linuxOnly, onWindows, page, throwsCoded, underWine, unless, using } from './helpers'
import { disk, fails } from './systems'

const size = 6 * page + 123
const RANGES = [
  { offset: 0, length: size },
  { offset: page, length: 2 * page },
  { offset: 10, length: 20 },
  { offset: page - 1, length: 2 },
  { offset: page - 1, length: page + 2 },
  { offset: 5 * page + 7, length: size - 5 * page - 7 },
  { offset: size - 1, length: 1 },
  { offset: 17, length: 0 },
  { offset: 3, length: size - 3 },
]

test('anonymous memory becomes zeros, exactly there', (t) => {
  for (const range of RANGES) {
    using(AnonymousMemory.create(size), (m) => {
      m.write(counting(size), 0)
      t.is(m.discard(range), undefined)
      t.is(m.compare(counting(size).fill(0, range.offset, range.offset + range.length)), 0)
      m.fill(9)
      t.is(m.compare(Buffer.alloc(size, 9)), 0)
    })
  }
})

unless(underWine && 'wine takes PAGE_REVERT_TO_FILE_MAP and reverts nothing')(
  "a 'copy' shows the file's bytes again, exactly there",
  (t) => {
    const path = file(counting(size))
    for (const offset of [0, 5]) {
      for (const range of RANGES.filter((one) => one.offset + one.length <= size - offset)) {
        using(MappedFile.openSync(path, { access: 'copy', offset }), (m) => {
          const expected = Buffer.alloc(size - offset, 0xee)
          m.fill(0xee)
          m.discard(range)
          counting(size).copy(expected, range.offset, offset + range.offset, offset + range.offset + range.length)
          t.is(m.compare(expected), 0)
        })
      }
    }
    t.deepEqual(readFileSync(path), counting(size))
  },
)

const punched = ['linux', 'android', 'darwin', 'win32'].includes(process.platform)
const holes = unless(
  punched ? underWine && 'wine knows no FSCTL_SET_ZERO_DATA' : 'this system is asked for no holes: discard is ENOTSUP',
)

holes("a 'write' file gets a hole, exactly there", (t) => {
  for (const range of RANGES) {
    const expected = counting(size).fill(0, range.offset, range.offset + range.length)
    const path = file(counting(size))
    using(MappedFile.openSync(path, { access: 'write' }), (m) => {
      m.discard(range)
      t.is(m.compare(expected), 0)
    })
    t.deepEqual(readFileSync(path), expected)
  }
})

linuxOnly('shared memory gets a hole, exactly there', (t) => {
  for (const range of RANGES) {
    using(SharedMemory.anonymous(size), (m) => {
      m.write(counting(size), 0)
      m.discard(range)
      t.is(m.compare(counting(size).fill(0, range.offset, range.offset + range.length)), 0)
    })
  }
})

holes('a window leaves alone what the file has on either side of it, also in the pages where it ends', (t) => {
  const path = file(counting(8 * page))
  const [offset, length] = [page + 100, 3 * page]
  using(MappedFile.openSync(path, { access: 'write', offset, length }), (m) => m.discard({ offset: 0, length }))
  t.deepEqual(readFileSync(path), counting(8 * page).fill(0, offset, offset + length))
  const all = file(counting(8 * page))
  using(MappedFile.openSync(all, { access: 'write', offset: page, length: 3 * page - 1 }), (m) => m.discard({}))
  t.deepEqual(readFileSync(all), counting(8 * page).fill(0, page, 4 * page - 1))
})

const freeing = onWindows ? unless('Windows frees the blocks of sparse files only') : holes
freeing('the blocks of a hole are free', (t) => {
  const path = file(Buffer.alloc(1 << 20, 1))
  using(MappedFile.openSync(path, { access: 'write' }), (m) => {
    m.flushSync()
    const before = statSync(path).blocks
    m.discard({ offset: 0, length: 1 << 19 })
    t.true(statSync(path).blocks <= before / 2 + 16, `${before} -> ${statSync(path).blocks}`)
    t.is(m.size(), 1 << 20)
  })
})

const ramfs = disk('ramfs', 'mode=700')
unless(ramfs.problem, test.serial)('a file system without holes is ENOTSUP, and keeps every byte', (t) => {
  if (ramfs.problem !== undefined) return
  const path = `${ramfs.path}/file`
  using(MappedFile.openSync(path, { access: 'write', create: true, length: 4 * page }), (m) => {
    m.fill(5)
    fails(t, () => m.discard({ offset: page - 7, length: 2 * page }), 'ENOTSUP', 'fallocate')
    t.is(m.compare(Buffer.alloc(4 * page, 5)), 0)
  })
})

test("'read' is EACCES, also for no bytes", (t) => {
  const path = file(counting(size))
  using(MappedFile.openSync(path), (m) => {
    for (const range of [
      { offset: 0, length: 1 },
      { offset: 1, length: 0 },
    ]) {
      fails(t, () => m.discard(range), 'EACCES', 'madvise')
    }
  })
  t.deepEqual(readFileSync(path), counting(size))
})

test('pages that protect closed are EACCES', (t) => {
  using(AnonymousMemory.create(3 * page), (m) => {
    m.fill(1)
    m.protect('read', { offset: page, length: 1 })
    fails(t, () => m.discard({ offset: 0, length: page + 1 }), 'EACCES')
    m.discard({ offset: 0, length: page })
    t.is(m.getUint8(0), 0)
    t.is(m.getUint8(page), 1)
  })
})

test('wrong arguments drop nothing; a range must be given', (t) => {
  using(AnonymousMemory.create(size), (m) => {
    m.fill(1)
    throwsCoded(t, () => m.discard(undefined as never), 'ERR_INVALID_ARG_TYPE', 'range')
    throwsCoded(t, () => m.discard(null as never), 'ERR_INVALID_ARG_TYPE')
    throwsCoded(t, () => m.discard({ offset: size + 1 }), 'ERR_OUT_OF_RANGE')
    throwsCoded(t, () => m.discard({ offset: 0, length: size + 1 }), 'ERR_OUT_OF_RANGE')
    throwsCoded(t, () => m.discard({ offset: -1 }), 'ERR_OUT_OF_RANGE')
    throwsCoded(t, () => m.discard({ from: 1 } as never), 'ERR_INVALID_ARG_VALUE', 'from')
    t.is(m.compare(Buffer.alloc(size, 1)), 0)
  })
})

test('after close there is nothing to drop', (t) => {
  const m = AnonymousMemory.create(page)
  m.close()
  throwsCoded(t, () => m.discard({ offset: 0, length: 1 }), 'ERR_INVALID_STATE')
})

linuxOnly('locked pages are dropped as others are, and stay locked', (t) => {
  const length = 2 * page
  using(AnonymousMemory.create(length), (m) => {
    m.fill(7)
    m.lock()
    m.discard({ offset: 0, length: page })
    t.is(m.compare(Buffer.concat([Buffer.alloc(page), Buffer.alloc(page, 7)])), 0)
  })
  for (const access of ['write', 'copy'] as const) {
    using(MappedFile.openSync(file(Buffer.alloc(length, 5)), { access, lock: true }), (m) => {
      m.fill(7)
      m.discard({ offset: 0, length: page })
      const before = Buffer.alloc(page, access === 'write' ? 0 : 5)
      t.is(m.compare(Buffer.concat([before, Buffer.alloc(page, 7)])), 0, access)
    })
  }
})
