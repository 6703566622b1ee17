import { readFileSync } from 'node:fs'
import test from 'ava'
import { AnonymousMemory, MappedFile } from '../index'
import { caught, counting, file, isSystemError, page, throwsCoded, using } from './helpers'

const size = 2 * page + 5
const content = counting(size)

const ranges = [
  [0, 0],
  [0, 1],
  [1, page - 1],
  [0, page],
  [page - 1, 2],
  [page, page + 1],
  [0, size],
  [size - 1, 1],
  [size, 0],
] as const

test('write puts bytes anywhere, returns their number, and touches nothing else', (t) => {
  for (const [position, length] of ranges) {
    const path = file(content)
    const data = Buffer.alloc(length, 0xee)
    using(MappedFile.openSync(path, { access: 'write' }), (m) => t.is(m.write(data, position), length))
    const expected = Buffer.from(content)
    data.copy(expected, position)
    t.deepEqual(readFileSync(path), expected, `${position}, ${length}`)
  }
})

test('text is UTF-8, and its length is in bytes', (t) => {
  using(AnonymousMemory.create(20), (m) => {
    t.is(m.write('Größe 🗺', 0), 12)
    t.is(m.read(0, 12).toString(), 'Größe 🗺')
    t.is(m.getUint8(12), 0)
    t.is(m.write('', 20), 0)
    throwsCoded(t, () => m.write('🗺', 17), 'ERR_OUT_OF_RANGE')
    t.is(m.write('🗺', 16), 4)
    // Half a surrogate pair is what Buffer makes of it.
    t.is(m.write('\ud83d', 0), 3)
    t.deepEqual(m.read(0, 3), Buffer.from('\ud83d'))
  })
})

test('every kind of memory is written, and only what the view covers', (t) => {
  const bytes = counting(48)
  const { buffer, byteOffset } = bytes.subarray(0)
  const own = new Uint8Array(48)
  own.set(bytes)
  t.true(byteOffset >= 0 && buffer.byteLength >= 48)
  const shared = new SharedArrayBuffer(48)
  new Uint8Array(shared).set(bytes)
  using(AnonymousMemory.create(100), (m) => {
    for (const memory of [own.buffer, shared]) {
      for (const data of [
        new Uint8Array(memory, 8, 16),
        new DataView(memory, 8, 16),
        new Float64Array(memory, 8, 2),
        Buffer.from(memory, 8, 16),
      ]) {
        m.fill(0)
        t.is(m.write(data, 3), 16)
        t.deepEqual(m.read(3, 16), Buffer.from(bytes.subarray(8, 24)))
        t.is(m.getUint8(2), 0)
        t.is(m.getUint8(19), 0)
      }
      m.fill(0)
      t.is(m.write(memory, 52), 48)
      t.deepEqual(m.read(52, 48), Buffer.from(bytes))
    }
  })
})

test('overlapping parts of the mapping itself are moved as memmove does', (t) => {
  using(AnonymousMemory.create(20), (m) => {
    m.write('0123456789', 0)
    m.write(m.subarray(0, 10), 3)
    t.is(m.read(0, 13).toString(), '0120123456789')
    m.write(m.subarray(3, 13), 0)
    t.is(m.read(0, 13).toString(), '0123456789789')
  })
})

test('what does not fit is not written at all', (t) => {
  const path = file(content)
  using(MappedFile.openSync(path, { access: 'write' }), (m) => {
    const wrong = [
      [size - 3, 4],
      [size, 1],
      [0, size + 1],
      [-1, 1],
      [size + 1, 0],
      [2 ** 40, 1],
    ] as const
    for (const [position, length] of wrong) {
      throwsCoded(t, () => m.write(Buffer.alloc(length, 0xff), position), 'ERR_OUT_OF_RANGE', 'position')
    }
  })
  t.deepEqual(readFileSync(path), content)
})

test('a read mapping is EACCES, also for nothing at all, and arguments are checked first', (t) => {
  const path = file(content)
  using(MappedFile.openSync(path), (m) => {
    isSystemError(
      t,
      caught(t, () => m.write('x', 0)),
      { code: 'EACCES', syscall: 'write', path },
    )
    isSystemError(
      t,
      caught(t, () => m.write('', 0)),
      { code: 'EACCES', syscall: 'write', path },
    )
    throwsCoded(t, () => m.write('x', size), 'ERR_OUT_OF_RANGE')
    throwsCoded(t, () => m.write(5 as never, 0), 'ERR_INVALID_ARG_TYPE', 'data')
  })
})

test('wrong arguments are told', (t) => {
  using(AnonymousMemory.create(10), (m) => {
    for (const data of [undefined, null, 5, 5n, [1, 2], {}, Symbol('x')]) {
      throwsCoded(t, () => m.write(data as never, 0), 'ERR_INVALID_ARG_TYPE', 'data')
    }
    for (const position of [undefined, null, '0', 0n]) {
      throwsCoded(t, () => m.write('x', position as never), 'ERR_INVALID_ARG_TYPE', 'position')
    }
    for (const position of [1.5, Number.NaN, Infinity]) {
      throwsCoded(t, () => m.write('x', position), 'ERR_OUT_OF_RANGE', 'position')
    }
    t.is(m.compare(new Uint8Array(10)), 0)
  })
})

test('after close it throws', (t) => {
  const m = AnonymousMemory.create(10)
  m.close()
  throwsCoded(t, () => m.write('', 0), 'ERR_INVALID_STATE')
  throwsCoded(t, () => m.write(undefined as never, 0), 'ERR_INVALID_STATE')
})

test('memory that is detached, or says more of itself than it has, is told', (t) => {
  const detached = new ArrayBuffer(8)
  const view = new DataView(detached)
  structuredClone(detached, { transfer: [detached] })
  class Liar extends DataView<ArrayBuffer> {
    override get byteLength(): number {
      return 100
    }
  }
  using(AnonymousMemory.create(page), (m) => {
    for (const data of [detached, view, new Liar(new ArrayBuffer(8))]) {
      throwsCoded(t, () => m.write(data, 0), 'ERR_INVALID_ARG_VALUE')
      throwsCoded(t, () => m.readInto(data, 0), 'ERR_INVALID_ARG_VALUE')
    }
  })
})
