import test from 'ava'
import { AnonymousMemory, MappedFile } from '../index'
import { sparseProblem, unless } from './helpers'
import fc from './fast-check'
import { collect, Scratch } from './scratch'

const sparsely = unless(sparseProblem(2 ** 40), test.serial)

const scratch = new Scratch('search')
test.after.always(() => scratch.remove())

/** Few letters: matches that overlap, touch the ends, and are not there. */
const letters = (max: number): fc.Arbitrary<Buffer> =>
  fc.oneof(
    fc.array(fc.constantFrom(0, 97, 98), { maxLength: max }).map((bytes) => Buffer.from(bytes)),
    fc.array(fc.constantFrom(97), { maxLength: max }).map((bytes) => Buffer.from(bytes)),
  )

const needle: fc.Arbitrary<string | number | Uint8Array> = fc.oneof(
  letters(4),
  letters(3).map((bytes) => bytes.toString('latin1')),
  fc.integer({ min: -300, max: 600 }),
  fc.constantFrom(97, 97.9, 'é', ''),
)

const from: fc.Arbitrary<number | undefined> = fc.oneof(
  fc.integer({ min: -70, max: 70 }),
  fc.constantFrom(undefined, NaN, Infinity, -Infinity, 1.5, -1.5, -0, 2 ** 40, -(2 ** 40)),
)

/** All occurrences without overlap, by Buffer's own search. */
function startsIn(bytes: Buffer, value: string | number | Uint8Array, offset: number, length: number): number[] {
  const part = bytes.subarray(offset, offset + length)
  const size = typeof value === 'number' ? 1 : Buffer.from(value as string).length
  const starts: number[] = []
  if (size === 0) return Array.from({ length: length + 1 }, (_, i) => offset + i)
  for (let at = part.indexOf(value as string); at >= 0; at = part.indexOf(value as string, at + size)) {
    starts.push(offset + at)
    if (at + size >= part.length) break
  }
  return starts
}

test('indexOf, lastIndexOf and includes give what Buffer gives, for every needle and position', (t) => {
  fc.assert(
    fc.property(letters(60), needle, from, (bytes, value, position) => {
      const memory = AnonymousMemory.create(bytes.length)
      if (bytes.length > 0) memory.write(bytes, 0)
      t.is(memory.indexOf(value, position), bytes.indexOf(value as string, position))
      t.is(memory.lastIndexOf(value, position), bytes.lastIndexOf(value as string, position))
      t.is(memory.includes(value, position), bytes.includes(value as string, position as number))
      memory.close()
    }),
    { numRuns: 3000 },
  )
})

test('count, countAsync, indexOfAsync and indexesOf agree with a scan by Buffer, on any number of threads and any range', async (t) => {
  await fc.assert(
    fc.asyncProperty(
      letters(60),
      fc.integer({ min: 1, max: 3000 }),
      needle,
      fc.nat(100),
      fc.nat(100),
      fc.integer({ min: 1, max: 4 }),
      async (unit, repeats, value, a, b, threads) => {
        const bytes = Buffer.concat(Array.from({ length: repeats }, () => unit))
        const offset = Math.floor((bytes.length * Math.min(a, b)) / 100)
        const length = Math.floor((bytes.length * Math.max(a, b)) / 100) - offset
        const truth = startsIn(bytes, value, offset, length)
        const memory = AnonymousMemory.create(bytes.length)
        if (bytes.length > 0) memory.write(bytes, 0)
        const options = { offset, length, threads }
        t.is(memory.count(value, { offset, length }), truth.length)
        t.is(await memory.countAsync(value, options), truth.length)
        t.is(await memory.indexOfAsync(value, options), truth[0] ?? -1)
        t.deepEqual(await collect(memory.indexesOf(value, options)), truth)
        memory.close()
      },
    ),
    { numRuns: 200 },
  )
})

test('occurrences across pages and slices are found once', async (t) => {
  const size = 12 << 20
  const memory = AnonymousMemory.create(size)
  const places: number[] = []
  for (let at = 1 << 16; at < size; at += 1 << 16) places.push(at - (((at >> 16) % 7) + 1))
  for (const at of places) memory.write('crossing', at)
  for (const threads of [1, 2, 3]) {
    t.is(await memory.countAsync('crossing', { threads }), places.length)
    t.deepEqual(await collect(memory.indexesOf('crossing', { threads })), places)
    t.is(await memory.indexOfAsync('crossing', { threads, offset: places[50]! + 1 }), places[51])
  }
  t.is(memory.count('crossing'), places.length)
  t.is(memory.lastIndexOf('crossing'), places.at(-1)!)
  t.is(memory.lastIndexOf('crossing', places[20]! - 1), places[19])
  memory.close()
})

