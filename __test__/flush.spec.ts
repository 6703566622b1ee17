import { readFileSync, statSync } from 'node:fs'
import test from 'ava'
import { AnonymousMemory, MappedFile } from '../index'
import { caught, counting, file, isCoded, isSystemError, page, rejected, throwsCoded, using } from './helpers'

import type { ExecutionContext } from 'ava'
import type { FlushOptions, Mapping } from '../index'

const size = 3 * page + 9

/** Both twins, one after the other. */
async function flushes(t: ExecutionContext, m: Mapping, options?: FlushOptions): Promise<void> {
  t.is(m.flushSync(options), undefined)
  t.is(await m.flush(options), undefined)
}

test('what was stored is in the file, by every range', async (t) => {
  const path = file(counting(size))
  const m = MappedFile.openSync(path, { access: 'write' })
  const ranges = [
    undefined,
    {},
    { offset: 0 },
    { length: 0 },
    { length: 1 },
    { offset: 1, length: 1 },
    { offset: page - 1, length: 2 },
    { offset: page, length: page },
    { offset: size - 1 },
    { offset: size },
    { offset: size, length: 0 },
    { offset: 5, length: size - 5 },
    { offset: undefined, length: undefined },
  ]
  for (const [i, range] of ranges.entries()) {
    m.fill(i + 1)
    await flushes(t, m, range)
    t.deepEqual(readFileSync(path), Buffer.alloc(size, i + 1))
  }
  m.close()
})

test('wait: false and invalidate: true are accepted and lose nothing', async (t) => {
  const path = file(counting(size))
  const m = MappedFile.openSync(path, { access: 'write', offset: 10 })
  m.fill(7)
  await flushes(t, m, { wait: false })
  await flushes(t, m, { wait: true, invalidate: true })
  await flushes(t, m, { wait: false, invalidate: true, offset: 3, length: page })
  t.is(m.compare(new Uint8Array(size - 10).fill(7)), 0)
  m.close()
})

test('flushing a file that was extended keeps its size and moves its time', async (t) => {
  const path = file('')
  const m = MappedFile.openSync(path, { access: 'write', length: size })
  m.setUint8(size - 1, 1)
  await m.flush()
  t.is(statSync(path).size, size)
  t.true(statSync(path).mtimeMs > 0)
  m.close()
})

test('many flushes at once all resolve', async (t) => {
  const path = file(counting(size))
  const m = MappedFile.openSync(path, { access: 'write' })
  const pending = Array.from({ length: 50 }, (_, i) => {
    m.setUint8(i, 255 - i)
    return m.flush({ offset: i, length: 1 })
  })
  m.flushSync()
  t.deepEqual(await Promise.all(pending), Array.from({ length: 50 }))
  m.close()
  for (let i = 0; i < 50; i++) t.is(readFileSync(path)[i], 255 - i)
})

test('where stores are private there is nothing to do', async (t) => {
  const copy = MappedFile.openSync(file('x'), { access: 'copy' })
  await flushes(t, copy)
  await flushes(t, copy, { offset: 1, wait: false })
  copy.close()
  const memory = AnonymousMemory.create(page)
  await flushes(t, memory, { length: 3 })
  memory.close()
})

test('a read mapping is EACCES', async (t) => {
  const path = file(counting(size))
  const m = MappedFile.openSync(path)
  isSystemError(
    t,
    caught(t, () => m.flushSync()),
    { code: 'EACCES', syscall: 'msync', path },
  )
  isSystemError(t, await rejected(t, m.flush()), { code: 'EACCES', syscall: 'msync', path })
  m.close()
})

test('wrong ranges and options are told, also where there is nothing to flush', async (t) => {
  for (const m of [MappedFile.openSync(file(counting(size)), { access: 'write' }), AnonymousMemory.create(size)]) {
    const wrong: readonly (readonly [unknown, string, string])[] = [
      [{ offset: -1 }, 'ERR_OUT_OF_RANGE', 'options.offset'],
      [{ offset: size + 1 }, 'ERR_OUT_OF_RANGE', 'options.offset'],
      [{ offset: 0.5 }, 'ERR_OUT_OF_RANGE', 'options.offset'],
      [{ offset: Number.NaN }, 'ERR_OUT_OF_RANGE', 'options.offset'],
      [{ length: size + 1 }, 'ERR_OUT_OF_RANGE', 'options.length'],
      [{ offset: 1, length: size }, 'ERR_OUT_OF_RANGE', 'options.length'],
      [{ length: -1 }, 'ERR_OUT_OF_RANGE', 'options.length'],
      [{ offset: '0' }, 'ERR_INVALID_ARG_TYPE', 'options.offset'],
      [{ length: null }, 'ERR_INVALID_ARG_TYPE', 'options.length'],
      [{ wait: 1 }, 'ERR_INVALID_ARG_TYPE', 'options.wait'],
      [{ invalidate: 'yes' }, 'ERR_INVALID_ARG_TYPE', 'options.invalidate'],
      [{ invalidated: true }, 'ERR_INVALID_ARG_VALUE', 'invalidate'],
      [null, 'ERR_INVALID_ARG_TYPE', 'options'],
      [5, 'ERR_INVALID_ARG_TYPE', 'options'],
    ]
    for (const [options, code, mentions] of wrong) {
      throwsCoded(t, () => m.flushSync(options as never), code, mentions)
      isCoded(t, await rejected(t, m.flush(options as never)), code, mentions)
    }
    m.close()
  }
})

test('after close both refuse, and a flush that was pending rejects', async (t) => {
  const m = MappedFile.openSync(file(counting(size)), { access: 'write' })
  m.fill(3)
  const pending = [m.flush(), m.flush({ offset: page }), m.flush({ wait: false })]
  m.close()
  for (const promise of pending) isCoded(t, await rejected(t, promise), 'ERR_INVALID_STATE')
  throwsCoded(t, () => m.flushSync(), 'ERR_INVALID_STATE')
  isCoded(t, await rejected(t, m.flush()), 'ERR_INVALID_STATE')
  isCoded(t, await rejected(t, m.flush({ misspelt: 1 } as never)), 'ERR_INVALID_STATE')
})

test('what was stored and not flushed is in the file after close all the same', (t) => {
  const path = file(counting(size))
  using(MappedFile.openSync(path, { access: 'write' }), (m) => {
    m.fill(9)
    m.bytes[0] = 8
    m.setUint8(1, 7)
  })
  const expected = Buffer.alloc(size, 9)
  expected[0] = 8
  expected[1] = 7
  t.deepEqual(readFileSync(path), expected)
})
