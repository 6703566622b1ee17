import { readFileSync, truncateSync } from 'node:fs'
import test from 'ava'
import { AnonymousMemory, MappedFile } from '../index'
import {
  caught,
  counting,
  file,
  isCoded,
  isSystemError,
  missingPages,
  onWindows,
  page,
  throwsCoded,
  unless,
  using,
} from './helpers'

import type { Mapping } from '../index'

type Value = number | bigint
type Get = (position: number, littleEndian?: boolean) => Value
type Set = (position: number, value: unknown, littleEndian?: boolean) => void

/** What DataView has and a mapping has, too: by name, as the tests are one table. */
const on = (target: Mapping | DataView) => target as unknown as Record<string, Get & Set>

const kinds = [
  ['Int8', 1, [0, 1, -1, 127, -128, 128, 300, 1.9, -1.9, '7', null, undefined, true, Number.NaN]],
  ['Uint8', 1, [0, 255, 256, -1, 1e10, '0x10', Infinity]],
  ['Int16', 2, [0, -1, 32_767, -32_768, 40_000, 1.5]],
  ['Uint16', 2, [0, 65_535, 65_536, -2, '12']],
  ['Int32', 4, [0, -1, 2 ** 31 - 1, -(2 ** 31), 2 ** 31, 2 ** 40 + 5]],
  ['Uint32', 4, [0, 2 ** 32 - 1, 2 ** 32, -1, { valueOf: () => 9 }]],
  ['Float32', 4, [0, -0, 1.1, Number.NaN, Infinity, 1e300, '2.5']],
  ['Float64', 8, [0, -0, Math.PI, Number.NaN, -Infinity, 5e-324, undefined]],
  ['BigInt64', 8, [0n, -1n, 2n ** 63n - 1n, -(2n ** 63n), 2n ** 64n + 3n, true, '17']],
  ['BigUint64', 8, [0n, 1n, 2n ** 64n - 1n, 2n ** 64n, -1n]],
] as const

const orders = [undefined, false, true]
const size = 2 * page + 13
const content = counting(size)
const edges = [0, 1, 2, 3, 4, 5, 6, 7, 8, page - 8, page - 7, page - 1, page, page + 1, 2 * page - 3]

for (const [kind, unit, values] of kinds) {
  test(`get${kind} reads what DataView reads, at any alignment, in both orders`, (t) => {
    const model = on(new DataView(content.buffer, content.byteOffset, size))
    using(MappedFile.openSync(file(content)), (m) => {
      for (const position of [...edges, size - unit, size - unit - 1]) {
        for (const order of orders) {
          const expected = model[`get${kind}`]!(position, order)
          t.is(on(m)[`get${kind}`]!(position, order), expected, `${position} ${order}`)
        }
      }
    })
  })

  test(`set${kind} writes and converts what DataView writes and converts`, (t) => {
    const path = file(content)
    const shadow = Buffer.from(content)
    const model = on(new DataView(shadow.buffer, shadow.byteOffset, size))
    using(MappedFile.openSync(path, { access: 'write' }), (m) => {
      let position = 0
      for (const value of values) {
        for (const order of orders) {
          for (const at of [position, page - unit + 1, size - unit]) {
            t.is(on(m)[`set${kind}`]!(at, value, order), undefined)
            model[`set${kind}`]!(at, value, order)
            t.is(on(m)[`get${kind}`]!(at, order), model[`get${kind}`]!(at, order), String(value))
          }
          position += unit + 1
        }
      }
      t.deepEqual(m.read(0, size), shadow)
    })
    t.deepEqual(readFileSync(path), shadow)
  })

  test(`get${kind} and set${kind} never reach past the ends, and write nothing then`, (t) => {
    const value = kind.startsWith('Big') ? 1n : 1
    // Both ways lead there: without a window (a fresh mapping) and through one.
    for (const warm of [0, 100]) {
      using(AnonymousMemory.create(100), (m) => {
        for (let i = 0; i < warm; i++) on(m)[`get${kind}`]!(0)
        for (const position of [100 - unit + 1, 100, 101, 2 ** 32, Number.MAX_SAFE_INTEGER, -1, -8]) {
          throwsCoded(t, () => on(m)[`get${kind}`]!(position), 'ERR_OUT_OF_RANGE', 'position')
          throwsCoded(t, () => on(m)[`set${kind}`]!(position, value), 'ERR_OUT_OF_RANGE', 'position')
        }
        for (const position of [0.5, Number.NaN, Infinity, 2 ** 53]) {
          throwsCoded(t, () => on(m)[`get${kind}`]!(position), 'ERR_OUT_OF_RANGE', 'position')
          throwsCoded(t, () => on(m)[`set${kind}`]!(position, value), 'ERR_OUT_OF_RANGE', 'position')
        }
        for (const position of [undefined, null, '0', 0n, {}, [0]]) {
          throwsCoded(t, () => on(m)[`get${kind}`]!(position as never), 'ERR_INVALID_ARG_TYPE', 'position')
          throwsCoded(t, () => on(m)[`set${kind}`]!(position as never, value), 'ERR_INVALID_ARG_TYPE', 'position')
        }
        t.is(m.compare(new Uint8Array(100)), 0)
      })
    }
  })

  test(`set${kind} refuses values that DataView refuses, and read-only mappings`, (t) => {
    const refused = kind.startsWith('Big') ? [1, 1.5, undefined, null, 'x', Symbol('s')] : [1n, Symbol('s')]
    const path = file(content)
    for (const warm of [0, 100]) {
      using(MappedFile.openSync(path, { access: 'write' }), (m) => {
        for (let i = 0; i < warm; i++) on(m)[`get${kind}`]!(0)
        for (const value of refused) {
          const model = on(new DataView(new ArrayBuffer(8)))
          const error = caught(t, () => on(m)[`set${kind}`]!(0, value))
          t.is(error.name, caught(t, () => model[`set${kind}`]!(0, value)).name, String(value))
        }
      })
      using(MappedFile.openSync(path), (m) => {
        for (let i = 0; i < warm; i++) on(m)[`get${kind}`]!(0)
        const value = kind.startsWith('Big') ? 1n : 1
        isSystemError(
          t,
          caught(t, () => on(m)[`set${kind}`]!(0, value)),
          { code: 'EACCES', syscall: 'write', path },
        )
      })
    }
    t.deepEqual(readFileSync(path), content)
  })

  test(`get${kind} and set${kind} throw after close, with and without a window`, (t) => {
    for (const uses of [0, 100]) {
      const m = AnonymousMemory.create(100)
      for (let i = 0; i < uses; i++) on(m)[`get${kind}`]!(0)
      m.close()
      throwsCoded(t, () => on(m)[`get${kind}`]!(0), 'ERR_INVALID_STATE')
      throwsCoded(t, () => on(m)[`get${kind}`]!('x' as never), 'ERR_INVALID_STATE')
      throwsCoded(t, () => on(m)[`set${kind}`]!(0, kind.startsWith('Big') ? 1n : 1), 'ERR_INVALID_STATE')
    }
  })
}

