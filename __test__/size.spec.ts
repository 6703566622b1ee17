import { appendFileSync, truncateSync } from 'node:fs'
import test from 'ava'
import { AnonymousMemory, MappedFile } from '../index'
import { counting, file, onWindows, page, throwsCoded, unless, using } from './helpers'

test('it is the length of the file, not of the mapping', (t) => {
  const path = file(counting(page + 1))
  for (const range of [{}, { offset: 7 }, { length: 0 }, { offset: page, length: 1 }]) {
    using(MappedFile.openSync(path, range), (m) => t.is(m.size(), page + 1))
  }
})

test('a file that grows or shrinks behind its mapping is told with its length now', (t) => {
  const path = file(counting(page))
  using(MappedFile.openSync(path), (m) => {
    appendFileSync(path, Buffer.alloc(page))
    t.is(m.size(), 2 * page)
    t.is(m.byteLength, page)
  })
})

unless(onWindows && 'Windows refuses to cut a file that is mapped')(
  'a file that was cut is told with its length now',
  (t) => {
    const path = file(counting(page))
    using(MappedFile.openSync(path), (m) => {
      truncateSync(path, 5)
      t.is(m.size(), 5)
      t.is(m.byteLength, page)
      truncateSync(path, page)
      t.is(m.size(), page)
    })
  },
)

test('memory without a file has its own length', (t) => {
  for (const length of [0, 1, page + 1]) using(AnonymousMemory.create(length), (m) => t.is(m.size(), length))
})

test('after close it throws', (t) => {
  const m = MappedFile.openSync(file('x'))
  m.close()
  throwsCoded(t, () => m.size(), 'ERR_INVALID_STATE')
})
