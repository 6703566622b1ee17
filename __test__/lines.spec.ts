import test from 'ava'
import { sparseProblem, unless } from './helpers'
import fc from './fast-check'
import { collect, Scratch } from './scratch'

const sparsely = unless(sparseProblem(2 ** 36))

const scratch = new Scratch('lines')
test.after.always(() => scratch.remove())

/** What the lines of a text are. */
function split(text: string): string[] {
  const lines = text.split('\n')
  const last = lines.pop()!
  const ended = lines.map((line) => (line.endsWith('\r') ? line.slice(0, -1) : line))
  return last === '' ? ended : [...ended, last]
}

const text = fc
  .array(fc.constantFrom('a', 'é', '€', '😀', '\n', '\r\n', '\r', 'word ', '\0', ''), { maxLength: 60 })
  .map((parts) => parts.join(''))

test('lines, read at once or ahead, are those that a split of the text gives; lastLines are the last of them', async (t) => {
  await fc.assert(
    fc.asyncProperty(text, fc.nat(12), async (content, count) => {
      const file = scratch.map(content)
      const truth = split(content)
      t.deepEqual([...file.lines()], truth)
      t.deepEqual(await collect(file.lines()), truth)
      t.deepEqual(file.lastLines(count), count === 0 ? [] : truth.slice(-count))
      file.close()
    }),
    { numRuns: 500 },
  )
})

test('no character and no line is split where a block ends', async (t) => {
  // Blocks are 64 KiB: lines of all lengths around that, of characters of two, three and four bytes.
  const lengths = [1, 21844, 21845, 21846, 32767, 32768, 32769, 65535, 65536, 65537, 200_000, 3]
  const lines = lengths.flatMap((length) => [
    'é'.repeat(length / 2),
    '€'.repeat(length / 3),
    '😀'.repeat(length / 4),
    '',
  ])
  for (const end of ['\n', '\r\n']) {
    const file = scratch.map(lines.join(end) + end)
    t.deepEqual([...file.lines()], lines)
    t.deepEqual(await collect(file.lines()), lines)
    for (const count of [1, 5, 20, lines.length, lines.length + 1])
      t.deepEqual(file.lastLines(count), lines.slice(-count))
    file.close()
  }
})

test('bytes that are not UTF-8 are replaced, and read as latin1 they are all there', (t) => {
  const bytes = Buffer.from([0x61, 0xff, 0x0a, 0xc3, 0x0a, 0xe9])
  const file = scratch.map(bytes)
  t.deepEqual([...file.lines()], ['a\ufffd', '\ufffd', '\ufffd'])
  t.deepEqual([...file.lines({ encoding: 'latin1' })], ['aÿ', 'Ã', 'é'])
  t.deepEqual(file.lastLines(1, { encoding: 'latin1' }), ['é'])
  file.close()
})

test('a byte order mark, and text of every kind, is decoded as a Buffer decodes it', async (t) => {
  for (const bytes of [
    Buffer.from('\ufeffä\n\ufeff\n'),
    Buffer.from('é\n€\n😀\n\u{10ffff}\n\uffff\n\0é\n'),
    // Half a character, a surrogate, an overlong form, a character past the last one.
    Buffer.from([0xe2, 0x82, 0x0a, 0xed, 0xa0, 0x80, 0x0a, 0xc0, 0x80, 0x0a, 0xf4, 0x90, 0x80, 0x80, 0x0a, 0xc3, 0xa9]),
  ]) {
    const file = scratch.map(bytes)
    t.deepEqual([...file.lines()], split(bytes.toString()))
    t.deepEqual(await collect(file.lines()), split(bytes.toString()))
    file.close()
  }
})

test('calls of next that do not wait for each other are answered in order, to the end', async (t) => {
  const all = Array.from({ length: 10_000 }, (_, i) => `line ${i}`)
  const file = scratch.map(all.join('\n'))
  const lines = file.lines()[Symbol.asyncIterator]()
  const answers = await Promise.all(Array.from({ length: all.length + 3 }, () => lines.next()))
  t.deepEqual(
    answers.flatMap(({ value, done }) => (done === true ? [] : [value])),
    all,
  )
  t.deepEqual(
    answers.slice(-3).map(({ done }) => done),
    [true, true, true],
  )
  const left = file.lines()[Symbol.asyncIterator]()
  const [first, end] = await Promise.all([left.next(), left.return!(), left.next()])
  t.true(first.done === true || first.value === 'line 0')
  t.true(end.done)
  t.deepEqual(await left.next(), { value: undefined, done: true })
  file.close()
})

test('a result that is kept stays what it was', async (t) => {
  const file = scratch.map('one\ntwo\n')
  const sync = file.lines()[Symbol.iterator]()
  const awaited = file.lines()[Symbol.asyncIterator]()
  const results = [sync.next(), sync.next(), sync.next(), await awaited.next(), await awaited.next()]
  t.deepEqual(
    results.map(({ value }) => value as unknown),
    ['one', 'two', undefined, 'one', 'two'],
  )
  file.close()
})

