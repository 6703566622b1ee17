import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { setTimeout as pause } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'

import test from 'ava'

import { LogWritable, MappedLog } from '../lib/log'
import { atOnce, remove, unless } from './helpers'
import { disk } from './systems'

const folder = mkdtempSync(join(tmpdir(), 'memmap-log-'))
test.after.always(() => remove(folder))

let names = 0
const fresh = () => join(folder, String(names++))
const texts = (log: MappedLog) => [...log].map(({ data }) => data.toString())
const segments = (directory: string) => readdirSync(directory).filter((name) => name.endsWith('.seg'))

test('what is appended is read back: by position, by iteration, after opening again', async (t) => {
  const directory = fresh()
  let log = await MappedLog.open(directory)
  const big = Buffer.alloc(100_000, 7)
  const appended: [string | Buffer, number][] = []
  for (const data of ['', 'a', 'grüße 🎉', big, Buffer.alloc(0), 'x'.repeat(50_000)])
    appended.push([data, log.append(data)])
  const words = new Uint16Array([1, 2, 3])
  appended.push([Buffer.from(words.buffer), log.append(words)])
  appended.push([Buffer.from([9]), log.append(new Uint8Array([9]).buffer)])
  const check = () => {
    for (const [data, position] of appended) t.deepEqual(log.read(position), Buffer.from(data as string))
    t.deepEqual(
      [...log],
      appended.map(([data, position]) => ({ position, data: Buffer.from(data as string) })),
    )
  }
  check()
  log.close()
  log = MappedLog.openSync(pathToFileURL(directory))
  t.deepEqual(log.recovery, { recovered: 8, cut: 0, damaged: [] })
  check()
  const [first, second] = log.appendMany(['more', Buffer.from('and more')])
  t.is(log.read(first!).toString() + log.read(second!).toString(), 'moreand more')
  log.close()
})

atOnce('memory that is detached is no record, and none of those beside it is appended', (t) => {
  const log = MappedLog.openSync(fresh())
  const detached = Uint8Array.of(1, 2)
  const view = new DataView(detached.buffer)
  structuredClone(detached.buffer, { transfer: [detached.buffer] })
  for (const data of [detached, view]) {
    t.throws(() => log.append(data), { code: 'ERR_INVALID_ARG_VALUE' })
    t.throws(() => log.appendMany(['a', data]), { code: 'ERR_INVALID_ARG_VALUE', message: /records\[1\]/ })
  }
  t.is(log.append(new Uint8Array(0)), 128)
  t.deepEqual(texts(log), [''])
  log.close()
})

atOnce('a log goes on over many segments, with positions that grow', (t) => {
  const directory = fresh()
  const log = MappedLog.openSync(directory, { segmentSize: 4096, flush: 'never' })
  const expected = Array.from({ length: 500 }, (_, number) => `${number} ${'-'.repeat(number % 300)}`)
  const positions = expected.map((text) => log.append(text))
  t.deepEqual(
    positions,
    positions.toSorted((a, b) => a - b),
  )
  t.true(log.stats().segments > 10)
  t.deepEqual(texts(log), expected)
  positions.forEach((position, at) => t.is(log.read(position).toString(), expected[at]!))
  log.close()
  const again = MappedLog.openSync(directory, { segmentSize: 8192 })
  t.deepEqual(texts(again), expected)
  again.close()
})

test('records of every length around the end of a segment', (t) => {
  for (let rest = 0; rest < 40; rest++) {
    const log = MappedLog.openSync(fresh(), { segmentSize: 4096, flush: 'never' })
    const expected = ['x'.repeat(3900 - rest), 'y'.repeat(rest), 'z'.repeat(10), 'ü'.repeat(20), '.']
    for (const text of expected) log.append(text)
    t.deepEqual(texts(log), expected)
    log.close()
  }
})

