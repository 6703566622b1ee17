// memmap/log as somebody uses it who has not read its documents, or means harm.
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'

import test from 'ava'

import { MappedLog } from '../lib/log'
import { LogWritable } from '../lib/log'
import { destination } from '../lib/log/pino'
import transport from '../lib/log/pino'
import { atOnce, narrow, remove, unless } from './helpers'

const folder = mkdtempSync(join(tmpdir(), 'memmap-log-hostile-'))
test.after.always(() => remove(folder))

let names = 0
const fresh = () => join(folder, String(names++))
const texts = (log: MappedLog) => [...log].map(({ data }) => data.toString())

/** Runs something with a small log, and closes it. */
function withLog<R>(use: (log: MappedLog, directory: string) => R): R {
  const directory = fresh()
  const log = MappedLog.openSync(directory, { segmentSize: 8192, flush: 'never' })
  try {
    return use(log, directory)
  } finally {
    log.close()
  }
}

test('bytes of every kind are appended as they are', (t) =>
  withLog((log) => {
    const memory = new SharedArrayBuffer(4)
    new Uint8Array(memory).set([1, 2, 3, 4])
    const kinds: [Parameters<MappedLog['append']>[0], number[]][] = [
      [memory, [1, 2, 3, 4]],
      [new Uint8Array(memory, 1, 2), [2, 3]],
      [new DataView(memory, 2), [3, 4]],
      [new Uint8Array([9, 8]).buffer, [9, 8]],
      [new DataView(new ArrayBuffer(3), 1), [0, 0]],
      [new Uint8ClampedArray([7]), [7]],
      [Buffer.from('ab').subarray(1), [98]],
      [new Uint8Array(0), []],
      ['', []],
    ]
    for (const [data, bytes] of kinds) t.deepEqual([...log.read(log.append(data))], bytes)
    t.is([...log].length, kinds.length)
  }))

test('what UTF-8 cannot say becomes U+FFFD, as in Buffer', (t) =>
  withLog((log) => {
    for (const text of ['\uD800', 'a\uDC00b', '\uDC00\uD800', '🎉'.repeat(900), '\0', '\uFEFFx']) {
      t.deepEqual(log.read(log.append(text)), Buffer.from(text))
    }
  }))

test('a subclass that lies about its length writes what it has', (t) =>
  withLog((log) => {
    class Liar extends Uint8Array {
      override get length() {
        return 3
      }
      override get byteLength() {
        return 1e9
      }
    }
    const liar = new Liar(100).fill(5)
    t.deepEqual(log.read(log.append(liar)), Buffer.alloc(100, 5))
    t.is(log.read(log.append('behind it')).toString(), 'behind it')
    const nobody = Object.create(Uint8Array.prototype) as Uint8Array
    t.throws(() => log.append(nobody), { code: 'ERR_INVALID_ARG_TYPE' })
    t.throws(() => log.append(new Proxy(new Uint8Array(4), {})), { code: 'ERR_INVALID_ARG_TYPE' })
    t.is([...log].length, 2)
  }))

test('what is no record is refused before anything is appended', (t) =>
  withLog((log) => {
    for (const wrong of [undefined, null, 1, 1n, {}, [], [1, 2], new Date(), Symbol('x'), new String('x'), () => 1]) {
      t.throws(() => log.append(wrong as string), { code: 'ERR_INVALID_ARG_TYPE', instanceOf: TypeError })
      t.throws(() => log.appendMany(['good', wrong as string]), { code: 'ERR_INVALID_ARG_TYPE' })
    }
    t.throws(() => log.appendMany(['good', Buffer.alloc(10_000)]), { code: 'ERR_OUT_OF_RANGE' })
    t.throws(() => log.appendMany(['good', 'ü'.repeat(5000)]), { code: 'ERR_OUT_OF_RANGE' })
    for (const wrong of ['text', undefined, null, 5, {}]) {
      t.throws(() => log.appendMany(wrong as string[]), { code: 'ERR_INVALID_ARG_TYPE' })
    }
    t.deepEqual(texts(log), [])
    t.deepEqual(log.appendMany([]), [])
    t.deepEqual(
      log.appendMany(new Set(['a', 'b'])).map((at) => log.read(at).toString()),
      ['a', 'b'],
    )
  }))