test('a range of lines, each iteration from its beginning', async (t) => {
  const file = scratch.map('one\ntwo\nthree\n')
  const lines = file.lines({ offset: 4, length: 6 })
  t.deepEqual([...lines], ['two', 'th'])
  t.deepEqual([...lines], ['two', 'th'])
  t.deepEqual(await collect(lines), ['two', 'th'])
  for (const line of file.lines()) {
    t.is(line, 'one')
    break
  }
  file.close()
})

test('many lines come in order from the end', (t) => {
  const all = Array.from({ length: 50_000 }, (_, i) => `line ${i}`)
  const file = scratch.map(all.join('\n'))
  t.deepEqual(file.lastLines(30_000), all.slice(-30_000))
  t.deepEqual(file.lastLines(1), ['line 49999'])
  t.deepEqual(file.lastLines(1e9), all)
  file.close()
})

sparsely('lastLines does not look at what comes before', (t) => {
  const length = 2 ** 36
  const file = scratch.map('', { access: 'write', length, sparse: true })
  file.write('\nlast but one\nlast\n', length - 19)
  t.deepEqual(file.lastLines(2), ['last but one', 'last'])
  const { resident, exact } = file.residency({ offset: 0, length: length - (1 << 24) })
  t.true(!exact || resident === 0, `${resident} pages were touched`)
  file.close()
})

test('an encoding that is not offered and a count that is none are errors', (t) => {
  const file = scratch.map('a\n')
  t.throws(() => file.lines({ encoding: 'ucs2' as never }), { code: 'ERR_INVALID_ARG_VALUE' })
  t.throws(() => file.lastLines(-1), { code: 'ERR_OUT_OF_RANGE' })
  t.throws(() => file.lastLines(1.5), { code: 'ERR_OUT_OF_RANGE' })
  t.throws(() => file.lines({ length: 3 }), { code: 'ERR_OUT_OF_RANGE' })
  file.close()
})

test('a signal ends the lines, and progress is told, in both forms', async (t) => {
  const file = scratch.map('a line of text\n'.repeat(100_000))
  const whole = { done: file.byteLength, total: file.byteLength }
  const told: { done: number; total: number }[] = []
  const onProgress = (progress: { done: number; total: number }): void => void told.push(progress)
  t.is((await collect(file.lines({ onProgress }))).length, 100_000)
  t.deepEqual(told.at(-1), whole)
  t.true(told.every(({ done }, i) => i === 0 || done >= told[i - 1]!.done))
  told.length = 0
  t.is([...file.lines({ onProgress, offset: 15, length: 15 })].length, 1)
  t.deepEqual(told, [{ done: 15, total: 15 }])

  for (const length of [14, 1000, 70_000, 200_000]) {
    const range = { offset: 0, length }
    for (const all of [
      () => [...file.lines({ onProgress, ...range })],
      () => collect(file.lines({ onProgress, ...range })),
    ]) {
      told.length = 0
      await all()
      t.deepEqual(told.at(-1), { done: length, total: length })
      t.is(told.filter(({ done }) => done === length).length, 1)
    }
  }

  const ended = AbortSignal.abort('enough')
  t.throws(() => [...file.lines({ signal: ended })], { code: 'ABORT_ERR' })
  await t.throwsAsync(collect(file.lines({ signal: ended })), { code: 'ABORT_ERR' })
  const controller = new AbortController()
  let seen = 0
  await t.throwsAsync(
    async () => {
      for await (const line of file.lines({ signal: controller.signal }))
        if (line !== '' && ++seen === 3) controller.abort()
    },
    { code: 'ABORT_ERR' },
  )
  t.is(seen, 3)
  const refuse = (): never => {
    throw new Error('no')
  }
  t.throws(() => [...file.lines({ onProgress: refuse })], { message: 'no' })
  await t.throwsAsync(collect(file.lines({ onProgress: refuse })), { message: 'no' })
  t.throws(() => file.lines({ signal: {} as never }), { code: 'ERR_INVALID_ARG_TYPE' })
  t.throws(() => file.lines({ onProgress: 1 as never }), { code: 'ERR_INVALID_ARG_TYPE' })
  file.close()
})

test('blocks of more lines than positions are kept of, and lines longer than a block', async (t) => {
  const all = [
    ...Array.from({ length: 70_000 }, (_, i) => (i % 3 === 0 ? '' : 'é'.repeat(i % 2))),
    'x'.repeat(3 << 20),
    'ü'.repeat(1 << 20),
    'end',
  ]
  const file = scratch.map(all.join('\n'))
  t.deepEqual([...file.lines()], all)
  t.deepEqual(await collect(file.lines()), all)
  t.deepEqual(file.lastLines(3), all.slice(-3))
  file.close()
})

test('closing in the middle ends both forms with an error', async (t) => {
  for (const form of [Symbol.iterator, Symbol.asyncIterator] as const) {
    const file = scratch.map('a\nb\nc\n')
    const lines = file.lines()[form]()
    t.is((await lines.next()).value, 'a')
    file.close()
    await t.throwsAsync(async () => lines.next(), { code: 'ERR_INVALID_STATE' })
  }
})
