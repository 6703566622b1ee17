import { readFileSync, statSync } from 'node:fs'
import test from 'ava'
import { MappedFile, Mapping } from '../index'
import { counting, file, fresh, narrow, page, reserving, throwsCoded, unless, using } from './helpers'
import { elsewhere, fails } from './systems'

const open = (path: string, capacity: number | bigint, more = {}) =>
  MappedFile.openSync(path, { access: 'write', capacity, ...more })

reserving('within it nothing moves: address and views stay, and see what is written', (t) => {
  const path = file(counting(page + 5))
  using(open(path, 64 * page), (m) => {
    const { address } = m
    const bytes = m.bytes
    const small = m.subarray(10, 20)
    const typed = m.view(Uint16Array, 0, 8)
    for (const to of [page + 6, 2 * page, 3 * page + 1, 64 * page, 5, page, 0, 10, 64 * page]) {
      m.resize(to)
      t.is(m.address, address)
      t.is(m.byteLength, to)
      t.is(statSync(path).size, to)
      t.is(bytes.length, page + 5)
      t.is(small.length, 10)
      t.is(typed.length, 8)
      if (to < 16) continue
      m.setUint8(10, to & 255)
      t.is(small[0], to & 255)
      small[1] = 77
      t.is(m.getUint8(11), 77)
      t.is(m.bytes.length, to)
      m.setUint8(to - 1, 9)
      t.is(readFileSync(path)[to - 1], 9)
    }
    t.is(m.fault, null)
  })
})

reserving('views of what was cut off read zeros, reach no file, and see the file again when it is back', (t) => {
  const path = file(counting(4 * page))
  using(open(path, 8 * page), (m) => {
    const view = m.bytes
    m.resize(page)
    t.is(view.length, 4 * page)
    t.is(view[2 * page], 0)
    view[2 * page] = 5
    t.is(m.fault, null)
    t.is(statSync(path).size, page)
    m.resize(4 * page)
    t.is(view[2 * page], 0)
    view[2 * page] = 6
    t.is(m.getUint8(2 * page), 6)
    t.is(view[page - 1], counting(page)[page - 1])
  })
  t.is(readFileSync(path)[2 * page], 6)
})

reserving('past it the memory moves, and views become length 0', (t) => {
  const path = file(counting(page))
  using(open(path, 2 * page), (m) => {
    const view = m.bytes
    m.resize(2 * page)
    t.is(view.length, page)
    fails(t, () => m.resize(2 * page + 1, { mayMove: false }), 'ENOMEM')
    t.is(view.length, page)
    m.resize(9 * page)
    t.is(view.length, 0)
    t.is(m.compare(Buffer.concat([counting(page), Buffer.alloc(8 * page)])), 0)
    t.is(statSync(path).size, 9 * page)
  })
})

reserving('an empty file begins with its capacity, at any offset', (t) => {
  for (const offset of [0, 100]) {
    const path = file(counting(offset))
    using(open(path, 8 * page, { offset, length: 0 }), (m) => {
      t.is(m.byteLength, 0)
      t.is(m.bytes.length, 0)
      m.resize(10)
      const { address } = m
      const view = m.bytes
      view[0] = 1
      m.resize(8 * page)
      t.is(m.address, address)
      t.is(view[0], 1)
      m.setUint8(8 * page - 1, 2)
      t.is(m.fault, null)
      m.resize(0)
      m.resize(3)
      t.deepEqual(m.read(0, 3), Buffer.alloc(3))
    })
    t.deepEqual(readFileSync(path), Buffer.concat([counting(offset), Buffer.alloc(3)]))
  }
})

reserving('it is no length: the file has what was asked for', async (t) => {
  const path = fresh()
  using(await MappedFile.open(path, { access: 'write', create: true, length: 10, capacity: 1n << 20n }), (m) => {
    t.is(m.byteLength, 10)
    t.is(statSync(path).size, 10)
    t.is(m.bytes.length, 10)
  })
})

reserving('a file that is longer already is mapped whole', (t) => {
  using(open(file(counting(5 * page)), 10), (m) => t.is(m.compare(counting(5 * page)), 0))
})

reserving('close gives all of it back', (t) => {
  for (let i = 0; i < 200; i++) {
    const m = open(file(counting(10)), 1 << 30)
    const view = i % 2 === 0 ? m.bytes : undefined
    m.resize(20)
    m.close()
    t.is(view?.length ?? 0, 0)
  }
})

unless(
  narrow
    ? 'the address space has 32 bits'
    : !Mapping.isSupported('resizeInPlace') && 'no address space can be reserved here',
)('1 TiB of it costs nothing', (t) => {
  const path = file(counting(10))
  using(open(path, 2 ** 40), (m) => {
    const { address } = m
    m.resize(1 << 20)
    t.is(m.address, address)
    t.is(m.compare(Buffer.concat([counting(10), Buffer.alloc((1 << 20) - 10)])), 0)
  })
  fails(t, () => open(path, Number.MAX_SAFE_INTEGER), 'ENOMEM', 'mmap')
})

test('wrong arguments', (t) => {
  const path = file(counting(100))
  throwsCoded(t, () => open(path, 10, { length: 20 }), 'ERR_OUT_OF_RANGE', 'capacity')
  throwsCoded(t, () => open(path, -1), 'ERR_OUT_OF_RANGE', 'capacity')
  throwsCoded(t, () => open(path, '1' as never), 'ERR_INVALID_ARG_TYPE', 'capacity')
  throwsCoded(t, () => MappedFile.openSync(path, { capacity: 100 } as never), 'ERR_INVALID_ARG_VALUE', 'capacity')
  throwsCoded(
    t,
    () => MappedFile.openSync(path, { access: 'copy', capacity: 100 } as never),
    'ERR_INVALID_ARG_VALUE',
    'capacity',
  )
})

reserving('what is in flight over a view from before a cut ends in nothing when the mapping is closed', async (t) => {
  const body = `
    const { randomFill } = require('node:crypto')
    const length = 64 << 20
    const m = MappedFile.openSync(${JSON.stringify(fresh())}, { access: 'write', create: true, length, capacity: length })
    const view = m.bytes
    m.resize(65536)
    const filled = new Promise((resolve) => randomFill(view, resolve))
    m.close()
    await filled
    return 'alive'`
  t.is(await elsewhere(body), 'alive')
})
