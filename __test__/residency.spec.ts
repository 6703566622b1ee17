import { chmodSync, closeSync, fsyncSync, openSync } from 'node:fs'
import test from 'ava'
import { AnonymousMemory, MappedFile, Mapping, SharedMemory } from '../index'
import { counting, file, onWindows, page, sparse, throwsCoded, unless, using } from './helpers'
import { asNobody, elsewhere } from './systems'

import type { Residency } from '../index'

const resides = unless(!Mapping.isSupported('residency') && 'this system does not tell')
const cached = unless(
  !Mapping.isSupported('residency')
    ? 'this system does not tell'
    : onWindows && 'Windows tells of the working set, not of its cache',
)

/** The numbers of the pages whose bits are set: one bit a page, lowest first. */
function pagesOf({ bitmap, pages }: Residency): number[] {
  return Array.from({ length: pages }, (_, i) => i).filter((i) => ((bitmap[i >> 3]! >> (i & 7)) & 1) === 1)
}

resides('memory is resident where it was touched: one bit a page, lowest first', (t) => {
  const pages = 21
  using(AnonymousMemory.create(pages * page), (m) => {
    if (Mapping.isSupported('nohugepage')) m.advise('nohugepage')
    const before = m.residency()
    t.deepEqual(
      { ...before, bitmap: [...before.bitmap] },
      { pageSize: page, pages, resident: 0, bitmap: [0, 0, 0], exact: true },
    )
    for (const i of [0, 3, 8, 20]) m.setUint8(i * page, 1)
    const after = m.residency()
    t.true(after.bitmap instanceof Uint8Array)
    t.is(after.bitmap.length, 3)
    t.deepEqual(pagesOf(after), [0, 3, 8, 20])
    t.is(after.resident, 4)
    t.deepEqual([...after.bitmap], [0b1001, 0b1, 0b10000])
  })
})

resides('a range counts the pages that it touches, from its own first', (t) => {
  using(AnonymousMemory.create(8 * page), (m) => {
    if (Mapping.isSupported('nohugepage')) m.advise('nohugepage')
    m.setUint8(3 * page, 1)
    const { pages, resident, bitmap } = m.residency({ offset: 3 * page - 1, length: 2 })
    t.is(pages, 2)
    t.is(resident, 1)
    t.deepEqual([...bitmap], [0b10])
    t.is(m.residency({ offset: 3 * page, length: 1 }).pages, 1)
    t.is(m.residency({ offset: 3 * page + 1, length: page }).pages, 2)
    const none = m.residency({ offset: 8 * page })
    t.deepEqual([none.pages, none.resident, none.bitmap.length], [0, 0, 0])
  })
})

resides('an offset within a page counts that page', (t) => {
  using(MappedFile.openSync(file(counting(2 * page)), { offset: page - 1, length: 2 }), (m) => {
    t.is(m.residency().pages, 2)
    t.is(m.residency({ offset: 1 }).pages, 1)
  })
})

cached('pages of a file that was written are resident, holes that nobody read are not', (t) => {
  using(MappedFile.openSync(file(counting(9 * page))), (m) => {
    const { pages, resident, exact } = m.residency()
    t.deepEqual([pages, resident, exact], [9, 9, true])
  })
  using(MappedFile.openSync(sparse(9 * page)), (m) => {
    m.advise('random')
    t.is(m.residency().resident, 0)
    m.getUint8(4 * page)
    t.deepEqual(pagesOf(m.residency()), [4])
  })
})

resides('more pages than the system is asked for at once', (t) => {
  const pages = 10_000
  using(AnonymousMemory.create(pages * page, { noReserve: true }), (m) => {
    if (Mapping.isSupported('nohugepage')) m.advise('nohugepage')
    const touched = [1, 4095, 4096, 4097, 8191, 8192, 9999]
    for (const i of touched) m.setUint8(i * page, 1)
    t.deepEqual(pagesOf(m.residency()), touched)
  })
})

resides('shared memory tells exactly', (t) => {
  using(SharedMemory.anonymous(4 * page), (m) => {
    t.is(m.residency().resident, 0)
    m.setUint8(2 * page, 1)
    const after = m.residency()
    t.deepEqual(pagesOf(after), [2])
    t.true(after.exact)
  })
})

asNobody('who may not write a file and does not own it is told that all is resident: exact is false', async (t) => {
  const foreign = sparse(4 * page)
  const open = sparse(4 * page)
  const fd = openSync(open, 'r+')
  fsyncSync(fd)
  closeSync(fd)
  chmodSync(foreign, 0o644)
  chmodSync(open, 0o666)
  const answer = await elsewhere(
    `return JSON.parse(process.env.TARGETS).map((path) => {
      const m = MappedFile.openSync(path)
      const { resident, exact } = m.residency()
      m.close()
      return [resident, exact]
    }).concat([[AnonymousMemory.create(5).residency().exact]])`,
    { nobody: true, env: { TARGETS: JSON.stringify([foreign, open]) } },
  )
  t.deepEqual(answer, [[4, false], [0, true], [true]])
})

cached('populate brings all pages in at open, and copies none', async (t) => {
  for (const access of ['read', 'write', 'copy'] as const) {
    const path = sparse(6 * page)
    using(MappedFile.openSync(path, { access, advice: 'random' }), (m) => t.is(m.residency().resident, 0))
    using(MappedFile.openSync(path, { access, populate: true }), (m) => {
      t.is(m.residency().resident, 6)
      t.is(m.compare(Buffer.alloc(6 * page)), 0)
    })
    const other = sparse(6 * page)
    using(await MappedFile.open(other, { access, populate: true, offset: page + 1, length: page }), (m) => {
      t.is(m.residency().resident, 2)
    })
  }
})

test('an empty mapping has no pages', (t) => {
  using(MappedFile.openSync(file('')), (m) => {
    const { pages, resident, bitmap } = m.residency()
    t.deepEqual([pages, resident, bitmap.length], [0, 0, 0])
  })
})

test('wrong arguments', (t) => {
  using(AnonymousMemory.create(page), (m) => {
    throwsCoded(t, () => m.residency({ offset: page + 1 }), 'ERR_OUT_OF_RANGE')
    throwsCoded(t, () => m.residency({ offset: 1, length: page }), 'ERR_OUT_OF_RANGE')
    throwsCoded(t, () => m.residency({ begin: 1 } as never), 'ERR_INVALID_ARG_VALUE', 'begin')
    throwsCoded(t, () => m.residency(1 as never), 'ERR_INVALID_ARG_TYPE')
  })
})

test('after close there is nothing to ask', (t) => {
  const m = AnonymousMemory.create(page)
  m.close()
  throwsCoded(t, () => m.residency(), 'ERR_INVALID_STATE')
})
