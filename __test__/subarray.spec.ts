import { readFileSync } from 'node:fs'
import test from 'ava'
import { AnonymousMemory, MappedFile } from '../index'
import { counting, file, page, throwsCoded, using } from './helpers'

const size = 2 * page + 77
const content = counting(size)
const edges = [
  undefined,
  0,
  1,
  -1,
  page - 1,
  page,
  page + 1,
  size - 1,
  size,
  size + 1,
  -size,
  -size - 1,
  2 ** 40,
  -(2 ** 40),
]
const odd = [1.9, -1.9, Number.NaN, Infinity, -Infinity, -0]

test('every pair of begin and end means what Buffer.subarray means', (t) => {
  using(MappedFile.openSync(file(content)), (m) => {
    for (const begin of [...edges, ...odd]) {
      for (const end of [...edges, ...odd]) {
        const expected = content.subarray(begin, end)
        const part = m.subarray(begin, end)
        t.true(Buffer.isBuffer(part))
        if (part.compare(expected) !== 0) t.fail(`${begin}, ${end}: ${part.length} bytes, not ${expected.length}`)
      }
    }
  })
})

test('with an offset inside of a page it counts from the offset', (t) => {
  using(MappedFile.openSync(file(content), { offset: 33 }), (m) => {
    t.deepEqual(Buffer.from(m.subarray(0, 5)), content.subarray(33, 38))
    t.deepEqual(Buffer.from(m.subarray(page - 33, page)), content.subarray(page, page + 33))
    t.deepEqual(Buffer.from(m.subarray(-3)), content.subarray(-3))
  })
})

test('windows anywhere in a larger file have its bytes, near each other, far, growing and overlapping', (t) => {
  const large = counting(9 << 20)
  using(MappedFile.openSync(file(large)), (m) => {
    let seed = 1
    const next = (below: number) => (seed = (seed * 48_271) % 0x7fffffff) % below
    const held: { window: Buffer; begin: number }[] = []
    const check = (begin: number, length: number) => {
      const window = m.subarray(begin, begin + length)
      const expected = large.subarray(begin, begin + length)
      if (window.compare(expected) !== 0) t.fail(`wrong bytes at ${begin}, ${length}`)
      held.push({ window, begin })
    }
    for (let i = 0; i < 2000; i++) check(next(large.length), 1 + next(300))
    for (let begin = 0; begin < large.length; begin += 10_007) check(begin, 200)
    for (let begin = large.length - 4096; begin > 0; begin -= 70_001) check(begin, 4096)
    for (let length = 1; length <= large.length; length *= 3) check(next(large.length - length), length)
    for (let i = 0; i < 500; i++) check(next(1 << 16), 1 + next(1 << 16))
    // None of them has moved under the feet of those who hold it.
    for (const { window, begin } of held) {
      if (window.compare(large.subarray(begin, begin + window.length)) !== 0) t.fail(`changed: ${begin}`)
    }
    t.true(held.length > 3000)
    const one = held.at(-1)!.window
    m.close()
    t.is(one.length, 0)
    t.true(held.every(({ window }) => window.length === 0))
  })
})

test('windows see each other’s stores and the file has them', (t) => {
  const path = file(content)
  using(MappedFile.openSync(path, { access: 'write' }), (m) => {
    const [a, b] = [m.subarray(page - 5, page + 5), m.subarray(page)]
    a[7] = 111
    t.is(b[2], 111)
    b[3] = 112
    t.is(a[8], 112)
    t.deepEqual([...readFileSync(path).subarray(page + 2, page + 4)], [111, 112])
  })
})

test('an empty window is an empty Buffer', (t) => {
  using(AnonymousMemory.create(10), (m) => {
    for (const window of [m.subarray(3, 3), m.subarray(5, 2), m.subarray(10), m.subarray(99, 100)])
      t.is(window.length, 0)
  })
})

test('wrong arguments are told', (t) => {
  using(AnonymousMemory.create(10), (m) => {
    for (const value of ['1', null, {}, 1n, true]) {
      throwsCoded(t, () => m.subarray(value as never), 'ERR_INVALID_ARG_TYPE', 'begin')
      throwsCoded(t, () => m.subarray(0, value as never), 'ERR_INVALID_ARG_TYPE', 'end')
    }
  })
})

test('after close it throws', (t) => {
  const m = AnonymousMemory.create(10)
  m.close()
  throwsCoded(t, () => m.subarray(), 'ERR_INVALID_STATE')
  throwsCoded(t, () => m.subarray('1' as never), 'ERR_INVALID_STATE')
})