test('a record must fit into a segment', (t) => {
  const log = MappedLog.openSync(fresh(), { segmentSize: 4096 })
  const largest = 4096 - 128 - 16
  t.is(log.read(log.append(Buffer.alloc(largest, 1))).length, largest)
  t.throws(() => log.append(Buffer.alloc(largest + 1)), { code: 'ERR_OUT_OF_RANGE' })
  t.throws(() => log.append('x'.repeat(largest + 1)), { code: 'ERR_OUT_OF_RANGE' })
  t.is(log.append('ü'.repeat(largest / 2)) > 0, true)
  t.is([...log].length, 2)
  log.close()
})

test('there is one writer, and readers beside it', (t) => {
  const directory = fresh()
  const log = MappedLog.openSync(directory)
  const error = t.throws(() => MappedLog.openSync(directory), { code: 'EBUSY' })
  t.regex(error.message, /another writer/)
  const reader = MappedLog.openSync(directory, { readOnly: true })
  t.deepEqual(texts(reader), [])
  const position = log.append('seen')
  t.deepEqual(texts(reader), ['seen'])
  t.is(reader.read(position).toString(), 'seen')
  t.throws(() => reader.append('no'), { code: 'ERR_INVALID_STATE' })
  t.throws(() => reader.truncateBefore(0), { code: 'ERR_INVALID_STATE' })
  t.is(reader.recovery.recovered, 1)
  t.is(reader.stats().end, log.stats().end)
  log.close()
  const next = MappedLog.openSync(directory)
  next.append('by the next one')
  t.deepEqual(texts(reader), ['seen', 'by the next one'])
  reader.close()
  next.close()
  t.throws(() => MappedLog.openSync(join(directory, 'nothing'), { readOnly: true }), { code: 'ENOENT' })
})

test('wrong arguments, positions and options', (t) => {
  const directory = fresh()
  t.throws(() => MappedLog.openSync(directory, { segmentsize: 1 } as object), { instanceOf: TypeError })
  t.throws(() => MappedLog.openSync(directory, { flush: 'often' as 'never' }), { code: 'ERR_INVALID_ARG_VALUE' })
  t.throws(() => MappedLog.openSync(directory, { segmentSize: 100 }), { code: 'ERR_OUT_OF_RANGE' })
  t.throws(() => MappedLog.openSync(directory, { retain: { days: 1 } as object }), { instanceOf: TypeError })
  t.throws(() => MappedLog.openSync(5 as unknown as string), { code: 'ERR_INVALID_ARG_TYPE' })
  t.false(existsSync(directory))
  const log = MappedLog.openSync(directory)
  const position = log.append('x')
  for (const wrong of [0, 5, position - 8, position + 8, position + 16, 1e9]) {
    t.throws(() => log.read(wrong), { code: 'ERR_OUT_OF_RANGE' }, String(wrong))
  }
  t.throws(() => log.read(-1), { code: 'ERR_OUT_OF_RANGE' })
  t.throws(() => log.append(5 as unknown as string), { code: 'ERR_INVALID_ARG_TYPE' })
  log.close()
  log.close()
  t.throws(() => log.append('x'), { code: 'ERR_INVALID_STATE' })
  t.throws(() => log.read(position), { code: 'ERR_INVALID_STATE' })
  t.throws(() => [...log], { code: 'ERR_INVALID_STATE' })
})

atOnce('flush and its twin move the durable position, and so does close', async (t) => {
  const directory = fresh()
  let log = MappedLog.openSync(directory, { segmentSize: 4096, flush: 'never' })
  for (let number = 0; number < 100; number++) log.append(`${number} ${'-'.repeat(100)}`)
  t.true(log.stats().durable < log.stats().end)
  await log.flush()
  t.is(log.stats().durable, log.stats().end)
  log.append('later')
  log.flushSync()
  t.is(log.stats().durable, log.stats().end)
  // While one runs, more is appended; a second one covers it.
  const running = log.flush()
  for (let number = 0; number < 100; number++) log.append(`${number} ${'-'.repeat(100)}`)
  await Promise.all([running, log.flush(), log.flush()])
  t.is(log.stats().durable, log.stats().end)
  log.close()
  log = MappedLog.openSync(directory, { flush: 'always' })
  log.append('durable')
  t.is(log.stats().durable, log.stats().end)
  log.close()
  log = MappedLog.openSync(directory, { flushMs: 5 })
  log.append('soon')
  while (log.stats().durable < log.stats().end) await pause(5)
  log.close()
  t.pass()
})