unless(narrow && 'no such buffers with 32 bits')('what is longer than 32 bits can count is too long, too', (t) =>
  withLog((log) => {
    for (const length of [2 ** 31 - 100, 2 ** 31, 2 ** 32 - 8]) {
      const huge = new Uint8Array(length)
      t.throws(() => log.append(huge), { code: 'ERR_OUT_OF_RANGE' })
      t.throws(() => log.appendMany(['good', huge]), { code: 'ERR_OUT_OF_RANGE' })
    }
    t.deepEqual(texts(log), [])
  }),
)

test('what no new segment has room for is too long, also where a longer segment is written', (t) => {
  const directory = fresh()
  MappedLog.openSync(directory, { segmentSize: 1 << 20, flush: 'never' }).close()
  const log = MappedLog.openSync(directory, { segmentSize: 8192, flush: 'never' })
  const most = 8192 - 144
  for (const long of [Buffer.alloc(most + 1), 'x'.repeat(most + 1), 'ü'.repeat(most / 2 + 1)]) {
    t.throws(() => log.append(long), { code: 'ERR_OUT_OF_RANGE' })
    t.throws(() => log.appendMany(['good', long]), { code: 'ERR_OUT_OF_RANGE' })
  }
  for (const long of [Buffer.alloc(most, 120), 'x'.repeat(most), 'ü'.repeat(most / 2)]) {
    t.deepEqual(log.read(log.append(long)), Buffer.from(long as string))
  }
  t.is([...log].length, 3)
  log.close()
})

test('names and options that are none are errors with a code that name them', (t) => {
  const directory = fresh()
  const wrong = (make: () => unknown, code: string, mentions: RegExp) => {
    const { message } = t.throws(make, { code }, String(make))!
    t.regex(message, mentions)
  }
  wrong(() => MappedLog.openSync(''), 'ERR_INVALID_ARG_VALUE', /directory/)
  wrong(
    () => MappedLog.openSync(directory, { retain: { byte: 1 } as object }),
    'ERR_INVALID_ARG_VALUE',
    /options\.retain\.byte/,
  )
  wrong(() => MappedLog.openSync(directory, { retain: [] as object }), 'ERR_INVALID_ARG_TYPE', /options\.retain/)
  const Constructor = MappedLog as unknown as new () => MappedLog
  wrong(() => new Constructor(), 'ERR_ILLEGAL_CONSTRUCTOR', /MappedLog\.open/)
  wrong(() => new LogWritable(directory, null as never), 'ERR_INVALID_ARG_TYPE', /options/)
  wrong(() => new LogWritable(directory, { closeLogs: true } as object), 'ERR_INVALID_ARG_VALUE', /closeLogs/)
  wrong(() => new LogWritable(directory, { closeLog: 1 } as never), 'ERR_INVALID_ARG_TYPE', /closeLog/)
  wrong(() => new LogWritable(undefined as never), 'ERR_INVALID_ARG_TYPE', /directory/)
  withLog((log) => wrong(() => new LogWritable(log, { flush: 'never' }), 'ERR_INVALID_ARG_VALUE', /flush/))
  for (const make of [transport, destination] as ((options: never) => unknown)[]) {
    wrong(() => make(undefined as never), 'ERR_INVALID_ARG_TYPE', /options/)
    wrong(() => make(null as never), 'ERR_INVALID_ARG_TYPE', /options/)
    wrong(() => make({} as never), 'ERR_INVALID_ARG_TYPE', /options\.dir/)
    wrong(() => make({ dir: directory, size: 1 } as never), 'ERR_INVALID_ARG_VALUE', /size/)
  }
  t.deepEqual(
    readdirSync(folder).filter((name) => join(folder, name) === directory),
    [],
  )
})

test('records that close the log while they are made are not acknowledged', (t) => {
  const directory = fresh()
  const log = MappedLog.openSync(directory)
  const records = function* () {
    yield 'one'
    log.close()
    yield 'two'
  }
  t.throws(() => log.appendMany(records()), { code: 'ERR_INVALID_STATE' })
  const again = MappedLog.openSync(directory)
  t.deepEqual(texts(again), [])
  again.close()
})

