import { fstatSync, readlinkSync, realpathSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import test from 'ava'
import { AnonymousMemory, MappedFile, Mapping } from '../index'
import { atOnce, caught, counting, file, isCoded, linuxOnly, mapsOf, page, throwsCoded, using } from './helpers'

const size = page + 3

/** Every method of a mapping, its own and inherited. */
function methodsOf(mapping: Mapping): string[] {
  const names = new Set<string>()
  for (
    let at = Object.getPrototypeOf(mapping) as object;
    at !== Object.prototype;
    at = Object.getPrototypeOf(at) as object
  ) {
    for (const [name, { value }] of Object.entries(Object.getOwnPropertyDescriptors(at))) {
      if (typeof value === 'function' && name !== 'constructor') names.add(name)
    }
  }
  return [...names]
}

/** Closing twice is fine. */
const WORKS_CLOSED = new Set(['close'])

const makers: Record<string, () => Mapping> = {
  'a read mapping': () => MappedFile.openSync(file(counting(size))),
  'a write mapping': () => MappedFile.openSync(file(counting(size)), { access: 'write' }),
  'a copy': () => MappedFile.openSync(file(counting(size)), { access: 'copy' }),
  memory: () => AnonymousMemory.create(size),
  'an empty file': () => MappedFile.openSync(file(''), { access: 'write' }),
}

for (const [name, make] of Object.entries(makers)) {
  test(`every method of ${name} is ERR_INVALID_STATE after close, before it looks at its arguments`, async (t) => {
    const m = make()
    if (m.byteLength > 0) m.getUint8(0)
    t.is(m.bytes.length, m.byteLength)
    m.close()
    const methods = methodsOf(m).filter((method) => !WORKS_CLOSED.has(method))
    t.true(methods.length >= 35, methods.join())
    for (const method of methods) {
      const error = await failure(() => (m as unknown as Record<string, () => unknown>)[method]!())
      if (error === undefined) t.fail(`${method} works`)
      else isCoded(t, error, 'ERR_INVALID_STATE')
    }
    throwsCoded(t, () => m.bytes, 'ERR_INVALID_STATE')
  })

  test(`${name} says that it is closed, and what else it was`, (t) => {
    const m = make()
    const { access, path, fileOffset, pageSize, mapped } = m
    t.false(m.closed)
    m.close()
    t.true(m.closed)
    t.is(m.byteLength, 0)
    t.is(m.address, 0n)
    t.is(m.fd, undefined)
    t.is(m.carrier, 'none')
    t.is(m.fault, null)
    t.deepEqual([m.access, m.path, m.fileOffset, m.pageSize, m.mapped], [access, path, fileOffset, pageSize, mapped])
  })
}

/** What a method throws, its promise is rejected with, or its iterator at the first step. */
async function failure(call: () => unknown): Promise<NodeJS.ErrnoException | undefined> {
  try {
    const result = await call()
    const iterator = (result as AsyncIterable<unknown> | undefined)?.[Symbol.asyncIterator]?.()
    await iterator?.next()
    return undefined
  } catch (error) {
    return error as NodeJS.ErrnoException
  }
}

test('close twice, dispose, and both: the first does everything', (t) => {
  const m = MappedFile.openSync(file(size))
  t.is(m.close(), undefined)
  t.is(m.close(), undefined)
  t.is(m[Symbol.dispose](), undefined)
  const other = AnonymousMemory.create(1)
  other[Symbol.dispose]()
  t.true(other.closed)
  other.close()
})

test('every view becomes length 0, of whatever kind, also one made from another', (t) => {
  const m = MappedFile.openSync(file(4 * page), { access: 'write' })
  const views = [
    m.bytes,
    m.subarray(1, 3),
    m.subarray(page, 2 * page),
    m.view(Int32Array),
    m.view(Float64Array, 8, 2),
    m.bytes.subarray(5),
    new Uint16Array(m.bytes.buffer, 0, 4),
  ]
  const data = m.dataView(3, 9)
  m.close()
  for (const view of views) {
    t.is(view.length, 0)
    t.is(view.byteLength, 0)
    t.is(view.buffer.byteLength, 0)
  }
  t.throws(() => data.getInt8(0), { instanceOf: TypeError })
})

test('a store through a view of a closed mapping goes nowhere', (t) => {
  const path = file(counting(page))
  const m = MappedFile.openSync(path, { access: 'write' })
  const { bytes } = m
  m.close()
  bytes[0] = 255
  Reflect.set(bytes, page - 1, 255)
  t.throws(() => bytes.fill(255), { instanceOf: TypeError })
  using(MappedFile.openSync(path), (again) => t.is(again.compare(counting(page)), 0))
})

/** What a descriptor is of, if it is open. */
function fileOf(fd: number): string | undefined {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`)
  } catch {
    return undefined
  }
}

linuxOnly('the file is unmapped and its descriptor closed when close returns', (t) => {
  for (const exported of [false, true]) {
    const path = file(counting(3 * page))
    const m = MappedFile.openSync(path, { access: 'write' })
    if (exported) t.is(m.bytes.length, m.subarray().length)
    const fd = m.fd!
    t.is(fstatSync(fd).size, 3 * page)
    t.is(fileOf(fd), realpathSync(path))
    t.true(mapsOf(path) > 0)
    m.close()
    t.is(mapsOf(path), 0)
    // Another thread's file can have the number by now.
    t.not(fileOf(fd), realpathSync(path))
  }
})

linuxOnly('views that are in use when their mapping is collected keep the file mapped', async (t) => {
  const path = file(counting(3 * page))
  const view = MappedFile.openSync(path).subarray(page, page + 10)
  for (let i = 0; i < 20; i++) {
    Buffer.alloc(1 << 20)
    await new Promise((resolve) => setImmediate(resolve))
  }
  t.deepEqual(Buffer.from(view), counting(3 * page).subarray(page, page + 10))
  t.true(mapsOf(path) > 0)
})

atOnce('a closed file can be renamed, replaced and removed', (t) => {
  const path = file(counting(page))
  const m = MappedFile.openSync(path, { access: 'write' })
  t.is(m.bytes.length, page)
  m.close()
  writeFileSync(path, 'shorter')
  renameSync(path, `${path}.moved`)
  rmSync(`${path}.moved`)
  t.pass()
})

test('closing one mapping of a file leaves the others alone', (t) => {
  const path = file(counting(page))
  const mappings = Array.from({ length: 5 }, () => MappedFile.openSync(path, { access: 'write' }))
  const views = mappings.map((m) => m.bytes)
  mappings[1]!.close()
  mappings[3]!.close()
  mappings[0]!.setUint8(0, 99)
  t.deepEqual(
    views.map((view) => view[0]),
    [99, undefined, 99, undefined, 99],
  )
  for (const m of mappings) m.close()
})

test('nobody but the package makes mappings', (t) => {
  for (const Class of [MappedFile, AnonymousMemory, Mapping]) {
    for (const args of [[], [{}], [{ byteLength: 5 }], ['path']]) {
      const error = caught(t, () => Reflect.construct(Class, args))
      t.is(error.code, 'ERR_ILLEGAL_CONSTRUCTOR')
      t.true(error instanceof TypeError)
    }
  }
})

test('a method or property on what is no mapping is a TypeError', async (t) => {
  const prototype = Object.getPrototypeOf(AnonymousMemory.create(0)) as Record<string, Function>
  for (const method of methodsOf(AnonymousMemory.create(0))) {
    t.true((await failure(() => prototype[method]!.call({}))) instanceof TypeError, method)
  }
  for (const name of ['byteLength', 'bytes', 'closed', 'fault']) {
    t.throws(() => Reflect.get(Mapping.prototype, name, {}), { instanceOf: TypeError })
  }
})
