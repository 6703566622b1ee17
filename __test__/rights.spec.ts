// Rights of pages belong to the memory, not to one of the mappings that stand on it, and whoever looks too early is told all the same.
import { readFileSync } from 'node:fs'
import { Worker } from 'node:worker_threads'
import { once } from 'node:events'
import * as fs from 'node:fs'

import test from 'ava'

import { AnonymousMemory, MappedFile, Mapping, SharedMemory } from '../index'
import * as posix from '../lib/posix'
import { counting, file, missingPages, onLinux, onWindows, page, underQemu, unless, using } from './helpers'

import type { ExecutionContext } from 'ava'

const linux = unless(!onLinux && 'mmap(2) and its kin')
const size = 4 * page

/** Everything that fails has a code. */
function fails(t: ExecutionContext, action: () => unknown, code: string): void {
  t.throws(action, { code }, String(action))
}

test('protect counts for every mapping of the memory, made before or after it', (t) => {
  const path = file(counting(size))
  using(MappedFile.openSync(path, { access: 'write' }), (m) => {
    const before = Mapping.from(m.share())
    // Their accessors have windows already.
    for (let at = 0; at < 40; at++) before.setUint8(page + at, before.getUint8(page + at))
    m.protect('read', { offset: page, length: page })
    const after = Mapping.from(m.share())
    for (const other of [before, after]) {
      fails(t, () => other.write('lost', page), 'EACCES')
      fails(t, () => other.setUint8(2 * page - 1, 1), 'EACCES')
      fails(t, () => other.fill(1), 'EACCES')
      t.is(other.getUint8(page + 3), counting(size)[page + 3])
      t.is(other.write('kept', 2 * page), 4)
      t.is(other.fault, null)
    }
    after.protect('none', { offset: 0, length: page })
    fails(t, () => m.getUint8(5), 'EACCES')
    fails(t, () => before.read(0, 1), 'EACCES')
    before.protect('write')
    m.setUint8(5, 99)
    after.setUint8(page + 5, 98)
    before.close()
    after.close()
  })
  const now = readFileSync(path)
  t.is(now[5], 99)
  t.is(now[page + 5], 98)
})

test('many protections of mappings that share memory stay what they are, page by page', (t) => {
  const pages = 64
  using(AnonymousMemory.create(pages * page), (m) => {
    const others = [Mapping.from(m.share()), Mapping.from(m.share())]
    const model = Array.from({ length: pages }, () => 'write')
    let seed = 1
    const dice = (limit: number) => (seed = (seed * 48_271) % 0x7fff_ffff) % limit
    for (let round = 0; round < 400; round++) {
      const all = [m, ...others]
      const kind = (['none', 'read', 'write'] as const)[dice(3)]!
      const from = dice(pages)
      const length = 1 + dice(pages - from)
      all[dice(3)]!.protect(kind, { offset: from * page, length: length * page })
      model.fill(kind, from, from + length)
      const at = dice(pages)
      for (const one of all) {
        const denied = (action: () => unknown) => {
          try {
            action()
            return false
          } catch (error) {
            return (error as NodeJS.ErrnoException).code === 'EACCES'
          }
        }
        t.is(
          denied(() => one.getUint8(at * page + 1)),
          model[at] === 'none',
        )
        t.is(
          denied(() => one.setUint8(at * page + 1, round)),
          model[at] !== 'write',
        )
        t.is(
          denied(() => one.fill(round, at * page, (at + 1) * page)),
          model[at] !== 'write',
        )
      }
    }
    for (const other of others) other.close()
  })
})

linux('protect in another thread counts here at the next access', async (t) => {
  const memory = SharedMemory.anonymous(size)
  for (let at = 0; at < 60; at++) memory.setUint8(at, memory.getUint8(at) + at)
  const source = `
    const { workerData, parentPort } = require('node:worker_threads')
    const { Mapping } = require(workerData.index)
    const m = Mapping.from(workerData.handle)
    m.protect('read', { offset: 0, length: ${page} })
    m.protect('none', { offset: ${page}, length: ${page} })
    parentPort.postMessage('done')
    parentPort.once('message', () => m.close())`
  const worker = new Worker(source, {
    eval: true,
    workerData: { index: require.resolve('../index'), handle: memory.share() },
  })
  await once(worker, 'message')
  fails(t, () => memory.setUint8(3, 1), 'EACCES')
  t.is(memory.getUint8(3), 3)
  fails(t, () => memory.getUint8(page), 'EACCES')
  memory.setUint8(2 * page, 1)
  t.is(memory.fault, null)
  worker.postMessage('close')
  await once(worker, 'exit')
  memory.close()
})

