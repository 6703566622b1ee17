import { readFileSync } from 'node:fs'
import { runInNewContext } from 'node:vm'
import test from 'ava'
import { AnonymousMemory, MappedFile, Mapping } from '../index'
import { counting, file, page, throwsCoded, unless, using } from './helpers'

import type { ViewConstructor } from '../index'

const size = 2 * page
const content = counting(size)

const constructors = [
  Int8Array,
  Uint8Array,
  Uint8ClampedArray,
  Int16Array,
  Uint16Array,
  Int32Array,
  Uint32Array,
  Float32Array,
  Float64Array,
  BigInt64Array,
  BigUint64Array,
] as const

type Numbers = ArrayBufferView & { readonly length: number; [index: number]: number | bigint }

/** What the constructor makes of a copy of these bytes. */
function expected(Ctor: ViewConstructor, begin: number, end: number): Numbers {
  return new Ctor(Uint8Array.prototype.slice.call(content, begin, end).buffer) as unknown as Numbers
}

function viewTests(Ctor: ViewConstructor, name: string): void {
  const unit = Ctor.BYTES_PER_ELEMENT

  test(`${name}: the whole mapping, a part to the end, and a part of so many elements`, (t) => {
    using(MappedFile.openSync(file(content)), (m) => {
      const whole = m.view(Ctor) as unknown as Numbers
      t.is(whole.constructor, Ctor)
      t.is(whole.length, size / unit)
      t.deepEqual(whole, expected(Ctor, 0, size))
      t.deepEqual(m.view(Ctor, page) as unknown as Numbers, expected(Ctor, page, size))
      t.deepEqual(m.view(Ctor, page - 8, 3) as unknown as Numbers, expected(Ctor, page - 8, page - 8 + 3 * unit))
      t.deepEqual(m.view(Ctor, size - unit, 1) as unknown as Numbers, expected(Ctor, size - unit, size))
      t.is((m.view(Ctor, size) as unknown as Numbers).length, 0)
      t.is((m.view(Ctor, 0, 0) as unknown as Numbers).length, 0)
    })
  })

  test(`${name}: an element that is set is in the file`, (t) => {
    const path = file(content)
    using(MappedFile.openSync(path, { access: 'write' }), (m) => {
      const view = m.view(Ctor, 8) as unknown as Numbers
      const value = typeof view[0] === 'bigint' ? 5n : 5
      view[2] = value
      t.is(view[2], value)
      const raw = readFileSync(path).subarray(8 + 2 * unit, 8 + 3 * unit)
      t.deepEqual(new Uint8Array(raw), new Uint8Array((new Ctor([value] as never) as unknown as Uint8Array).buffer))
    })
  })

  test(`${name}: what is misaligned, cut or too long is a RangeError`, (t) => {
    using(MappedFile.openSync(file(content)), (m) => {
      if (unit > 1) {
        throwsCoded(t, () => m.view(Ctor, 1), 'ERR_OUT_OF_RANGE', 'byteOffset')
        throwsCoded(t, () => m.view(Ctor, unit / 2, 1), 'ERR_OUT_OF_RANGE', 'byteOffset')
      }
      throwsCoded(t, () => m.view(Ctor, 0, size / unit + 1), 'ERR_OUT_OF_RANGE', 'length')
      throwsCoded(t, () => m.view(Ctor, size, 1), 'ERR_OUT_OF_RANGE', 'length')
      throwsCoded(t, () => m.view(Ctor, size + unit), 'ERR_OUT_OF_RANGE', 'byteOffset')
    })
    if (unit === 1) return
    using(MappedFile.openSync(file(content), { length: unit * 3 + 1 }), (m) => {
      throwsCoded(t, () => m.view(Ctor), 'ERR_OUT_OF_RANGE')
      t.is((m.view(Ctor, 0, 3) as unknown as Numbers).length, 3)
    })
  })

  test(`${name}: alignment counts from the memory address, not from the mapping’s first byte`, (t) => {
    for (const offset of [1, 3, page - 1, page + 4]) {
      using(MappedFile.openSync(file(content), { offset }), (m) => {
        const first = (unit - (offset % unit)) % unit
        const view = m.view(Ctor, first, 4) as unknown as Numbers
        t.deepEqual(view, expected(Ctor, offset + first, offset + first + 4 * unit))
        if (first !== 0) throwsCoded(t, () => m.view(Ctor, 0, 1), 'ERR_OUT_OF_RANGE', 'byteOffset')
      })
    }
  })
}

