import { readFileSync } from 'node:fs'
import test from 'ava'
import { AnonymousMemory, MappedFile } from '../index'
import { caught, counting, file, isSystemError, page, throwsCoded, using } from './helpers'

const size = page + 20
const content = counting(size)
const edges = [0, 1, -1, 5, page, size - 1, size, size + 1, -size, -size - 1, 2 ** 40, 1.9, Number.NaN, -Infinity]

test('target, begin and end mean what TypedArray.copyWithin means by them, overlapping or not', (t) => {
  using(AnonymousMemory.create(size), (m) => {
    for (const target of edges) {
      for (const begin of edges) {
        for (const end of [...edges, undefined]) {
          m.write(content, 0)
          t.is(m.copyWithin(target, begin, end), m)
          const expected = new Uint8Array(content).copyWithin(target, begin, end)
          if (m.compare(expected) !== 0) t.fail(`${target}, ${begin}, ${end}`)
        }
      }
    }
  })
})

test('it copies in the file, and with an offset it counts from the offset', (t) => {
  const path = file(content)
  using(MappedFile.openSync(path, { access: 'write', offset: 5 }), (m) => m.copyWithin(0, page - 10, page + 10))
  const expected = Buffer.from(content)
  expected.copyWithin(5, page - 5, page + 15)
  t.deepEqual(readFileSync(path), expected)
})

test('a read mapping is EACCES', (t) => {
  const path = file(content)
  using(MappedFile.openSync(path), (m) => {
    isSystemError(
      t,
      caught(t, () => m.copyWithin(0, 1)),
      { code: 'EACCES', syscall: 'write', path },
    )
    t.is(m.compare(content), 0)
  })
})

test('wrong arguments are told', (t) => {
  using(AnonymousMemory.create(8), (m) => {
    for (const value of ['0', null, {}, 1n]) {
      throwsCoded(t, () => m.copyWithin(value as never, 0), 'ERR_INVALID_ARG_TYPE', 'target')
      throwsCoded(t, () => m.copyWithin(0, value as never), 'ERR_INVALID_ARG_TYPE', 'begin')
      throwsCoded(t, () => m.copyWithin(0, 0, value as never), 'ERR_INVALID_ARG_TYPE', 'end')
    }
  })
})

test('after close it throws', (t) => {
  const m = AnonymousMemory.create(8)
  m.close()
  throwsCoded(t, () => m.copyWithin(0, 0), 'ERR_INVALID_STATE')
  throwsCoded(t, () => m.copyWithin('0' as never, 0), 'ERR_INVALID_STATE')
})
