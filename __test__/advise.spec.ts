import { readFileSync } from 'node:fs'
import test from 'ava'
import { AnonymousMemory, MappedFile, Mapping, SharedMemory } from '../index'
import { caught, counting, file, onLinux, page, throwsCoded, unless, using } from './helpers'
import { books, fails, withBooks } from './systems'

import type { Advice } from '../index'

const ALL: readonly Advice[] = [
  'normal', 'random', 'sequential', 'willneed', 'cold', 'pageout', 'hugepage', 'nohugepage', 'dontdump', 'dodump', 'dontfork', 'dofork',
  'mergeable', 'unmergeable',
] // prettier-ignore
const size = 5 * page + 77

for (const advice of ALL) {
  unless(!Mapping.isSupported(advice) && `this system has no '${advice}'`)(
    `'${advice}' loses nothing, whatever is mapped how`,
    (t) => {
      const path = file(counting(size))
      for (const access of ['read', 'write', 'copy'] as const) {
        using(MappedFile.openSync(path, { access }), (m) => {
          const expected = counting(size)
          if (access !== 'read') {
            m.setUint8(page + 3, 99)
            expected[page + 3] = 99
          }
          t.is(m.advise(advice), undefined)
          m.advise(advice, { offset: page + 1, length: 2 })
          m.advise(advice, { offset: size })
          m.advise(advice, { offset: 7, length: 0 })
          t.is(m.compare(expected), 0)
          if (access === 'write') m.setUint8(page + 3, counting(size)[page + 3]!)
        })
      }
      using(AnonymousMemory.create(size), (m) => {
        m.fill(7)
        m.advise(advice)
        t.is(m.compare(Buffer.alloc(size, 7)), 0)
      })
      t.deepEqual(readFileSync(path), counting(size))
    },
  )
}

unless(!onLinux && 'madvise of Linux')('shared memory takes them, too', (t) => {
  using(SharedMemory.anonymous(size), (m) => {
    m.fill(3)
    for (const advice of ALL.filter((one) => Mapping.isSupported(one))) m.advise(advice)
    t.is(m.compare(Buffer.alloc(size, 3)), 0)
  })
})

withBooks('the kernel hears of it, for the pages that the range touches', (t) => {
  using(MappedFile.openSync(file(counting(4 * page))), (m) => {
    m.advise('random', { offset: page + 5, length: 1 })
    const flags = books(m)
    t.true(flags.flags.has('rr'))
    t.is(flags.rights.length, 3)
    m.advise('normal')
    t.false(books(m).flags.has('rr'))
    m.advise('sequential')
    t.true(books(m).flags.has('sr'))
    m.advise('dontdump')
    t.true(books(m).flags.has('dd'))
    m.advise('dodump')
    t.false(books(m).flags.has('dd'))
    m.advise('dontfork')
    t.true(books(m).flags.has('dc'))
  })
})

withBooks('the option advises the whole mapping at open', async (t) => {
  const path = file(counting(4 * page))
  for (const m of [
    MappedFile.openSync(path, { advice: 'sequential' }),
    await MappedFile.open(path, { advice: 'sequential' }),
  ]) {
    using(m, () => {
      t.true(books(m).flags.has('sr'))
      t.is(m.compare(counting(4 * page)), 0)
    })
  }
})

unless(Mapping.isSupported('mergeable') && 'this system has every advice')(
  'an advice that the system lacks is ENOTSUP',
  (t) => {
    const path = file(counting(10))
    using(MappedFile.openSync(path), (m) => fails(t, () => m.advise('mergeable'), 'ENOTSUP'))
    fails(t, () => MappedFile.openSync(path, { advice: 'mergeable' }), 'ENOTSUP')
  },
)

test('an empty mapping takes any advice', (t) => {
  using(MappedFile.openSync(file('')), (m) => t.is(m.advise('willneed'), undefined))
})

test('wrong arguments touch nothing', (t) => {
  using(MappedFile.openSync(file(counting(size))), (m) => {
    throwsCoded(t, () => m.advise('dontneed' as never), 'ERR_INVALID_ARG_VALUE', 'advice')
    throwsCoded(t, () => m.advise('remove' as never), 'ERR_INVALID_ARG_VALUE')
    throwsCoded(t, () => m.advise(4 as never), 'ERR_INVALID_ARG_TYPE')
    throwsCoded(t, () => m.advise(undefined as never), 'ERR_INVALID_ARG_TYPE')
    throwsCoded(t, () => m.advise('normal', { offset: size + 1 }), 'ERR_OUT_OF_RANGE', 'offset')
    throwsCoded(t, () => m.advise('normal', { offset: 1, length: size }), 'ERR_OUT_OF_RANGE', 'length')
    throwsCoded(t, () => m.advise('normal', { length: 1.5 }), 'ERR_OUT_OF_RANGE')
    throwsCoded(t, () => m.advise('normal', { begin: 0 } as never), 'ERR_INVALID_ARG_VALUE', 'begin')
    throwsCoded(t, () => m.advise('normal', 5 as never), 'ERR_INVALID_ARG_TYPE')
  })
  throwsCoded(t, () => MappedFile.openSync(file('x'), { advice: 'free' as never }), 'ERR_INVALID_ARG_VALUE', 'advice')
})

test('after close there is nothing to advise', (t) => {
  const m = MappedFile.openSync(file(counting(10)))
  m.close()
  throwsCoded(t, () => m.advise('normal'), 'ERR_INVALID_STATE')
})

unless(!Mapping.isSupported('cold') && `this system has no 'cold'`)(
  'what is no advice for locked pages is not called unknown',
  (t) => {
    using(AnonymousMemory.create(size), (m) => {
      m.lock()
      t.not(caught(t, () => m.advise('cold')).code, 'ENOTSUP')
      m.unlock()
      m.advise('cold')
    })
  },
)
