import test from 'ava'
import { AnonymousMemory, MappedFile } from '../index'
import { counting, file, page, throwsCoded, using } from './helpers'

import type { Mapping } from '../index'

const sizes = [0, 1, 2, page - 1, page, page + 1, 3 * page + 7]

test('the order is that of Buffer.compare, against bytes and against mappings, both ways round', (t) => {
  for (const size of sizes) {
    const content = counting(size)
    using(MappedFile.openSync(file(content)), (m) => {
      const check = (other: Buffer) => {
        const expected = Buffer.compare(content, other)
        t.is(m.compare(other), expected)
        t.is(m.compare(new Uint8Array(other)), expected)
        using<Mapping, void>(MappedFile.openSync(file(other)), (there) => {
          t.is(m.compare(there), expected)
          t.is(there.compare(m), expected === 0 ? 0 : (-expected as 1 | -1))
        })
      }
      check(content)
      check(content.subarray(0, -1))
      check(Buffer.concat([content, Buffer.of(0)]))
      for (const at of [0, size >> 1, size - 1]) {
        if (at < 0 || size === 0) continue
        for (const step of [1, 255]) {
          const other = Buffer.from(content)
          other[at]! += step
          check(other)
        }
      }
    })
  }
})

test('bytes compare as unsigned', (t) => {
  using(AnonymousMemory.create(1), (m) => {
    m.setUint8(0, 0x80)
    t.is(m.compare(Buffer.of(0x7f)), 1)
    t.is(m.compare(Buffer.of(0xff)), -1)
  })
})

test('a mapping equals itself and its own bytes', (t) => {
  using(MappedFile.openSync(file(counting(page + 3)), { offset: 2 }), (m) => {
    t.is(m.compare(m), 0)
    t.is(m.compare(m.bytes), 0)
    t.is(m.compare(m.subarray(1)), Buffer.compare(m.bytes, m.subarray(1)))
  })
})

test('what is neither a mapping nor bytes is told', (t) => {
  using(AnonymousMemory.create(1), (m) => {
    for (const other of [undefined, null, 'x', 5, [0], {}, new ArrayBuffer(1), new Uint16Array(1)]) {
      throwsCoded(t, () => m.compare(other as never), 'ERR_INVALID_ARG_TYPE', 'other')
    }
  })
})

test('after close of either it throws', (t) => {
  const [a, b] = [AnonymousMemory.create(1), AnonymousMemory.create(1)]
  b.close()
  throwsCoded(t, () => a.compare(b), 'ERR_INVALID_STATE')
  throwsCoded(t, () => b.compare(a), 'ERR_INVALID_STATE')
  throwsCoded(t, () => b.compare(b), 'ERR_INVALID_STATE')
  throwsCoded(t, () => b.compare(new Uint8Array(1)), 'ERR_INVALID_STATE')
  a.close()
})
