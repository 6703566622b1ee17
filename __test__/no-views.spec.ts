// An engine without views of foreign memory, as Electron on Windows: MEMMAP_CARRIER=none takes them away from this one. A test build on Windows
// with MEMMAP_TEST_REFUSE_EXTERNAL set needs no such word: its engine refuses external buffers, and there are no carriers.
import { readFileSync } from 'node:fs'
import test from 'ava'
import { counting, file, onWindows, page } from './helpers'
import { elsewhere } from './systems'

const refused = onWindows && process.env['MEMMAP_TEST_REFUSE_EXTERNAL'] !== undefined
const env = refused ? {} : { MEMMAP_CARRIER: 'none' }
const size = 3 * page + 100

const quoted = (value: unknown) => JSON.stringify(value)

test('without views isSupported says so, and what would be one throws and names what to use', async (t) => {
  const seen = await elsewhere(
    `const m = MappedFile.openSync(${quoted(file(size))})
    const thrown = (action) => {
      try { action() } catch (error) { return [error.code, /getUint8|read\\(/.test(error.message)] }
      return ['nothing', false]
    }
    return {
      views: Mapping.isSupported('views'),
      carrier: m.carrier,
      bytes: thrown(() => m.bytes),
      subarray: thrown(() => m.subarray(1, 5)),
      view: thrown(() => m.view(Int32Array)),
      dataView: thrown(() => m.dataView()),
      memory: thrown(() => AnonymousMemory.create(10).bytes),
    }`,
    { env },
  )
  const none = ['ERR_VIEWS_UNAVAILABLE', true]
  t.deepEqual(seen, {
    views: false,
    carrier: 'none',
    bytes: none,
    subarray: none,
    view: none,
    dataView: none,
    memory: none,
  })
})

const NUMBERS = ['Int8', 'Uint8', 'Int16', 'Uint16', 'Int32', 'Uint32', 'Float32', 'Float64', 'BigInt64', 'BigUint64']

test('without views every accessor reads and writes, at any alignment and in both byte orders', async (t) => {
  const path = file(size)
  const seen = await elsewhere(
    `const m = MappedFile.openSync(${quoted(path)}, { access: 'write' })
    const bytes = Buffer.from(fs.readFileSync(${quoted(path)}))
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
    const wrong = []
    for (const name of ${quoted(NUMBERS)}) {
      for (const position of [0, 1, ${page - 3}, ${page}, ${size - 8}]) {
        for (const little of [true, false, undefined]) {
          if (!Object.is(m['get' + name](position, little), view['get' + name](position, little))) wrong.push(['get', name, position, little])
          const value = name.startsWith('Big') ? 5n : 5
          m['set' + name](position, value, little)
          view['set' + name](position, value, little)
          if (m['get' + name](position, little) !== value) wrong.push(['set', name, position, little])
        }
      }
      if (code(() => m['get' + name](${size})) !== 'ERR_OUT_OF_RANGE') wrong.push(['range', name])
    }
    if (m.compare(bytes) !== 0) wrong.push('compare')
    m.flushSync()
    m.close()
    if (!bytes.equals(fs.readFileSync(${quoted(path)}))) wrong.push('the file')
    return wrong`,
    { env },
  )
  t.deepEqual(seen, [])
})

test('without views everything that takes or gives copies works', async (t) => {
  const path = file(size)
  const seen = (await elsewhere(
    `const path = ${quoted(path)}
    const m = MappedFile.openSync(path, { access: 'write' })
    const before = fs.readFileSync(path)
    const result = {}
    result.read = m.read(5, 100).equals(before.subarray(5, 105))
    const target = Buffer.alloc(50)
    m.readInto(target, ${page})
    result.readInto = target.equals(before.subarray(${page}, ${page} + 50))
    result.write = m.write('needle', 200)
    m.fill('ab', 300, 305)
    m.copyWithin(400, 200, 206)
    result.found = [m.indexOf('needle'), m.indexOf('needle', 201), m.lastIndexOf('needle'), m.includes('ababa'), m.count('needle')]
    result.later = [await m.indexOfAsync('needle'), await m.countAsync('needle')]
    const all = []
    for await (const at of m.indexesOf('needle')) all.push(at)
    result.all = all
    m.write('one\\ntwo\\n', 0)
    result.lines = [...m.lines({ offset: 0, length: 8 })]
    const cursor = m.cursor()
    result.cursor = [cursor.readLine().toString().trim(), cursor.tell()]
    result.anonymous = AnonymousMemory.create(16).fill(7).getUint8(15)
    await m.load()
    m.evict()
    await m.flush()
    result.compare = m.compare(MappedFile.openSync(path))
    const other = Mapping.from(m.share())
    other.setUint8(0, 90)
    result.shared = m.getUint8(0)
    other.close()
    m.resize(${5 * page})
    result.resized = [m.byteLength, m.size(), m.getUint8(201)]
    const streamed = []
    for await (const piece of m.createReadStream({ offset: 200, length: 6 })) streamed.push(piece)
    result.streamed = Buffer.concat(streamed).toString()
    m.close()
    result.closed = code(() => m.getUint8(0))
    return result`,
    { env },
  )) as Record<string, unknown>
  t.deepEqual(seen, {
    read: true,
    readInto: true,
    write: 6,
    found: [200, 400, 400, true, 2],
    later: [200, 2],
    all: [200, 400],
    lines: ['one', 'two'],
    cursor: ['one', 4],
    anonymous: 7,
    compare: 0,
    shared: 90,
    resized: [5 * page, 5 * page, 'e'.charCodeAt(0)],
    streamed: 'needle',
    closed: 'ERR_INVALID_STATE',
  })
  const after = readFileSync(path)
  t.is(after.length, 5 * page)
  t.is(after[0], 90)
  t.is(after[page + 5], counting(size)[page + 5])
})

test('without views a read-only mapping refuses writers, and shared memory and waits work', async (t) => {
  const seen = await elsewhere(
    `const m = MappedFile.openSync(${quoted(file('12345678'))})
    const result = { read: m.getUint8(0), write: code(() => m.setUint8(0, 1)), text: m.read(0, 8).toString() }
    const memory = AnonymousMemory.create(64)
    if (Mapping.isSupported('wait')) {
      const woken = memory.waitAsync(0, 0)
      result.notified = memory.notify(0)
      result.woken = await woken
      result.late = memory.wait(0, 1)
    }
    return result`,
    { env },
  )
  const { notified = 1, woken = 'ok', late = 'not-equal', ...rest } = seen as Record<string, unknown>
  t.deepEqual(rest, { read: 0x31, write: 'EACCES', text: '12345678' })
  t.deepEqual([notified, woken, late], [1, 'ok', 'not-equal'])
})
