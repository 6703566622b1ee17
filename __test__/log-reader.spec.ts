// Readers beside writers that come, go and are killed, and files that nobody expected.
import { copyFileSync, mkdirSync, readFileSync, readdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'

import test from 'ava'

import { MappedLog } from '../lib/log'
import { atOnce, fresh, linuxOnly, mapsOf, unless } from './helpers'

import type { LogOptions } from '../lib/log'

const SMALL: LogOptions = { segmentSize: 4096, flush: 'never' }
const texts = (log: MappedLog) => [...log].map(({ data }) => data.toString())
const segments = (directory: string) => readdirSync(directory).filter((name) => name.endsWith('.seg'))
/** The file that a position lies in. */
const segmentOf = (directory: string, position: number) =>
  segments(directory).findLast((name) => Number(name.slice(0, 16)) <= position)!
const line = (number: number) => `record ${number} ${'.'.repeat(200)}`
// What somebody has mapped is neither deleted nor made anew there.
const replacing = unless(process.platform === 'win32' ? 'Windows keeps a mapped file in its place' : undefined)

/** Appends so many lines, and says where they are. */
const fill = (log: MappedLog, count: number) => Array.from({ length: count }, (_, number) => log.append(line(number)))

/** Takes from a tail what is there within a moment. */
async function taken(tail: AsyncIterator<{ data: Buffer }>, count: number): Promise<string[]> {
  const seen: string[] = []
  while (seen.length < count) {
    const { done, value } = await tail.next()
    if (done) break
    seen.push(value.data.toString())
  }
  return seen
}

replacing('a tail follows one writer after another, each of which leaves files that it made ahead', async (t) => {
  const directory = fresh()
  MappedLog.openSync(directory, SMALL).close()
  const reader = MappedLog.openSync(directory, { readOnly: true })
  const tail = reader.tail({ from: 0 })
  let count = 0
  for (let round = 0; round < 30; round++) {
    const log = MappedLog.openSync(directory, SMALL)
    const expected: string[] = []
    // Into the second quarter of a segment, where the next one is made.
    for (let turn = 0; turn < 7 + (round % 5); turn++) {
      expected.push(line(count))
      log.append(line(count++))
    }
    if (round % 2 === 0) log.flushSync()
    t.deepEqual(await taken(tail, expected.length), expected, `round ${round}`)
    // Marks are looked for in the newest files, those made ahead among them.
    t.is(reader.stats().end, log.stats().end)
    log.close()
  }
  t.is(texts(reader).length, count)
  reader.close()
})

replacing('a file that was made anew under its old name is read anew', (t) => {
  const directory = fresh()
  const log = MappedLog.openSync(directory, SMALL)
  const last = fill(log, 30).at(-1)!
  const path = join(directory, segmentOf(directory, last))
  const reader = MappedLog.openSync(directory, { readOnly: true })
  const before = texts(reader)
  // As a restored copy would be: the same bytes in another file, with more of them.
  log.close()
  const bytes = readFileSync(path)
  rmSync(path)
  writeFileSync(path, bytes)
  const again = MappedLog.openSync(directory, SMALL)
  const position = again.append('more')
  again.flushSync()
  t.deepEqual(texts(reader), [...before, 'more'])
  t.is(reader.read(position).toString(), 'more')
  again.close()
  reader.close()
})

replacing('a file that is made anew is not the end before it has its length', async (t) => {
  const directory = fresh()
  const log = MappedLog.openSync(directory, SMALL)
  // Into the second quarter of a segment, where the next one is made.
  fill(log, 8)
  while (segments(directory).length < 2) await pause(1)
  const reader = MappedLog.openSync(directory, { readOnly: true })
  const { end } = log.stats()
  t.is(reader.stats().end, end)
  const next = segments(directory).at(-1)!
  log.close()
  t.false(segments(directory).includes(next))
  // Of the next writer's maker, between open(2) and fallocate(2).
  writeFileSync(join(directory, next), '')
  t.is(reader.stats().end, end)
  // A tail from there on must not miss what comes.
  const tail = reader.tail()
  const waiting = tail.next()
  const again = MappedLog.openSync(directory, SMALL)
  t.is(again.append('more'), end)
  t.is((await waiting).value?.data.toString(), 'more')
  again.close()
  reader.close()
})

replacing('a reader that came while the next file had no length yet reads it later', (t) => {
  const directory = fresh()
  const log = MappedLog.openSync(directory, SMALL)
  const last = fill(log, 30).at(-1)!
  log.close()
  const name = segmentOf(directory, last)
  const bytes = readFileSync(join(directory, name))
  // Between open(2) and fallocate(2), then between that and the header.
  for (const length of [0, 1, 4096]) {
    rmSync(join(directory, name), { force: true })
    writeFileSync(join(directory, name), Buffer.alloc(length))
    const reader = MappedLog.openSync(directory, { readOnly: true })
    const before = texts(reader)
    t.true(before.length < 30 && before.length > 10)
    writeFileSync(join(directory, name), bytes)
    t.is(texts(reader).length, 30, `a file of ${length} bytes`)
    reader.close()
  }
})

atOnce('a listing that misses a file is no gap', (t) => {
  const directory = fresh()
  const log = MappedLog.openSync(directory, SMALL)
  const expected = Array.from({ length: 100 }, (_, number) => line(number))
  for (const text of expected.slice(0, 10)) log.append(text)
  const fs = require('node:fs') as { readdirSync: (directory: string) => string[] }
  const list = fs.readdirSync
  const reader = MappedLog.openSync(directory, { readOnly: true })
  t.is(texts(reader).length, 10)
  for (const text of expected.slice(10)) log.append(text)
  const missed = segments(directory).slice(2, 4)
  fs.readdirSync = (path) => list(path).filter((name) => !missed.includes(name))
  try {
    t.deepEqual(texts(reader), expected)
    const late = MappedLog.openSync(directory, { readOnly: true })
    t.deepEqual(late.recovery.damaged, [])
    t.is(late.recovery.recovered, 100)
    t.deepEqual(texts(late), expected)
    late.close()
  } finally {
    fs.readdirSync = list
  }
  reader.close()
  log.close()
})

atOnce("files with a segment's name that are none are passed over and left alone", async (t) => {
  const directory = fresh()
  const log = MappedLog.openSync(directory, { segmentSize: 4096 })
  const expected = Array.from({ length: 100 }, (_, number) => line(number))
  const positions = log.appendMany(expected)
  log.close()
  const [, second] = segments(directory)
  const strangers: Record<string, Buffer> = {
    text: Buffer.from('something else\n'.repeat(20)),
    short: Buffer.from('ab'),
    empty: Buffer.alloc(0),
    copy: readFileSync(join(directory, second!)),
    zeros: Buffer.alloc(4096),
  }
  for (const [what, bytes] of Object.entries(strangers)) {
    for (const base of [8, 4100, Number(second!.slice(0, 16)) + 128]) {
      const stranger = join(directory, `${String(base).padStart(16, '0')}.seg`)
      writeFileSync(stranger, bytes)
      const reader = MappedLog.openSync(directory, { readOnly: true })
      t.deepEqual(texts(reader), expected, `${what} at ${base}`)
      t.deepEqual(reader.recovery.damaged, [])
      for (const [at, position] of positions.entries()) t.is(reader.read(position).toString(), expected[at]!)
      const tail = reader.tail({ from: positions[20]! })
      t.deepEqual(await taken(tail, expected.length - 20), expected.slice(20))
      reader.close()
      const writer = MappedLog.openSync(directory, { segmentSize: 4096 })
      t.is(writer.recovery.recovered, expected.length, `${what} at ${base}`)
      t.deepEqual(writer.recovery.damaged, [])
      t.deepEqual(texts(writer), expected)
      expected.push(`after ${what}`)
      positions.push(writer.append(expected.at(-1)!))
      writer.close()
      t.deepEqual(readFileSync(stranger), bytes)
      rmSync(stranger)
    }
  }
  t.deepEqual(
    readdirSync(directory).filter((name) => name.includes('aside')),
    [],
  )
})

atOnce('a stranger outlives the segment that it lay in', (t) => {
  const directory = fresh()
  let log = MappedLog.openSync(directory, { segmentSize: 4096 })
  const positions = fill(log, 100)
  const stranger = join(directory, '0000000000000009.seg')
  writeFileSync(stranger, 'a note\n')
  log.truncateBefore(positions[60]!)
  log.close()
  log = MappedLog.openSync(directory, { segmentSize: 4096 })
  t.deepEqual(log.recovery.damaged, [])
  t.is([...log].length, 40)
  t.is(readFileSync(stranger, 'utf8'), 'a note\n')
  log.close()
})

atOnce('whoever loses the newest segment is told, and its positions are not given again', (t) => {
  const directory = fresh()
  let log = MappedLog.openSync(directory, { segmentSize: 4096 })
  const positions = fill(log, 100)
  log.flushSync()
  const { durable } = log.stats()
  log.close()
  const newest = segments(directory).at(-1)!
  const base = Number(newest.slice(0, 16))
  rmSync(join(directory, newest))
  const reader = MappedLog.openSync(directory, { readOnly: true })
  t.deepEqual(reader.recovery.damaged, [{ position: base, length: durable - base }])
  reader.close()
  log = MappedLog.openSync(directory, { segmentSize: 4096 })
  t.deepEqual(log.recovery.damaged, [{ position: base, length: durable - base }])
  t.is(log.recovery.recovered, positions.filter((position) => position < base).length)
  t.true(log.append('more') >= durable)
  log.close()
  // Damage in the one before it lies below what was durable, so nothing behind it is cut.
  const previous = segments(directory).at(-2)!
  const bytes = readFileSync(join(directory, previous))
  bytes[1000]! ^= 1
  writeFileSync(join(directory, previous), bytes)
  rmSync(join(directory, segments(directory).at(-1)!))
  log = MappedLog.openSync(directory, { segmentSize: 4096 })
  t.is(log.recovery.cut, 0)
  t.is(log.recovery.recovered, positions.filter((position) => position < base).length - 1)
  log.close()
})

/** A log of which only the notes are left. */
function withoutSegments(): { directory: string; end: number } {
  const directory = fresh()
  const log = MappedLog.openSync(directory, { segmentSize: 4096 })
  fill(log, 100)
  const { end } = log.stats()
  log.close()
  for (const name of segments(directory)) rmSync(join(directory, name))
  return { directory, end }
}

atOnce('whoever loses all segments is told, as the notes know how far they went', (t) => {
  const { directory, end } = withoutSegments()
  const reader = MappedLog.openSync(directory, { readOnly: true })
  t.deepEqual(reader.recovery, { recovered: 0, cut: 0, damaged: [{ position: 0, length: end }] })
  reader.close()
  const log = MappedLog.openSync(directory, { segmentSize: 4096 })
  t.deepEqual(log.recovery, { recovered: 0, cut: 0, damaged: [{ position: 0, length: end }] })
  t.true(log.append('first') > end)
  log.close()
})

atOnce("another log's notes do not count", (t) => {
  const { directory } = withoutSegments()
  const other = fresh()
  let log = MappedLog.openSync(other, { segmentSize: 4096 })
  t.is(log.append('first'), 128)
  log.close()
  for (const name of segments(other)) copyFileSync(join(other, name), join(directory, name))
  log = MappedLog.openSync(directory, { segmentSize: 4096 })
  t.deepEqual(log.recovery, { recovered: 1, cut: 0, damaged: [] })
  log.close()
  // Whatever has become of the file with the notes, the segments say enough.
  for (const bytes of [Buffer.alloc(0), Buffer.alloc(4096, 0xff), Buffer.from('text')]) {
    writeFileSync(join(directory, 'bell'), bytes)
    log = MappedLog.openSync(directory, { segmentSize: 4096 })
    t.deepEqual(log.recovery, { recovered: 1, cut: 0, damaged: [] })
    log.close()
  }
  rmSync(join(directory, 'bell'))
  log = MappedLog.openSync(directory, { segmentSize: 4096 })
  t.deepEqual(texts(log), ['first'])
  log.close()
})

replacing('a log in the place of another one is read as what it is', (t) => {
  const directory = fresh()
  let log = MappedLog.openSync(directory, { segmentSize: 4096 })
  fill(log, 100)
  log.flushSync()
  const reader = MappedLog.openSync(directory, { readOnly: true })
  t.is(texts(reader).length, 100)
  log.close()
  rmSync(directory, { recursive: true })
  log = MappedLog.openSync(directory, { segmentSize: 4096 })
  log.append('another one')
  t.deepEqual(texts(reader), ['another one'])
  log.append('and more')
  t.deepEqual(texts(reader), ['another one', 'and more'])
  log.close()
  reader.close()
})

test('a tail that waits ends when it is told to', async (t) => {
  for (const readOnly of [false, true]) {
    const directory = fresh()
    const writer = MappedLog.openSync(directory, SMALL)
    const log = readOnly ? MappedLog.openSync(directory, { readOnly }) : writer
    const tail = log.tail()
    const waiting = tail.next()
    await pause(30)
    t.deepEqual(await tail.return!(), { done: true, value: undefined })
    t.deepEqual(await waiting, { done: true, value: undefined })
    t.true((await tail.next()).done)
    const thrown = log.tail()
    const next = thrown.next()
    await pause(30)
    await t.throwsAsync(thrown.throw!(new Error('enough')), { message: 'enough' })
    t.true((await next).done)
    const unused = log.tail()
    t.true((await unused.return!()).done)
    // The others go on.
    const other = log.tail()
    const found = other.next()
    await pause(10)
    writer.append('x')
    t.is((await found).value!.data.toString(), 'x')
    writer.close()
    log.close()
  }
})

atOnce('a reader changes no file, whatever it does', async (t) => {
  const directory = fresh()
  const log = MappedLog.openSync(directory, SMALL)
  fill(log, 50)
  log.close()
  truncateSync(join(directory, 'bell'), 100)
  const contents = () => readdirSync(directory).map((name) => [name, readFileSync(join(directory, name))])
  const before = contents()
  const reader = MappedLog.openSync(directory, { readOnly: true })
  t.is(texts(reader).length, 50)
  t.is(reader.recovery.recovered, 50)
  const tail = reader.tail()
  const next = tail.next()
  await pause(30)
  await tail.return!()
  await next
  reader.stats()
  reader.close()
  t.deepEqual(contents(), before)
})

linuxOnly('an opening that fails leaves nothing behind', (t) => {
  const directory = fresh()
  MappedLog.openSync(directory, SMALL).close()
  rmSync(join(directory, 'bell'))
  mkdirSync(join(directory, 'bell'))
  const descriptors = readdirSync('/proc/self/fd').length
  for (let turn = 0; turn < 200; turn++) t.throws(() => MappedLog.openSync(directory, SMALL), { code: 'EISDIR' })
  t.is(mapsOf(directory), 0)
  // Those of the other tests in this process come and go; a leak would be 200 at least.
  t.true(readdirSync('/proc/self/fd').length < descriptors + 150)
})

/** Lines of 1000 bytes in segments of 8 KiB, eight each. */
const EIGHT: LogOptions = { segmentSize: 8192, flush: 'never' }
const long = (number: number) => String(number).padStart(1000)
const upTo = (count: number) => Array.from({ length: count }, (_, number) => number)

for (const [state, bytes] of [
  ['has no length yet', 0],
  ['has no header yet', 8192],
] as const) {
  replacing(`nothing is passed over when the next file ${state} as a reader opens`, async (t) => {
    const [source, directory] = [fresh(), fresh()]
    const log = MappedLog.openSync(source, EIGHT)
    for (const number of upTo(40)) log.append(long(number))
    log.close()
    const [first, second, ...rest] = segments(source) as [string, string, ...string[]]
    for (const how of ['iterate', 'tail']) {
      rmSync(directory, { recursive: true, force: true })
      mkdirSync(directory)
      for (const name of ['lock', 'bell', first]) copyFileSync(join(source, name), join(directory, name))
      writeFileSync(join(directory, second), Buffer.alloc(bytes))
      const reader = MappedLog.openSync(directory, { readOnly: true })
      const finish = (): void => {
        // In the same file.
        writeFileSync(join(directory, second), readFileSync(join(source, second)), { flag: 'r+' })
        for (const name of rest) copyFileSync(join(source, name), join(directory, name))
      }
      const seen = []
      if (how === 'iterate') {
        for (const { data } of reader) {
          if (seen.push(Number(data)) === 1) finish()
        }
      } else {
        for await (const { data } of reader.tail({ from: 0 })) {
          if (seen.push(Number(data)) === 1) finish()
          if (Number(data) === 39) break
        }
      }
      t.deepEqual(seen, upTo(40), how)
      reader.close()
    }
  })
}

replacing('an iteration goes on where another writer has made anew what was made ahead', async (t) => {
  const directory = fresh()
  const options: LogOptions = { segmentSize: 65_536, flush: 'never' }
  let log = MappedLog.openSync(directory, options)
  let count = 0
  while (log.stats().end < 40_000) log.append(long(count++))
  while (segments(directory).length < 2) await pause(1)
  const reader = MappedLog.openSync(directory, { readOnly: true })
  const seen = []
  for (const { data } of reader) {
    if (seen.push(Number(data)) > 1) continue
    log.close()
    log = MappedLog.openSync(directory, options)
    while (count < 200) log.append(long(count++))
  }
  t.deepEqual(seen, upTo(200))
  log.close()
  reader.close()
})

replacing('a reader counts what a writer counts, without files that were made ahead', async (t) => {
  const directory = fresh()
  const log = MappedLog.openSync(directory, SMALL)
  fill(log, 30)
  const { segments: count, bytes } = log.stats()
  while (segments(directory).length === count) {
    log.append(line(0))
    await pause(1)
  }
  const reader = MappedLog.openSync(directory, { readOnly: true })
  t.deepEqual(reader.stats(), log.stats())
  t.true(log.stats().bytes >= bytes)
  log.close()
  reader.close()
})

replacing(
  'what lies in a file that is gone or too short was a record once, and a reader stops where a writer would',
  (t) => {
    const directory = fresh()
    const log = MappedLog.openSync(directory, { segmentSize: 4096 })
    const positions = Array.from({ length: 40 }, (_, number) => log.append(line(number)))
    log.close()
    const [, second, third] = segments(directory) as [string, string, string]
    const [from, to] = [second, third].map((name) => Number(name.slice(0, 16))) as [number, number]
    const inside = positions.filter((position) => position > from && position < to)
    for (const length of [undefined, 0, 1000]) {
      if (length === undefined) rmSync(join(directory, second))
      else writeFileSync(join(directory, second), Buffer.alloc(length))
      const reader = MappedLog.openSync(directory, { readOnly: true })
      for (const position of inside)
        t.throws(() => reader.read(position), { code: 'ERR_LOG_DAMAGED' }, `${length} ${position}`)
      t.throws(() => reader.read(inside[0]! + 1), { code: 'ERR_OUT_OF_RANGE' })
      t.throws(() => reader.read(positions.at(-1)! + 8), { code: 'ERR_OUT_OF_RANGE' })
      t.is(texts(reader).length, reader.recovery.recovered)
      const ranges = reader.recovery.damaged
      for (const [at, { position }] of ranges.entries()) {
        const before = ranges[at - 1]
        t.true(before === undefined || before.position + before.length <= position)
      }
      reader.close()
    }
  },
)

replacing('without a durable position nothing counts behind a file that is gone or too short', (t) => {
  for (const [which, length] of [0, 1].flatMap((one) => [undefined, 0, 1000].map((bytes) => [one, bytes] as const))) {
    const directory = fresh()
    const log = MappedLog.openSync(directory, SMALL)
    fill(log, 40)
    log.close()
    const path = join(directory, segments(directory)[which]!)
    if (length === undefined) rmSync(path)
    else truncateSync(path, length)
    const reader = MappedLog.openSync(directory, { readOnly: true })
    const seen = texts(reader).length
    t.is(seen, reader.recovery.recovered, `${which} ${length}`)
    reader.close()
    const writer = MappedLog.openSync(directory, SMALL)
    t.is(writer.recovery.recovered, seen)
    writer.close()
  }
})

atOnce('a log whose bell was cut lets the next writer in', (t) => {
  const directory = fresh()
  const log = MappedLog.openSync(directory, SMALL)
  log.append('one')
  truncateSync(join(directory, 'bell'), 0)
  log.append('two')
  try {
    log.close()
  } catch (error) {
    t.is((error as NodeJS.ErrnoException).code, 'ERR_MAPPING_FAULT')
  }
  const again = MappedLog.openSync(directory, SMALL)
  t.deepEqual(texts(again), ['one', 'two'])
  again.close()
})