for (const Ctor of constructors) viewTests(Ctor, Ctor.name)

const Half = (globalThis as { Float16Array?: ViewConstructor }).Float16Array
if (Half !== undefined) viewTests(Half, 'Float16Array')
else unless('this engine has no Float16Array')('Float16Array: as the others', (t) => t.fail())

test('Buffer is a constructor, too', (t) => {
  using(MappedFile.openSync(file(content)), (m) => {
    const view = m.view(Buffer as never, 3, 10) as Buffer
    t.true(Buffer.isBuffer(view))
    t.deepEqual(Buffer.from(view), content.subarray(3, 13))
  })
})

test('a subclass keeps its class', (t) => {
  class Prices extends Float64Array {
    sum() {
      return this.reduce((a, b) => a + b, 0)
    }
  }
  using(AnonymousMemory.create(80), (m) => {
    const prices = m.view(Prices, 8, 2)
    prices.set([1.5, 2.5])
    t.true(prices instanceof Prices)
    t.is(prices.sum(), 4)
    t.is(m.view(Float64Array)[2], 2.5)
  })
})

test('the constructor of another realm is one', (t) => {
  const Foreign = runInNewContext('Int32Array') as typeof Int32Array
  using(AnonymousMemory.create(16), (m) => {
    const view = m.view(Foreign)
    view[1] = 7
    t.is(m.view(Int32Array)[1], 7)
  })
})

test('views of all kinds stand on the same memory', (t) => {
  using(AnonymousMemory.create(page), (m) => {
    m.view(Float64Array)[1] = Math.PI
    const little = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1
    t.is(m.getFloat64(8, little), Math.PI)
    t.is(m.view(BigUint64Array)[1], new BigUint64Array(new Float64Array([Math.PI]).buffer)[0])
  })
})

test('wrong arguments are told', (t) => {
  using(AnonymousMemory.create(64), (m) => {
    for (const Ctor of [undefined, null, 'Uint8Array', DataView, Array, Object, {}, () => 1, ArrayBuffer]) {
      throwsCoded(t, () => m.view(Ctor as never), 'ERR_INVALID_ARG_TYPE', 'Ctor')
    }
    for (const value of ['0', null, 8n, {}]) {
      throwsCoded(t, () => m.view(Uint8Array, value as never), 'ERR_INVALID_ARG_TYPE', 'byteOffset')
      throwsCoded(t, () => m.view(Uint8Array, 0, value as never), 'ERR_INVALID_ARG_TYPE', 'length')
    }
    for (const value of [-1, 1.5, Number.NaN, 65, Infinity]) {
      throwsCoded(t, () => m.view(Uint8Array, value), 'ERR_OUT_OF_RANGE', 'byteOffset')
      throwsCoded(t, () => m.view(Uint8Array, 0, value), 'ERR_OUT_OF_RANGE', 'length')
    }
  })
})

test('after close it throws, and views that were handed out have length 0', (t) => {
  const m = AnonymousMemory.create(64)
  const views = [m.view(Float64Array), m.view(Int16Array, 2, 4), m.view(Uint8Array, 60)]
  m.close()
  for (const view of views) {
    t.is(view.length, 0)
    t.is(view.byteLength, 0)
    t.false(0 in view)
  }
  throwsCoded(t, () => m.view(Uint8Array), 'ERR_INVALID_STATE')
  throwsCoded(t, () => m.view(undefined as never), 'ERR_INVALID_STATE')
})

unless(!Mapping.isSupported('sharedArrayBuffer') && 'no such views here')(
  'views of nothing stand on what others stand on',
  (t) => {
    for (const [sharedArrayBuffer, Buffers] of [
      [true, SharedArrayBuffer],
      [false, ArrayBuffer],
    ] as const) {
      for (const length of [8, 0]) {
        using(AnonymousMemory.create(length, { sharedArrayBuffer }), (m) => {
          const views = [
            m.subarray(0, 0),
            m.view(Int32Array, length, 0),
            m.dataView(length),
            m.view(Uint8Array),
            m.bytes,
          ]
          for (const { buffer } of views) t.true(buffer instanceof Buffers)
          t.is(m.bytes, m.bytes)
        })
      }
    }
  },
)