test('positions that are none', (t) =>
  withLog((log) => {
    const position = log.append('x')
    for (const wrong of [-1, 1.5, Number.NaN, Infinity, 2 ** 53, position + 1, position + 8, 4096, 8192, 1e12]) {
      t.throws(() => log.read(wrong), { code: 'ERR_OUT_OF_RANGE', instanceOf: RangeError }, String(wrong))
    }
    for (const wrong of [-1, 1.5, Number.NaN, 2 ** 53]) {
      t.throws(() => log.truncateBefore(wrong), { code: 'ERR_OUT_OF_RANGE' })
      t.throws(() => log.tail({ from: wrong }), { code: 'ERR_OUT_OF_RANGE' })
    }
    for (const wrong of ['0', null, {}, undefined, 0n]) {
      t.throws(() => log.read(wrong as number), { code: 'ERR_INVALID_ARG_TYPE' })
      t.throws(() => log.truncateBefore(wrong as number), { code: 'ERR_INVALID_ARG_TYPE' })
    }
    t.throws(() => log.tail({ from: -1n }), { code: 'ERR_OUT_OF_RANGE' })
    t.throws(() => log.tail({ From: 0 } as object), { code: 'ERR_INVALID_ARG_VALUE' })
    t.throws(() => log.tail({ signal: {} as AbortSignal }), { code: 'ERR_INVALID_ARG_TYPE' })
    t.is(log.read(position).toString(), 'x')
  }))

atOnce('truncateBefore at the end leaves a log that goes on, and beyond it is an error', (t) =>
  withLog((log, directory) => {
    for (let turn = 0; turn < 500; turn++) log.append(`${turn}`.padEnd(100))
    log.truncateBefore(0)
    t.is([...log].length, 500)
    const { end } = log.stats()
    for (const beyond of [end + 1, 1e15]) t.throws(() => log.truncateBefore(beyond), { code: 'ERR_OUT_OF_RANGE' })
    t.is([...log].length, 500)
    log.truncateBefore(end)
    t.deepEqual(texts(log), [])
    t.is(readdirSync(directory).filter((name) => name.endsWith('.seg') && name < '0').length, 0)
    const position = log.append('after')
    t.is(log.read(position).toString(), 'after')
    log.truncateBefore(position + 1)
    t.throws(() => log.read(position), { code: 'ERR_OUT_OF_RANGE' })
    t.deepEqual(texts(log), [])
  }),
)

test('after close everything says so, and nothing that was under way hangs', async (t) => {
  const log = MappedLog.openSync(fresh(), { flush: 'never' })
  const position = log.append('x')
  const iterator = log[Symbol.iterator]()
  t.is(iterator.next().value!.data.toString(), 'x')
  const tails = Array.from({ length: 30 }, () => log.tail())
  const waiting = tails.map(async (tail) => (await tail.next()).done)
  await pause(20)
  log.close()
  log[Symbol.dispose]()
  t.true(log.closed)
  t.deepEqual(new Set(await Promise.all(waiting)), new Set([true]))
  t.true(iterator.next().done)
  const calls = [
    () => log.append('y'),
    () => log.appendMany(['y']),
    () => log.read(position),
    () => log.flushSync(),
    () => log.truncateBefore(0),
    () => log.stats(),
    () => log.tail(),
    () => [...log],
  ]
  for (const call of calls) t.throws(call, { code: 'ERR_INVALID_STATE' }, String(call))
  await t.throwsAsync(log.flush(), { code: 'ERR_INVALID_STATE' })
  await t.throwsAsync(async () => (await log[Symbol.asyncIterator]().next()).value, { code: 'ERR_INVALID_STATE' })
  t.deepEqual(log.recovery, { recovered: 0, cut: 0, damaged: [] })
})

test('a flush that waited for another one does not resolve for what was never written', async (t) => {
  const log = MappedLog.openSync(fresh(), { flush: 'never' })
  log.append('x')
  const first = log.flush()
  log.append('y')
  const second = log.flush()
  log.close()
  await Promise.allSettled([first])
  await t.throwsAsync(second, { code: 'ERR_INVALID_STATE' })
})