test('accesses that walk, jump and straddle the borders of windows are right', (t) => {
  const large = counting((5 << 20) + 3)
  const path = file(large)
  const model = new DataView(large.buffer, large.byteOffset, large.byteLength)
  using(MappedFile.openSync(path, { access: 'write', offset: 0 }), (m) => {
    const last = large.length - 8
    const check = (position: number) => {
      if (m.getBigUint64(position) !== model.getBigUint64(position)) t.fail(`get at ${position}`)
      if (m.getUint16(position + 3, true) !== model.getUint16(position + 3, true)) t.fail(`get at ${position} + 3`)
      m.setUint32(position, position)
      model.setUint32(position, position)
    }
    for (let position = 0; position <= last; position += 61) check(position)
    for (let position = last; position >= 0; position -= 4099) check(position)
    let seed = 7
    for (let i = 0; i < 20_000; i++) check((seed = (seed * 48_271) % 0x7fffffff) % last)
    // Round each place where a window could end.
    for (let border = 1 << 14; border < last; border += 1 << 14) {
      for (let around = 0; around < 12; around++) check(border - 9 + (around % 12))
    }
    t.is(m.compare(large), 0)
  })
  t.is(readFileSync(path).compare(large), 0)
})

test('with an offset inside of a page positions count from the offset', (t) => {
  const model = new DataView(content.buffer, content.byteOffset, size)
  for (const offset of [1, 9, page - 1]) {
    using(MappedFile.openSync(file(content), { offset }), (m) => {
      for (let i = 0; i < 50; i++) t.is(m.getUint32(i, true), model.getUint32(offset + i, true))
      t.is(m.getUint8(size - offset - 1), content[size - 1])
      throwsCoded(t, () => m.getUint8(size - offset), 'ERR_OUT_OF_RANGE')
      throwsCoded(t, () => m.getUint8(-1), 'ERR_OUT_OF_RANGE')
    })
  }
})

test('two mappings that are used by turns keep to their own files', (t) => {
  const [a, b] = [AnonymousMemory.create(200_000), AnonymousMemory.create(200_000)]
  for (let i = 0; i < 50_000; i += 4) {
    a.setUint32(i, i)
    b.setUint32(i, ~i)
  }
  let wrong = 0
  for (let i = 0; i < 50_000; i += 4) if (a.getUint32(i) !== i || b.getInt32(i) !== ~i) wrong++
  t.is(wrong, 0)
  a.close()
  t.is(b.getInt32(400), ~400)
  b.close()
})

