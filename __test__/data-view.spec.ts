import { readFileSync } from 'node:fs'
import test from 'ava'
import { AnonymousMemory, MappedFile } from '../index'
import { counting, file, page, throwsCoded, using } from './helpers'

const size = page + 100
const content = counting(size)
const model = new DataView(content.buffer, content.byteOffset, size)

test('it is a DataView over the mapping, at any byte', (t) => {
  using(MappedFile.openSync(file(content)), (m) => {
    const whole = m.dataView()
    t.true(whole instanceof DataView)
    t.is(whole.byteLength, size)
    for (const at of [0, 1, 7, page - 3, size - 8]) {
      t.is(whole.getBigUint64(at), model.getBigUint64(at))
      t.is(whole.getFloat32(at, true), model.getFloat32(at, true))
      t.is(m.dataView(at).getBigInt64(0, true), model.getBigInt64(at, true))
      t.is(m.dataView(at).byteLength, size - at)
      t.is(m.dataView(at, 8).byteLength, 8)
    }
    t.is(m.dataView(size).byteLength, 0)
    t.is(m.dataView(3, 0).byteLength, 0)
    t.throws(() => m.dataView(0, 3).getUint32(0), { instanceOf: RangeError })
  })
})

test('with an offset inside of a page it begins at the offset', (t) => {
  using(MappedFile.openSync(file(content), { offset: 13 }), (m) => {
    t.is(m.dataView().getUint32(0), model.getUint32(13))
    t.is(m.dataView(page - 15, 4).getUint32(0), model.getUint32(page - 2))
  })
})

test('what it sets is in the file', (t) => {
  const path = file(content)
  using(MappedFile.openSync(path, { access: 'write' }), (m) => {
    m.dataView(page - 2, 4).setUint32(0, 0x01020304)
    t.deepEqual([...readFileSync(path).subarray(page - 2, page + 2)], [1, 2, 3, 4])
  })
})

test('wrong arguments are told', (t) => {
  using(AnonymousMemory.create(64), (m) => {
    for (const value of ['0', null, 8n]) {
      throwsCoded(t, () => m.dataView(value as never), 'ERR_INVALID_ARG_TYPE', 'byteOffset')
      throwsCoded(t, () => m.dataView(0, value as never), 'ERR_INVALID_ARG_TYPE', 'byteLength')
    }
    for (const value of [-1, 0.5, Number.NaN, 65]) {
      throwsCoded(t, () => m.dataView(value), 'ERR_OUT_OF_RANGE', 'byteOffset')
      throwsCoded(t, () => m.dataView(0, value), 'ERR_OUT_OF_RANGE', 'byteLength')
    }
    throwsCoded(t, () => m.dataView(60, 5), 'ERR_OUT_OF_RANGE', 'byteLength')
  })
})

test('after close it throws, and the ones that were handed out are detached', (t) => {
  const m = AnonymousMemory.create(64)
  const view = m.dataView()
  m.close()
  t.throws(() => view.getUint8(0), { instanceOf: TypeError })
  t.is(view.buffer.byteLength, 0)
  throwsCoded(t, () => m.dataView(), 'ERR_INVALID_STATE')
})