// Alone, as it looks at the clock.
sparsely('positions past 2^32 are right, and a hole of 1 TiB costs nothing', async (t) => {
  const path = scratch.sparse(2 ** 40)
  const file = MappedFile.openSync(path, { access: 'write' })
  const places = [1, 2 ** 31 - 2, 2 ** 32 - 2, 2 ** 33 + 5, 2 ** 40 - 5]
  for (const at of places) file.write('point', at)
  const begun = performance.now()
  t.is(file.indexOf('point', 2 ** 32 - 1), 2 ** 33 + 5)
  t.is(file.lastIndexOf('point'), 2 ** 40 - 5)
  t.is(file.lastIndexOf('point', 2 ** 33), 2 ** 32 - 2)
  t.is(file.indexOf('none'), -1)
  t.is(file.lastIndexOf('none'), -1)
  t.is(file.count('point'), 5)
  t.is(await file.countAsync('point', { threads: 2 }), 5)
  t.is(await file.indexOfAsync('point', { offset: 2 ** 33 }), 2 ** 33 + 5)
  t.deepEqual(await collect(file.indexesOf('point', { threads: 2 })), places)
  // A needle that begins and ends in the hole.
  t.is(file.indexOf('\0\0p', 2 ** 33), 2 ** 33 + 3)
  t.is(file.indexOf('t\0\0', 2 ** 33), 2 ** 33 + 9)
  if (process.platform === 'linux') t.true(performance.now() - begun < 5000)
  t.is(file.indexOf(0, 2 ** 40 - 100), 2 ** 40 - 100)
  file.close()
})

test('what is stored in a private copy is found where the file has a hole', (t) => {
  const file = MappedFile.openSync(scratch.sparse(1 << 24), { access: 'copy' })
  file.write('mine', 9_000_000)
  t.is(file.indexOf('mine'), 9_000_000)
  t.is(file.count('mine'), 1)
  file.close()
})

test('a search in the middle of a file begins at any byte of it', (t) => {
  const file = MappedFile.openSync(scratch.file('x'.repeat(5000) + 'abcabc'), { offset: 4999, length: 6 })
  t.is(file.indexOf('abc'), 1)
  t.is(file.count('abc'), 1)
  t.is(file.lastIndexOf('abc'), 1)
  t.is(file.indexOf('c', -3), 3)
  file.close()
})

test('indexesOf goes no further than who iterates, and stops with it', async (t) => {
  const memory = AnonymousMemory.create(64 << 20).fill('a')
  const positions = memory.indexesOf('a')
  for (let i = 0; i < 20_000; i++) t.like(await positions.next(), { value: i, done: false })
  t.deepEqual(await positions.return!(), { value: undefined, done: true })
  t.deepEqual(await positions.next(), { value: undefined, done: true })
  // Asked for all at once, they still come in order.
  const eager = memory.indexesOf('a', { offset: 100 })
  const first = await Promise.all(Array.from({ length: 50 }, () => eager.next()))
  t.deepEqual(
    first.map(({ value }) => value as number),
    Array.from({ length: 50 }, (_, i) => 100 + i),
  )
  await eager.return!()
  memory.close()
})

test('progress of a search for all is that of the whole, not of a batch', async (t) => {
  const memory = AnonymousMemory.create(8 << 20)
  memory.fill('abcdefghi\n')
  const whole = { done: memory.byteLength, total: memory.byteLength }
  const told: { done: number; total: number; at: number }[] = []
  const onProgress = (report: { done: number; total: number }): void =>
    void told.push({ ...report, at: performance.now() })
  let count = 0
  for await (const position of memory.indexesOf('i', { onProgress })) {
    // Ten times as slow as the search.
    if (position >= 0 && ++count % 5000 === 0) await new Promise(setImmediate)
    if (count % 50_000 === 0) await new Promise((resolve) => setTimeout(resolve, 20))
  }
  t.is(count, Math.ceil((memory.byteLength - 8) / 10))
  t.true(told.length > 3, `${told.length} reports`)
  for (const [i, { done, total, at }] of told.entries()) {
    t.is(total, whole.total)
    t.true(i === 0 || (done > told[i - 1]!.done && at - told[i - 1]!.at >= 15.9))
  }
  t.like(told.at(-1), whole)
  t.is(told.filter(({ done }) => done === whole.done).length, 1)
  told.length = 0
  for await (const position of memory.indexesOf('i', { onProgress })) if (position > 2 ** 20) break
  t.true(told.every(({ done }) => done < whole.done))
  told.length = 0
  t.is(await memory.countAsync('', { onProgress }), memory.byteLength + 1)
  t.like(told.at(-1), whole)
  told.length = 0
  let places = 0
  for await (const position of memory.indexesOf('', { onProgress, length: 1000 })) places += Number(position >= 0)
  t.is(places, 1001)
  t.like(told.at(-1), { done: 1000, total: 1000 })
  t.deepEqual(await memory.indexesOf('i').return!(undefined), { value: undefined, done: true })
  memory.close()
})

