import { constants } from 'node:buffer'
import { closeSync, openSync, readSync, statSync } from 'node:fs'
import { MappedFile, Mapping } from '../index'
import { page, sparse, sparseProblem, throwsCoded, unless, using } from './helpers'

const four = 2 ** 32
const large = unless(sparseProblem(2 * four + page))

/** `length` bytes of the file, as fs sees them. */
function bytesAt(path: string, position: number, length: number): Buffer {
  const fd = openSync(path, 'r')
  try {
    const bytes = Buffer.alloc(length)
    readSync(fd, bytes, 0, length, position)
    return bytes
  } finally {
    closeSync(fd)
  }
}

const inPart = unless(sparseProblem(2 * four + page, 'in part'))

inPart('offsets past 2^32 are right, as numbers and as bigints', async (t) => {
  const path = sparse(2 * four)
  for (const offset of [four - 1, four, four + 1, four + page + 3]) {
    const range = { access: 'write', length: 8 } as const
    using(MappedFile.openSync(path, { ...range, offset }), (m) => {
      t.is(m.fileOffset, offset)
      m.setBigUint64(0, BigInt(offset))
    })
    t.is(bytesAt(path, offset, 8).readBigUInt64BE(), BigInt(offset))
    const again = await MappedFile.open(path, { offset: BigInt(offset), length: 8n })
    t.is(again.fileOffset, offset)
    t.is(again.getBigUint64(0), BigInt(offset))
    t.is(again.bytes.readBigUInt64BE(), BigInt(offset))
    again.close()
  }
})

unless(
  sparseProblem(2 * four + page, 'in part') ??
    (!Mapping.isSupported('resizeInPlace') && 'no address space can be reserved here'),
)('what grows in place does so past 2^31 and 2^32, too', (t) => {
  for (const offset of [2 ** 31, four + 7]) {
    const path = sparse(offset)
    const options = { access: 'write', offset, length: 0, capacity: 3 * page, sparse: true } as const
    using(MappedFile.openSync(path, options), (m) => {
      m.resize(2 * page)
      m.setUint32(2 * page - 4, 0xcafebabe)
      t.is(m.size(), offset + 2 * page)
    })
    t.is(bytesAt(path, offset + 2 * page - 4, 4).readUInt32BE(), 0xcafebabe)
  }
})

large('lengths past 2^32 are right, as numbers and as bigints', async (t) => {
  const path = sparse(2 * four)
  const length = four + 10
  using(MappedFile.openSync(path, { access: 'write', length }), (m) => {
    t.is(m.byteLength, length)
    m.setUint32(four + 6, 0xcafebabe)
    m.write('across', four - 3)
    throwsCoded(t, () => m.getUint32(four + 7), 'ERR_OUT_OF_RANGE')
    throwsCoded(t, () => m.write('x', length), 'ERR_OUT_OF_RANGE')
  })
  const m = await MappedFile.open(path, { length: BigInt(length) })
  t.is(m.byteLength, length)
  t.is(m.getUint32(four + 6), 0xcafebabe)
  t.is(m.read(four - 3, 6).toString(), 'across')
  t.is(m.subarray(four - 3, four + 3).toString(), 'across')
  t.is(m.subarray(-4).readUInt32BE(), 0xcafebabe)
  t.is(m.view(Uint8Array, four + 6, 4)[0], 0xca)
  t.is(m.dataView(four + 6, 4).getUint32(0), 0xcafebabe)
  m.close()
  t.is(bytesAt(path, four - 3, 6).toString(), 'across')
})

large('a file grows past 2^32 without being allocated when it is sparse', (t) => {
  const path = sparse(1)
  const length = BigInt(four) + 5n
  using(MappedFile.openSync(path, { access: 'write', sparse: true, length }), (m) => {
    t.is(m.size(), four + 5)
    m.setUint8(four + 4, 9)
  })
  t.is(statSync(path).size, four + 5)
  t.is(bytesAt(path, four + 4, 1)[0], 9)
})

large('copies, fills and comparisons reach over 2^32', (t) => {
  const path = sparse(four + 3 * page)
  using(MappedFile.openSync(path, { access: 'write' }), (m) => {
    m.fill('ab', four - 3, four + 3)
    t.is(bytesAt(path, four - 4, 8).toString('latin1'), '\0ababab\0')
    m.copyWithin(four + page, four - 3, four + 3)
    t.is(m.read(four + page, 6).toString(), 'ababab')
    m.copyWithin(10, four + page, four + page + 6)
    t.is(m.read(10, 6).toString(), 'ababab')
    m.flushSync({ offset: four - 3, length: 6 })
    using(MappedFile.openSync(path, { offset: four - 3, length: 6 }), (part) => {
      t.is(part.compare(Buffer.from('ababab')), 0)
    })
  })
})

large('one Buffer over more than 4 GiB is made where the engine can, and told where it cannot', (t) => {
  const path = sparse(four + page)
  using(MappedFile.openSync(path, { access: 'write' }), (m) => {
    m.setUint8(four + 1, 5)
    if (four + page > constants.MAX_LENGTH) {
      throwsCoded(t, () => m.bytes, 'ERR_BUFFER_TOO_LARGE', 'subarray')
      throwsCoded(t, () => m.subarray(), 'ERR_BUFFER_TOO_LARGE')
      throwsCoded(t, () => m.dataView(), 'ERR_BUFFER_TOO_LARGE')
      throwsCoded(t, () => m.view(Uint8Array), 'ERR_BUFFER_TOO_LARGE')
    } else {
      t.is(m.bytes.length, four + page)
      t.is(m.bytes[four + 1], 5)
      t.is(m.subarray()[four + 1], 5)
    }
    t.is(m.subarray(four)[1], 5)
  })
})
