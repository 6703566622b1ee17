import { readFileSync } from 'node:fs'
import test from 'ava'
import { AnonymousMemory, MappedFile } from '../index'
import { counting, file, page, throwsCoded, using } from './helpers'

for (const length of [0, 1, page - 1, page, page + 1, 70_000]) {
  test(`a file of ${length} bytes is one Buffer over all of it`, (t) => {
    const content = counting(length)
    using(MappedFile.openSync(file(content)), (m) => {
      t.true(Buffer.isBuffer(m.bytes))
      t.true(m.bytes.buffer instanceof ArrayBuffer)
      t.is(m.bytes.length, length)
      t.is(m.bytes.compare(content), 0)
      t.is(m.bytes.at(length), undefined)
    })
  })
}

test('it is always the same Buffer', (t) => {
  using(MappedFile.openSync(file(100)), (m) => t.is(m.bytes, m.bytes))
  using(MappedFile.openSync(file(0)), (m) => t.is(m.bytes, m.bytes))
})

test('stores through it are stores to the file, and writes to the file are seen through it', (t) => {
  const path = file(page + 10)
  using(MappedFile.openSync(path, { access: 'write' }), (m) => {
    const { bytes } = m
    bytes.write('through the view', page - 8)
    t.is(readFileSync(path, 'latin1').slice(page - 8, page + 8), 'through the view')
    m.write('from aside', 0)
    t.is(bytes.toString('latin1', 0, 10), 'from aside')
    t.is(m.read(page - 8, 7).toString(), 'through')
  })
})

test('with an offset inside of a page it begins at the offset, not at the page', (t) => {
  const content = counting(2 * page)
  const path = file(content)
  using(MappedFile.openSync(path, { offset: 100, access: 'write' }), (m) => {
    t.is(m.bytes[0], content[100])
    t.is(m.bytes.length, 2 * page - 100)
    m.bytes[0] = 255
    t.is(readFileSync(path)[100], 255)
  })
})

test('what one mapping exports, another does not see change by its closing', (t) => {
  const content = counting(page)
  const path = file(content)
  const [a, b] = [MappedFile.openSync(path), MappedFile.openSync(path)]
  const { bytes } = b
  t.is(a.bytes.length, page)
  a.close()
  t.is(bytes.length, page)
  t.deepEqual(Buffer.from(bytes), content)
  b.close()
  t.is(bytes.length, 0)
})

test('no ArrayBuffer of it is a copy: two views see each other', (t) => {
  using(AnonymousMemory.create(3 * page), (m) => {
    const part = m.subarray(page, page + 10)
    m.bytes[page + 3] = 42
    t.is(part[3], 42)
    part[4] = 43
    t.is(m.bytes[page + 4], 43)
    t.is(m.getUint8(page + 4), 43)
  })
})

test('after close it throws, and the one that was handed out is empty', (t) => {
  const m = MappedFile.openSync(file(100))
  const { bytes } = m
  m.close()
  t.is(bytes.length, 0)
  t.false(0 in bytes)
  throwsCoded(t, () => m.bytes, 'ERR_INVALID_STATE')
})