test('wrong arguments are errors that name them, before anything is searched', async (t) => {
  const file = scratch.map('0123456789')
  t.throws(() => file.indexOf({} as never), { code: 'ERR_INVALID_ARG_TYPE', message: /"needle"/ })
  t.throws(() => file.indexOf('1', '2' as never), { code: 'ERR_INVALID_ARG_TYPE', message: /"from"/ })
  t.throws(() => file.count('1', { offset: 11 }), { code: 'ERR_OUT_OF_RANGE' })
  t.throws(() => file.count('1', { offset: 5, length: 6 }), { code: 'ERR_OUT_OF_RANGE' })
  t.throws(() => file.count('1', { ofset: 5 } as never), { code: 'ERR_INVALID_ARG_VALUE', message: /offset/ })
  await t.throwsAsync(file.countAsync('1', { threads: 0 }), { code: 'ERR_OUT_OF_RANGE' })
  await t.throwsAsync(file.indexOfAsync('1', { signal: {} as never }), { code: 'ERR_INVALID_ARG_TYPE' })
  t.throws(() => file.indexesOf('1', { onProgress: 1 as never }), { code: 'ERR_INVALID_ARG_TYPE' })
  file.close()
})

test('after close every search is ERR_INVALID_STATE', async (t) => {
  const file = scratch.map('0123456789')
  const begun = file.indexesOf('1')
  const lines = file.lines()
  file.close()
  const closed = { code: 'ERR_INVALID_STATE' }
  t.throws(() => file.indexOf('1'), closed)
  t.throws(() => file.lastIndexOf('1'), closed)
  t.throws(() => file.includes('1'), closed)
  t.throws(() => file.count('1'), closed)
  t.throws(() => file.indexesOf('1'), closed)
  t.throws(() => file.lines(), closed)
  t.throws(() => file.lastLines(1), closed)
  t.throws(() => [...lines], closed)
  await t.throwsAsync(begun.next(), closed)
  await t.throwsAsync(file.indexOfAsync('1'), closed)
  await t.throwsAsync(file.countAsync('1'), closed)
})

test('an empty mapping has nothing to find, but the empty needle', async (t) => {
  const file = scratch.map('')
  t.is(file.indexOf('a'), -1)
  t.is(file.lastIndexOf('a'), -1)
  t.is(file.indexOf(''), 0)
  t.is(file.count(''), 1)
  t.is(await file.countAsync('a'), 0)
  t.is(await file.indexOfAsync('a'), -1)
  t.deepEqual(await collect(file.indexesOf('a')), [])
  t.deepEqual([...file.lines()], [])
  t.deepEqual(file.lastLines(3), [])
  file.close()
})

test('a needle that is detached, changed or lies while it is searched for is the one that was given', async (t) => {
  const length = 1 << 20
  const m = AnonymousMemory.create(length)
  m.fill('b', 0, length / 2)
  m.fill('a', length / 2)
  const changing = new Uint8Array([97])
  let found = 0
  for await (const position of m.indexesOf(changing)) {
    if (position < length / 2) t.fail(`${position}`)
    changing[0] = 98
    found++
  }
  t.is(found, length / 2)
  const gone = new Uint8Array([97, 97])
  const positions = m.indexesOf(gone)
  structuredClone(gone.buffer, { transfer: [gone.buffer] })
  t.deepEqual(await positions.next(), { value: length / 2, done: false })
  await positions.return!()
  class Liar extends Uint8Array<ArrayBuffer> {
    override get length(): number {
      return 3
    }
  }
  t.is(m.count(new Liar(new ArrayBuffer(0))), length + 1)
  t.is(m.indexOf(new Liar(Uint8Array.of(97).buffer)), length / 2)
  m.close()
})