atOnce('truncateBefore gives up records to the exact position, and whole files', (t) => {
  const directory = fresh()
  let log = MappedLog.openSync(directory, { segmentSize: 4096 })
  const positions = Array.from({ length: 200 }, (_, number) => log.append(`${number} ${'-'.repeat(100)}`))
  const before = segments(directory).length
  log.truncateBefore(positions[120]!)
  t.true(segments(directory).length < before)
  const left = () => [...log].map(({ position }) => position)
  t.deepEqual(left(), positions.slice(120))
  t.throws(() => log.read(positions[119]!), { code: 'ERR_OUT_OF_RANGE' })
  log.close()
  log = MappedLog.openSync(directory)
  t.deepEqual(log.recovery.damaged, [])
  t.deepEqual(left(), positions.slice(120))
  log.truncateBefore(log.stats().end)
  t.deepEqual(left(), [])
  t.true(log.append('on') > positions.at(-1)!)
  log.close()
})

atOnce('retain deletes whole segments: by number, by bytes, by age', async (t) => {
  const fill = (log: MappedLog) => {
    for (let number = 0; number < 200; number++) log.append(`${number} ${'-'.repeat(100)}`)
  }
  for (const retain of [{ segments: 3 }, { bytes: 3 * 4096 }]) {
    const log = MappedLog.openSync(fresh(), { segmentSize: 4096, retain })
    fill(log)
    t.is(log.stats().segments, 3)
    const kept = texts(log)
    t.true(kept.length > 50 && kept.at(-1)!.startsWith('199 '))
    log.close()
  }
  const directory = fresh()
  let log = MappedLog.openSync(directory, { segmentSize: 4096 })
  fill(log)
  log.close()
  await pause(30)
  log = MappedLog.openSync(directory, { segmentSize: 4096, retain: { ageMs: 20 } })
  t.is(log.stats().segments, 1)
  t.true(texts(log).length > 0)
  log.close()
})

test('tail begins where it is told, follows over segments, and ends with the signal or the log', async (t) => {
  const log = MappedLog.openSync(fresh(), { segmentSize: 4096, flush: 'never' })
  const first = log.append('first')
  const seen: string[] = []
  const all = (async () => {
    for await (const { data } of log.tail({ from: first })) seen.push(data.toString())
  })()
  const fromNow: string[] = []
  const controller = new AbortController()
  const some = (async () => {
    for await (const { data } of log.tail({ signal: controller.signal })) fromNow.push(data.toString())
  })()
  const expected = Array.from({ length: 300 }, (_, number) => `${number} ${'-'.repeat(100)}`)
  for (const [at, text] of expected.entries()) {
    log.append(text)
    if (at % 50 === 0) await pause(2)
  }
  while (seen.length < 301 || fromNow.length < 300) await pause(2)
  t.deepEqual(seen, ['first', ...expected])
  t.deepEqual(fromNow, expected)
  controller.abort(new Error('enough'))
  const enough = await t.throwsAsync(some, { name: 'AbortError', code: 'ABORT_ERR' })
  t.is((enough!.cause as Error).message, 'enough')
  log.close()
  await all
})

test('a stream writes a record a chunk, and flushes at its end', async (t) => {
  const directory = fresh()
  const writable = new LogWritable(directory)
  await pipeline(async function* () {
    yield 'one'
    yield Buffer.from('two')
    yield 'ü'
  }, writable)
  t.true(writable.log.closed)
  const log = MappedLog.openSync(directory)
  t.deepEqual(texts(log), ['one', 'two', 'ü'])
  const shared = new LogWritable(log)
  shared.write('ff00', 'hex')
  t.deepEqual(log.read([...log].at(-1)!.position), Buffer.from([255, 0]))
  await new Promise((done) => shared.end(done))
  t.false(log.closed)
  log.close()
})