linux('mprotect gives checked methods what it gives the pages, and no more', (t) => {
  const path = file(counting(size))
  const fd = fs.openSync(path, 'r+')
  const m = posix.mmap(null, size, posix.PROT_READ, posix.MAP_SHARED, fd, 0)
  fails(t, () => m.setUint8(page, 1), 'EACCES')
  posix.mprotect(m.address + BigInt(page), page, posix.PROT_READ | posix.PROT_WRITE)
  t.is(m.access, 'write')
  fails(t, () => m.setUint8(0, 9), 'EACCES')
  fails(t, () => m.write('text', 2 * page - 2), 'EACCES')
  m.setUint8(page, 9)
  m.write('text', page + 8)
  t.is(m.fault, null)
  t.is(readFileSync(path)[page], 9)
  t.is(readFileSync(path)[0], counting(size)[0])
  m.close()
  // The same of a file that was opened for reading by a descriptor that may more.
  using(MappedFile.openSync(fd), (file) => {
    posix.mprotect(file.address, page, posix.PROT_READ | posix.PROT_WRITE)
    t.is(file.access, 'write')
    file.setUint8(0, 7)
    file.fill(6, 1, 3)
    t.is(file.write('x', 3), 1)
    fails(t, () => file.setUint8(page, 7), 'EACCES')
    t.deepEqual([...readFileSync(path).subarray(0, 4)], [7, 6, 6, 120])
    t.is(file.fault, null)
  })
  fs.closeSync(fd)
  const none = posix.mmap(null, page, posix.PROT_NONE, posix.MAP_PRIVATE | posix.MAP_ANONYMOUS, -1, 0)
  fails(t, () => none.read(0, 4), 'EACCES')
  posix.mprotect(none, page, posix.PROT_READ | posix.PROT_WRITE)
  none.setUint8(0, 1)
  t.is(none.read(0, 1)[0], 1)
  none.close()
})

test('what was written and then protected can be made durable, and the rest written', async (t) => {
  const path = file(counting(size))
  const m = MappedFile.openSync(path, { access: 'write' })
  m.fill(2)
  m.protect('read', { offset: 0, length: page })
  m.flushSync()
  m.flushSync({ offset: 0, length: page })
  await m.flush({ offset: 2 * page, length: page })
  const stream = m.createWriteStream({ offset: 2 * page, length: page })
  await new Promise<void>((resolve, reject) =>
    stream.end('text', (error?: Error | null) => (error ? reject(error) : resolve())),
  )
  t.is(m.read(2 * page, 4).toString(), 'text')
  const denied = m.createWriteStream()
  denied.write('text')
  const [error] = (await once(denied, 'error')) as [NodeJS.ErrnoException]
  t.is(error.code, 'EACCES')
  m.close()
})

test('a value that protects, shortens or closes while it is converted is stored nowhere', (t) => {
  const path = file(counting(size))
  const store = (act: (m: MappedFile) => void, code: string) =>
    using(MappedFile.openSync(path, { access: 'write' }), (m) => {
      for (let at = 0; at < 40; at++) m.setUint8(page + at, m.getUint8(page + at))
      const value = {
        valueOf() {
          act(m)
          return 200
        },
      }
      fails(t, () => m.setUint8(3 * page, value as never), code)
      fails(t, () => m.setUint8(3 * page, 1), code)
    })
  store((m) => m.protect('read'), 'EACCES')
  store((m) => m.close(), 'ERR_INVALID_STATE')
  t.is(readFileSync(path)[3 * page], counting(size)[3 * page])
  // Windows cuts no file that is mapped.
  if (!onWindows) store((m) => m.resize(page), 'ERR_OUT_OF_RANGE')
})

test('an empty access touches no page, wherever it is', (t) => {
  using(AnonymousMemory.create(size), (m) => {
    m.protect('none')
    for (const at of [0, 5, page, size]) {
      t.is(m.read(at, 0).length, 0)
      t.is(m.write('', at), 0)
      m.fill(1, at, at)
    }
  })
})

test('memory that was shorter for a while has zeros where it was cut', (t) => {
  for (const [short, long] of [
    [1, 2 * page],
    [page - 1, page + 1],
    [page + 5, 8 * page],
    [1, page],
    [0, 2 * page],
  ] as const) {
    using(AnonymousMemory.create(2 * page).fill(7), (m) => {
      m.resize(short)
      m.resize(long)
      t.is(m.count(7), short, `${short}, ${long}`)
      t.is(m.count(0), long - short)
    })
  }
})

test('a file that is mapped at no length keeps its own', (t) => {
  const path = file(counting(10))
  using(MappedFile.openSync(path, { access: 'write', offset: 100_000, length: 0 }), (m) => t.is(m.byteLength, 0))
  t.is(readFileSync(path).length, 10)
})

linux('guard pages are refused, as nobody could mend an access', (t) => {
  const { MADV_GUARD_INSTALL } = posix
  t.is(typeof MADV_GUARD_INSTALL, 'number')
  using(AnonymousMemory.create(size), (m) => {
    fails(t, () => posix.madvise(m, page, MADV_GUARD_INSTALL), 'ENOTSUP')
    t.is(m.getUint8(0), 0)
  })
})