test('a value whose conversion closes the mapping is stored nowhere', (t) => {
  for (const warm of [0, 100]) {
    const path = file(content)
    const m = MappedFile.openSync(path, { access: 'write' })
    for (let i = 0; i < warm; i++) m.getUint8(0)
    const closing = {
      valueOf() {
        m.close()
        return 255
      },
    }
    isCoded(
      t,
      caught(t, () => m.setUint8(0, closing as never)),
      'ERR_INVALID_STATE',
    )
    t.true(m.closed)
    t.deepEqual(readFileSync(path), content)
  }
})

test('a value whose conversion uses the same accessors does not disturb the outer one', (t) => {
  using(AnonymousMemory.create(1 << 20), (m) => {
    const value = {
      valueOf() {
        m.setUint32(500_000, 0x99999999)
        return m.getUint32(700_000) + 1
      },
    }
    for (let i = 0; i < 100; i++) m.setUint32(i * 4, value as never)
    for (let i = 0; i < 100; i++) t.is(m.getUint32(i * 4), 1)
    t.is(m.getUint32(500_000), 0x99999999)
  })
})

test('accesses by turns in two places, each with its window, are those of DataView', (t) => {
  const length = 40 << 20
  const places = [(1 << 20) + 3, (20 << 20) + 5]
  using(AnonymousMemory.create(length), (m) => {
    const model = new DataView(new ArrayBuffer(64))
    const shadows = [new DataView(model.buffer, 0, 32), new DataView(model.buffer, 32, 32)]
    for (const place of places) for (let i = 0; i < 20; i++) m.getUint8(place)
    for (const [kind, bytes, values] of kinds) {
      for (const [turn, value] of values.entries()) {
        for (const order of orders) {
          for (const [n, place] of places.entries()) {
            const at = turn % (32 - bytes)
            on(m)[`set${kind}`]!(place + at, value, order)
            on(shadows[n]!)[`set${kind}`]!(at, value, order)
          }
          for (const [n, place] of places.entries()) {
            const at = (turn * 5) % (32 - bytes)
            t.is(on(m)[`get${kind}`]!(place + at, order), on(shadows[n]!)[`get${kind}`]!(at, order))
          }
        }
      }
    }
    for (const [n, place] of places.entries())
      t.deepEqual([...m.read(place, 32)], [...new Uint8Array(model.buffer, n * 32, 32)])
  })
})

/** So many accesses all over a mapping that it has one window over everything. */
function scatter(m: Mapping): void {
  const last = m.byteLength - 4
  for (let i = 0, position = 1; i < m.byteLength / 4000; i++) {
    position = (position * 48_271) % 0x7fffffff
    m.getUint32(position % last)
  }
}

test('a mapping that was looked at all over follows what is done with it all the same', (t) => {
  const large = counting((3 << 20) + 5)
  const path = file(large)
  const m = MappedFile.openSync(path, { access: 'write' })
  scatter(m)
  m.setUint32(100, 0xabcdef01)
  t.is(m.subarray(100, 104).readUInt32BE(), 0xabcdef01)
  throwsCoded(t, () => m.getUint32(large.length - 3), 'ERR_OUT_OF_RANGE')
  throwsCoded(t, () => m.setUint32(-1, 0), 'ERR_OUT_OF_RANGE')
  if (m.carrier === 'external') {
    m.resize(5 << 20)
    m.setUint8((5 << 20) - 1, 7)
    scatter(m)
    t.is(m.getUint8((5 << 20) - 1), 7)
    throwsCoded(t, () => m.getUint8(5 << 20), 'ERR_OUT_OF_RANGE')
  }
  m.protect('none', { offset: 0, length: m.pageSize })
  t.is(caught(t, () => m.getUint8(100)).code, 'EACCES')
  t.is(m.getUint8(m.pageSize), large[m.pageSize])
  m.protect('write')
  scatter(m)
  t.is(m.getUint32(100), 0xabcdef01)
  m.close()
  throwsCoded(t, () => m.getUint32(100), 'ERR_INVALID_STATE')
  using(MappedFile.openSync(path), (reader) => {
    scatter(reader)
    isSystemError(
      t,
      caught(t, () => reader.setUint8(0, 1)),
      { code: 'EACCES', syscall: 'write', path },
    )
    t.is(reader.getUint32(100), 0xabcdef01)
  })
})

unless((onWindows && 'a file that is mapped cannot be cut there') || missingPages)(
  'a mapping that was looked at all over tells of a fault',
  (t) => {
    const path = file(counting(3 << 20))
    using(MappedFile.openSync(path), (m) => {
      scatter(m)
      truncateSync(path, page)
      t.is(m.getUint8(0), 0)
      for (const position of [2 << 20, 0]) t.is(caught(t, () => m.getUint32(position)).code, 'ERR_MAPPING_FAULT')
      t.is(m.fault!.kind, 'truncated')
    })
  },
)