unless(process.platform === 'win32' && 'Windows removes no directory of files that are mapped')(
  'a flush that fails is final until the log is opened again',
  async (t) => {
    const directory = fresh()
    const log = MappedLog.openSync(directory, { segmentSize: 4096, flush: 'never' })
    log.append('before')
    // The names cannot be synced any more once the directory is gone.
    rmSync(directory, { recursive: true })
    const error = await t.throwsAsync(log.flush(), { code: 'ERR_LOG_FAILED' })
    t.is((error.cause as NodeJS.ErrnoException).code, 'ENOENT')
    t.throws(() => log.append('after'), { code: 'ERR_LOG_FAILED' })
    await t.throwsAsync(log.flush(), { code: 'ERR_LOG_FAILED' })
    log.close()
    const again = MappedLog.openSync(directory)
    again.append('works')
    again.close()
  },
)

const small = disk('tmpfs', 'size=1m')
unless(small.problem)(
  'a full disk: append throws ENOSPC, earlier records stay, and it goes on once there is room',
  (t) => {
    if (small.problem !== undefined) return
    const ballast = join(small.path, 'ballast')
    writeFileSync(ballast, Buffer.alloc(512 * 1024))
    const directory = join(small.path, 'log')
    let log = MappedLog.openSync(directory, { segmentSize: 65_536 })
    const expected: string[] = []
    const append = () => {
      const text = `${expected.length} ${'-'.repeat(1000)}`
      log.append(text)
      expected.push(text)
    }
    const error = t.throws(() => {
      for (let turn = 0; turn < 10_000; turn++) append()
    })
    t.is((error as NodeJS.ErrnoException).code, 'ENOSPC')
    t.throws(append, { code: 'ENOSPC' })
    t.deepEqual(texts(log), expected)
    rmSync(ballast)
    for (let turn = 0; turn < 100; turn++) append()
    t.deepEqual(texts(log), expected)
    log.close()
    log = MappedLog.openSync(directory)
    t.deepEqual(texts(log), expected)
    t.deepEqual(log.recovery, { recovered: expected.length, cut: 0, damaged: [] })
    log.close()
  },
)

atOnce('segments that were given up while the log itself read them are gone when it is closed', (t) => {
  const directory = fresh()
  const log = MappedLog.openSync(directory, { segmentSize: 4096, flush: 'never' })
  const positions = Array.from({ length: 100 }, () => log.append(Buffer.alloc(500, 1)))
  t.is([...log].length, 100)
  log.truncateBefore(positions[95]!)
  log.close()
  t.true(segments(directory).length <= 2, segments(directory).join(' '))
})

atOnce('a log is opened again while a reader has the segment mapped that was made ahead', async (t) => {
  const directory = fresh()
  let log = MappedLog.openSync(directory, { segmentSize: 1 << 16, flush: 'never' })
  while (segments(directory).length < 2) {
    log.append(Buffer.alloc(1000, 1))
    await pause(1)
  }
  const reader = MappedLog.openSync(directory, { readOnly: true })
  t.is([...reader].length, [...log].length)
  log.close()
  log = MappedLog.openSync(directory, { segmentSize: 1 << 16, flush: 'never' })
  const last = Array.from({ length: 100 }, (_, number) => log.append(`${number}${'-'.repeat(1000)}`)).at(-1)!
  t.is([...reader].at(-1)!.position, last)
  reader.close()
  log.close()
  // What could only be renamed goes with the next opening.
  MappedLog.openSync(directory).close()
  t.deepEqual(
    readdirSync(directory).filter((name) => !name.endsWith('.seg')),
    ['bell', 'lock'],
  )
})

test('a program that looks into the file lock keeps no writer out, and sees who has it', (t) => {
  const directory = fresh()
  MappedLog.openSync(directory).close()
  const path = join(directory, 'lock')
  const fd = openSync(path, 'r')
  const log = MappedLog.openSync(directory)
  t.is(readFileSync(path, 'utf8'), `${process.pid}\n`)
  t.throws(() => MappedLog.openSync(directory), { code: 'EBUSY' })
  log.close()
  closeSync(fd)
})
