// oxlint-disable unicorn/no-array-fill-with-reference-type -- a mapping is no array: its `fill` repeats bytes
import { readFileSync } from 'node:fs'
import test from 'ava'
import { AnonymousMemory, MappedFile } from '../index'
import { caught, counting, file, isSystemError, page, throwsCoded, using } from './helpers'

const size = page + 20
const content = counting(size)
const edges = [undefined, 0, 1, -1, page - 1, page, page + 1, size - 1, size, size + 1, -size, -size - 1, 2 ** 40]
const odd = [1.9, -1.9, Number.NaN, Infinity, -Infinity]

test('begin and end mean what TypedArray.fill means by them', (t) => {
  using(AnonymousMemory.create(size), (m) => {
    for (const begin of [...edges, ...odd]) {
      for (const end of [...edges, ...odd]) {
        m.write(content, 0)
        t.is(m.fill(0xee, begin, end), m)
        // V8 ignores `end` where `begin` is undefined (Node 20 and 22); the specification makes it 0.
        const expected = new Uint8Array(content).fill(0xee, begin ?? 0, end)
        if (m.compare(expected) !== 0) t.fail(`${begin}, ${end}`)
      }
    }
  })
})

test('text and bytes repeat, and the last may be cut', (t) => {
  const patterns = [
    'a',
    'abc',
    'ä🗺',
    Uint8Array.of(1),
    Uint8Array.of(1, 2, 3),
    Buffer.from('xyz'),
    counting(page),
    counting(2 * size),
  ]
  using(AnonymousMemory.create(size), (m) => {
    for (const pattern of patterns) {
      for (const [begin, end] of [
        [0, size],
        [1, 2],
        [3, 4 + 7],
        [page - 5, page + 6],
        [size - 1, size],
      ] as const) {
        m.write(content, 0)
        m.fill(pattern, begin, end)
        t.deepEqual(m.read(0, size), Buffer.from(content).fill(pattern, begin, end))
      }
    }
  })
})

test('numbers count modulo 256, and empty text is a zero byte, as in Buffer.fill', (t) => {
  using(AnonymousMemory.create(8), (m) => {
    for (const value of [0, 255, 256, -1, 1.9, 2 ** 32 + 5, Number.NaN]) {
      t.is(m.fill(9).fill(value).getUint8(7), Buffer.alloc(1).fill(value)[0])
    }
    t.is(m.fill(9).fill('').compare(new Uint8Array(8)), 0)
  })
})

test('a pattern without bytes is refused where there is something to fill', (t) => {
  using(AnonymousMemory.create(8), (m) => {
    throwsCoded(t, () => m.fill(new Uint8Array(0)), 'ERR_INVALID_ARG_VALUE', 'value')
    t.is(m.fill(new Uint8Array(0), 3, 3), m)
  })
})

test('a part of the mapping itself is a pattern', (t) => {
  using(AnonymousMemory.create(20), (m) => {
    m.write('abc', 0)
    m.fill(m.subarray(0, 3), 3, 10)
    t.is(m.read(0, 11).toString(), 'abcabcabca\0')
  })
})

test('it fills the file, and with an offset it counts from the offset', (t) => {
  const path = file(content)
  using(MappedFile.openSync(path, { access: 'write', offset: 9 }), (m) => m.fill('#', 1, 3))
  const expected = Buffer.from(content)
  expected.fill('#', 10, 12)
  t.deepEqual(readFileSync(path), expected)
})

test('a read mapping is EACCES', (t) => {
  const path = file(content)
  using(MappedFile.openSync(path), (m) => {
    isSystemError(
      t,
      caught(t, () => m.fill(0)),
      { code: 'EACCES', syscall: 'write', path },
    )
    t.is(m.compare(content), 0)
  })
})

test('wrong arguments are told, and nothing is filled', (t) => {
  using(AnonymousMemory.create(8), (m) => {
    for (const value of [undefined, null, 5n, true, [1], {}, new DataView(new ArrayBuffer(1)), new Uint16Array(1)]) {
      throwsCoded(t, () => m.fill(value as never), 'ERR_INVALID_ARG_TYPE', 'value')
    }
    for (const value of ['0', null, {}, 1n]) {
      throwsCoded(t, () => m.fill(1, value as never), 'ERR_INVALID_ARG_TYPE', 'begin')
      throwsCoded(t, () => m.fill(1, 0, value as never), 'ERR_INVALID_ARG_TYPE', 'end')
    }
    t.is(m.compare(new Uint8Array(8)), 0)
  })
})

test('after close it throws', (t) => {
  const m = AnonymousMemory.create(8)
  m.close()
  throwsCoded(t, () => m.fill(0), 'ERR_INVALID_STATE')
  throwsCoded(t, () => m.fill(undefined as never), 'ERR_INVALID_STATE')
})