test('both iterations give copies, and an iteration may append and read meanwhile', async (t) => {
  const log = MappedLog.openSync(fresh(), { segmentSize: 4096, flush: 'never' })
  const expected = Array.from({ length: 300 }, (_, turn) => `${turn}`)
  log.appendMany(expected)
  const seen: string[] = []
  for (const { position, data } of log) {
    seen.push(data.toString())
    data.fill(0)
    t.is(log.read(position).toString(), seen.at(-1)!)
    if (seen.length === 300) log.append('the last')
  }
  t.deepEqual(seen, [...expected, 'the last'])
  const later: string[] = []
  for await (const { data } of log) later.push(data.toString())
  t.deepEqual(later, seen)
  log.close()
})

atOnce('a tail begins at a bigint, in the middle of a record, behind the end, and before what is kept', async (t) => {
  const log = MappedLog.openSync(fresh(), { segmentSize: 4096, flush: 'never' })
  const positions = Array.from({ length: 200 }, (_, turn) => log.append(`${turn}`.padEnd(100)))
  const first = async (from: number | bigint) => {
    for await (const { position } of log.tail({ from })) return position
    return undefined
  }
  t.is(await first(BigInt(positions[50]!)), positions[50])
  t.is(await first(positions[50]! + 1), positions[51])
  log.truncateBefore(positions[100]!)
  t.is(await first(0), positions[100])
  const behind = first(log.stats().end + 1)
  await pause(20)
  log.append('too early')
  const position = log.append('in time')
  t.is(await behind, position)
  log.close()
})

atOnce('a reader that was there before the log finds what comes', async (t) => {
  const directory = fresh()
  const log = MappedLog.openSync(directory)
  log.close()
  for (const name of readdirSync(directory)) rmSync(join(directory, name))
  const reader = MappedLog.openSync(directory, { readOnly: true })
  t.deepEqual(texts(reader), [])
  t.deepEqual(reader.recovery, { recovered: 0, cut: 0, damaged: [] })
  t.throws(() => reader.read(128), { code: 'ERR_OUT_OF_RANGE' })
  const next = reader.tail({ from: 0 }).next()
  await pause(10)
  const writer = MappedLog.openSync(directory)
  const position = writer.append('first')
  t.is((await next).value!.position, position)
  t.deepEqual(texts(reader), ['first'])
  reader.close()
  writer.close()
})

test('a position is found by its number: the last of many segments as fast as the first', (t) => {
  const log = MappedLog.openSync(fresh(), { segmentSize: 1 << 20, flush: 'never' })
  const positions = Array.from({ length: 20_000 }, () => log.append(Buffer.alloc(1000, 1)))
  t.true(log.stats().segments > 15)
  const time = (position: number) => {
    const begin = performance.now()
    for (let turn = 0; turn < 200; turn++) log.read(position)
    return (performance.now() - begin) / 200
  }
  time(positions[0]!)
  // A scan from the start of its segment would take a millisecond or more.
  const [early, late] = [positions[10]!, positions.at(-2)!].map((position) =>
    Math.min(...Array.from({ length: 5 }, () => time(position))),
  )
  t.log(`${(early! * 1000).toFixed(1)} and ${(late! * 1000).toFixed(1)} microseconds a read`)
  t.true(early! < 0.5 && late! < 0.5)
  log.close()
})

test('segments whose pages are still being prepared lose nothing of what is written into them meanwhile', (t) => {
  // Longer than a page, so that the first of a segment reaches into what another thread is filling; nothing in them is a zero.
  const lengths = [4005, 9000, 70_000, 300_000, 5]
  const record = Buffer.alloc(300_000, 0xee)
  for (let round = 0; round < 24; round++) {
    const log = MappedLog.openSync(fresh(), { segmentSize: 1 << 20, flush: 'never' })
    let count = 0
    for (let bytes = 0; bytes < 12 << 20; count++) {
      const length = lengths[(count + (count >> 4)) % (round < 4 ? 1 : lengths.length)]!
      bytes += length
      log.append(record.subarray(0, length))
    }
    let read = 0
    for (const { data } of log) {
      if (!data.every((byte) => byte === 0xee)) t.fail(`record ${read} of round ${round}`)
      read++
    }
    t.is(read, count, `round ${round}`)
    log.close()
  }
})
