import { readFileSync } from 'node:fs'
import test from 'ava'
import { AnonymousMemory, Mapping } from '../index'
import { caught, isSystemError, linuxOnly, narrow, page, throwsCoded, unless, using, wideOnly } from './helpers'
import { fails } from './systems'

for (const length of [0, 1, page - 1, page, page + 1, 1 << 20]) {
  test(`${length} bytes are zeros that can be stored to`, (t) => {
    using(AnonymousMemory.create(length), (m) => {
      t.true(m instanceof AnonymousMemory)
      t.true(m instanceof Mapping)
      t.is(m.byteLength, length)
      t.is(m.size(), length)
      t.is(m.bytes.length, length)
      t.is(m.compare(new Uint8Array(length)), 0)
      if (length === 0) return
      m.setUint8(length - 1, 77)
      t.is(m.bytes[length - 1], 77)
      m.fill(5)
      t.is(m.compare(new Uint8Array(length).fill(5)), 0)
    })
  })
}

test('it has no file, and says so', (t) => {
  using(AnonymousMemory.create(10), (m) => {
    t.is(m.access, 'write')
    t.is(m.path, undefined)
    t.is(m.fd, undefined)
    t.is(m.fileOffset, 0)
    t.true(m.mapped)
    t.is(m.fault, null)
    t.true(m.address > 0n)
    t.is(m.address % BigInt(page), 0n)
  })
})

test('two of them share nothing', (t) => {
  const [a, b] = [AnonymousMemory.create(100), AnonymousMemory.create(100)]
  a.fill(1)
  t.deepEqual(b.read(0, 100), Buffer.alloc(100))
  t.is(a.compare(b), 1)
  a.close()
  t.is(b.getUint8(0), 0)
  b.close()
})

test('flushing it is nothing to do', async (t) => {
  const m = AnonymousMemory.create(page)
  t.is(m.flushSync(), undefined)
  t.is(await m.flush(), undefined)
  m.close()
})

wideOnly('lengths past 2^32 are address space until they are stored to', (t) => {
  const length = 2 ** 33
  using(AnonymousMemory.create(length), (m) => {
    m.setFloat64(length - 8, Math.PI)
    t.is(m.getFloat64(length - 8), Math.PI)
    t.is(m.subarray(-8).readDoubleBE(), Math.PI)
  })
})

test('more than there is address space is ENOMEM', (t) => {
  const error = caught(t, () => AnonymousMemory.create(Number.MAX_SAFE_INTEGER))
  isSystemError(t, error, { code: 'ENOMEM', syscall: 'mmap' })
})

linuxOnly('close gives the memory back at once, not when a collector comes round', (t) => {
  const m = AnonymousMemory.create(32 << 20)
  m.fill(1)
  const before = resident()
  m.close()
  t.true(before - resident() > 24 << 20)
})

/** Bytes of anonymous memory that this process has in RAM. */
function resident(): number {
  const text = readFileSync('/proc/self/status', 'utf8')
  return Number(/RssAnon:\s+(\d+)/.exec(text)![1]) * 1024
}

test('wrong lengths are told', (t) => {
  for (const length of [undefined, null, '10', 10n, {}]) {
    throwsCoded(t, () => AnonymousMemory.create(length as never), 'ERR_INVALID_ARG_TYPE', 'length')
  }
  for (const length of [-1, 1.5, Number.NaN, Infinity, 2 ** 53]) {
    throwsCoded(t, () => AnonymousMemory.create(length), 'ERR_OUT_OF_RANGE', 'length')
  }
})

unless(!narrow && 'is about 32 bits')('more than half of the addresses is ENOMEM', (t) => {
  for (const length of [2 ** 31, 3 * 2 ** 30, 2 ** 32 - 1, 2 ** 32])
    fails(t, () => AnonymousMemory.create(length), 'ENOMEM', 'mmap')
})

test('misspelt options are named', (t) => {
  throwsCoded(t, () => AnonymousMemory.create(1, { hugePage: true } as never), 'ERR_INVALID_ARG_VALUE', 'hugePages')
  throwsCoded(t, () => AnonymousMemory.create(1, { access: 'read' } as never), 'ERR_INVALID_ARG_VALUE', 'access')
  for (const options of [null, 5, 'x', []]) {
    throwsCoded(t, () => AnonymousMemory.create(1, options as never), 'ERR_INVALID_ARG_TYPE', 'options')
  }
  throwsCoded(t, () => AnonymousMemory.create(1, { noReserve: 1 } as never), 'ERR_INVALID_ARG_TYPE', 'noReserve')
})