test('a signal is one whose listeners can be taken away again', async (t) => {
  const m = AnonymousMemory.create(size)
  const half = { aborted: false, addEventListener() {} } as unknown as AbortSignal
  await t.throwsAsync(m.countAsync('a', { signal: half }), { code: 'ERR_INVALID_ARG_TYPE' })
  await t.throwsAsync(m.load({ signal: half }), { code: 'ERR_INVALID_ARG_TYPE' })
  await t.throwsAsync(m.waitAsync(0, 0, { signal: half, timeoutMs: 1 }), { code: 'ERR_INVALID_ARG_TYPE' })
  fails(t, () => m.chunks({ signal: half }), 'ERR_INVALID_ARG_TYPE')
  // Nobody who only might listen does.
  let listening = 0
  const whole = {
    aborted: false,
    addEventListener: () => void listening++,
    removeEventListener: () => void listening--,
  } as unknown as AbortSignal
  for (let turn = 0; turn < 5; turn++) m.indexesOf('a', { signal: whole })
  t.is(listening, 0)
  for await (const position of m.indexesOf('a', { signal: whole })) t.fail(String(position))
  t.is(await m.countAsync('a', { signal: whole }), 0)
  t.is(listening, 0)
  m.close()
})

test('null is no default, and what only looks like bytes is none', async (t) => {
  const m = AnonymousMemory.create(size)
  fails(t, () => m.chunks({ size: null as never }), 'ERR_INVALID_ARG_TYPE')
  fails(t, () => m.createReadStream({ highWaterMark: null as never }), 'ERR_INVALID_ARG_TYPE')
  await t.throwsAsync(m.countAsync('a', { threads: null as never }), { code: 'ERR_INVALID_ARG_TYPE' })
  const nobody = Object.create(Uint8Array.prototype) as Uint8Array
  for (const use of [
    () => m.write(nobody, 0),
    () => m.readInto(nobody, 0),
    () => m.fill(nobody),
    () => m.compare(nobody),
    () => m.indexOf(nobody),
    () => m.count(nobody),
  ])
    fails(t, use, 'ERR_INVALID_ARG_TYPE')
  class Liar extends Uint8Array {
    override get byteLength() {
      return 1
    }
  }
  m.protect('read', { offset: page, length: page })
  fails(t, () => m.write(new Liar(2 * page).fill(1), 0), 'EACCES')
  t.is(m.count(1), 0)
  m.close()
})

unless(missingPages || (underQemu && 'qemu loads pages that are not there') || (!onLinux && 'cuts a mapped file'))(
  'a fault is told in the same words by all who meet it',
  async (t) => {
    const path = file(counting(size))
    const uses: ((m: MappedFile) => unknown)[] = [
      (m) => m.getUint8(2 * page),
      (m) => m.read(2 * page, 4),
      (m) => m.indexOf('no such text'),
      (m) => m.count('no such text'),
      (m) => m.countAsync('no such text'),
      (m) => m.load(),
      (m) => [...m.lines()],
      async (m) => {
        for await (const line of m.lines()) void line
      },
      async (m) => {
        for await (const chunk of m.chunks({ size: page })) void chunk[0]
      },
    ]
    for (const use of uses) {
      fs.writeFileSync(path, counting(size))
      const m = MappedFile.openSync(path)
      fs.truncateSync(path, 2 * page)
      const error = (await t.throwsAsync(async () => use(m), { code: 'ERR_MAPPING_FAULT' }, String(use))) as Error & {
        fault?: { kind: string; offset: number }
      }
      t.deepEqual(error.fault, { kind: 'truncated', offset: 2 * page }, String(use))
      t.true(error.message.includes(path), error.message)
      m.close()
    }
  },
)

linux('search looks into every page that may hold more than a sparse file does', (t) => {
  const path = file(0)
  fs.truncateSync(path, 1 << 20)
  const fd = fs.openSync(path, 'r+')
  // Mapped to be read, and widened.
  using(posix.mmap(null, 1 << 20, posix.PROT_READ, posix.MAP_PRIVATE, fd, 0), (m) => {
    posix.mprotect(m, 1 << 20, posix.PROT_READ | posix.PROT_WRITE)
    m.write('needle', 500_000)
    t.is(m.indexOf('needle'), 500_000)
    t.is(m.lastIndexOf('needle'), 500_000)
    t.is(m.count('needle'), 1)
  })
  // What lies behind the first half is that half again, not what the file has there.
  fs.writeSync(fd, 'XYZ', 100)
  using(posix.Reservation.reserve(1 << 18).mirror(fd, { length: 1 << 16 }), (ring) => {
    t.is(ring.indexOf('XYZ', 1 << 16), (1 << 16) + 100)
    t.is(ring.count('XYZ'), 2)
  })
  fs.closeSync(fd)
})
