import test from 'ava'
import { AnonymousMemory, MappedFile } from '../index'
import { counting, file, page, throwsCoded, using } from './helpers'

const size = 2 * page + 5
const content = counting(size)

const ranges = [
  [0, 0],
  [0, 1],
  [1, page - 1],
  [0, page],
  [1, page],
  [page - 1, 2],
  [page, page + 1],
  [0, size],
  [size - 1, 1],
  [size, 0],
] as const

test('read copies any range', (t) => {
  using(MappedFile.openSync(file(content)), (m) => {
    for (const [position, length] of ranges) {
      const copy = m.read(position, length)
      t.true(Buffer.isBuffer(copy))
      t.deepEqual(copy, content.subarray(position, position + length), `${position}, ${length}`)
    }
  })
})

test('a copy outlives the mapping, and neither sees stores of the other', (t) => {
  const path = file(content)
  const m = MappedFile.openSync(path, { access: 'write' })
  const copy = m.read(0, page)
  m.setUint8(0, content[0]! + 1)
  t.is(copy[0], content[0])
  copy[1] = content[1]! + 1
  t.is(m.getUint8(1), content[1])
  m.close()
  t.is(copy.length, page)
  t.deepEqual(copy.subarray(2), content.subarray(2, page))
})

test('read with an offset inside of a page counts from the offset', (t) => {
  using(MappedFile.openSync(file(content), { offset: 21, length: page }), (m) => {
    t.deepEqual(m.read(0, page), content.subarray(21, 21 + page))
    t.deepEqual(m.read(page - 1, 1), content.subarray(20 + page, 21 + page))
    throwsCoded(t, () => m.read(page, 1), 'ERR_OUT_OF_RANGE')
  })
})

test('readInto fills every kind of memory, and only what the view covers', (t) => {
  using(MappedFile.openSync(file(content)), (m) => {
    const around = new Uint8Array(40)
    const targets = [
      new Uint8Array(around.buffer, 8, 16),
      Buffer.from(around.buffer, 8, 16),
      new DataView(around.buffer, 8, 16),
      new Float64Array(around.buffer, 8, 2),
      new BigInt64Array(around.buffer, 8, 2),
    ]
    for (const target of targets) {
      around.fill(0)
      t.is(m.readInto(target, page - 8), undefined)
      t.deepEqual(Buffer.from(around.subarray(8, 24)), content.subarray(page - 8, page + 8))
      t.true([...around.subarray(0, 8), ...around.subarray(24)].every((byte) => byte === 0))
    }
    for (const whole of [new ArrayBuffer(30), new SharedArrayBuffer(30)]) {
      m.readInto(whole, 3)
      t.deepEqual(Buffer.from(whole), content.subarray(3, 33))
    }
    const shared = new Uint8Array(new SharedArrayBuffer(30), 10, 5)
    m.readInto(shared, 1)
    t.deepEqual([...shared], [...content.subarray(1, 6)])
  })
})

test('readInto of every range', (t) => {
  using(MappedFile.openSync(file(content)), (m) => {
    for (const [position, length] of ranges) {
      const target = Buffer.alloc(length)
      m.readInto(target, position)
      t.deepEqual(target, content.subarray(position, position + length))
    }
  })
})

test('readInto the mapping’s own memory and another mapping’s', (t) => {
  using(AnonymousMemory.create(100), (m) => {
    m.write('0123456789', 0)
    m.readInto(m.subarray(5, 15), 0)
    t.is(m.read(0, 15).toString(), '012340123456789')
    using(AnonymousMemory.create(10), (other) => {
      m.readInto(other.bytes, 2)
      t.is(other.read(0, 10).toString(), '2340123456')
    })
  })
})

test('past the end nothing is read: neither clamps', (t) => {
  using(MappedFile.openSync(file(content)), (m) => {
    const wrong = [
      [0, size + 1],
      [size, 1],
      [size + 1, 0],
      [-1, 1],
      [size - 3, 4],
      [1, Number.MAX_SAFE_INTEGER],
    ] as const
    for (const [position, length] of wrong) {
      throwsCoded(t, () => m.read(position, length), 'ERR_OUT_OF_RANGE')
      if (length > size + 1) continue
      const target = Buffer.alloc(length, 0xaa)
      throwsCoded(t, () => m.readInto(target, position), 'ERR_OUT_OF_RANGE', 'position')
      t.true(target.every((byte) => byte === 0xaa))
    }
  })
})

test('wrong arguments are told', (t) => {
  using(AnonymousMemory.create(10), (m) => {
    for (const value of [undefined, null, '0', 0n, {}]) {
      throwsCoded(t, () => m.read(value as never, 1), 'ERR_INVALID_ARG_TYPE', 'position')
      throwsCoded(t, () => m.read(0, value as never), 'ERR_INVALID_ARG_TYPE', 'length')
      throwsCoded(t, () => m.readInto(new Uint8Array(1), value as never), 'ERR_INVALID_ARG_TYPE', 'position')
    }
    for (const value of [1.5, Number.NaN, -1, Infinity]) {
      throwsCoded(t, () => m.read(value, 1), 'ERR_OUT_OF_RANGE', 'position')
      throwsCoded(t, () => m.read(0, value), 'ERR_OUT_OF_RANGE', 'length')
      throwsCoded(t, () => m.readInto(new Uint8Array(1), value), 'ERR_OUT_OF_RANGE', 'position')
    }
    for (const target of [undefined, null, 'text', [1], {}, 5]) {
      throwsCoded(t, () => m.readInto(target as never, 0), 'ERR_INVALID_ARG_TYPE', 'target')
    }
  })
})

test('after close both throw', (t) => {
  const m = AnonymousMemory.create(10)
  m.close()
  throwsCoded(t, () => m.read(0, 0), 'ERR_INVALID_STATE')
  throwsCoded(t, () => m.readInto(new Uint8Array(0), 0), 'ERR_INVALID_STATE')
})

test('a target of another mapping that was closed is empty: nothing is read', (t) => {
  const other = AnonymousMemory.create(10)
  const target = other.bytes
  other.close()
  using(AnonymousMemory.create(10), (m) => t.is(m.readInto(target, 10), undefined))
})
