// W3: searching 1 GiB of text (or the size given, in MiB), against Buffer.indexOf over the same mapping and readline over a read stream.
// `node benchmark/cases/search.mjs [MiB]`: medians of interleaved rounds, in milliseconds.
import { createReadStream, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { MappedFile } from '../../index.js'

const size = Number(process.argv[2] ?? 1024) << 20
const folder = mkdtempSync(join(tmpdir(), 'memmap-search-'))
const path = join(folder, 'text')
const words = 'the quick brown fox jumps over a lazy dog while rivers run towards distant oceans'.split(' ')
let seed = 1
const random = (below) => ((seed = (Math.imul(seed, 1103515245) + 12345) >>> 0) >>> 8) % below
const fd = openSync(path, 'w')
for (let at = 0; at < size; at += 1 << 20) {
  let text = ''
  while (text.length < 1 << 20) text += words[random(words.length)] + (random(10) === 0 ? '\n' : ' ')
  writeSync(fd, text.slice(0, 1 << 20))
}

const rounds = 5
const times = new Map()
async function time(name, action) {
  const begun = performance.now()
  await action()
  times.set(name, [...(times.get(name) ?? []), performance.now() - begun])
}
/** The longest time between two turns of the event loop, while something runs. */
async function stall(name, action) {
  let longest = 0
  let last = performance.now()
  const timer = setInterval(() => {
    const now = performance.now()
    longest = Math.max(longest, now - last)
    last = now
  }, 1)
  await action()
  clearInterval(timer)
  times.set(name, [...(times.get(name) ?? []), longest])
}

const file = MappedFile.openSync(path)
const { bytes } = file
for (let round = 0; round < rounds; round++) {
  for (const [what, needle] of Object.entries({
    '1 byte': '~',
    '8 bytes': 'qzjxvkwy',
    '20 bytes': 'zebra crossing ahead',
  })) {
    await time(`${what}: indexOf`, () => file.indexOf(needle))
    await time(`${what}: indexOfAsync, 1 thread`, () => file.indexOfAsync(needle))
    await time(`${what}: indexOfAsync, 2 threads`, () => file.indexOfAsync(needle, { threads: 2 }))
    await stall(`${what}: longest stall of the event loop`, () => file.indexOfAsync(needle, { threads: 2 }))
    await time(`${what}: Buffer.indexOf`, () => bytes.indexOf(needle))
  }
  await time('newlines: count', () => file.count('\n'))
  await time('newlines: countAsync, 2 threads', () => file.countAsync('\n', { threads: 2 }))
  await time('newlines: Buffer.indexOf in a loop', () => {
    for (let at = bytes.indexOf(10); at >= 0; at = bytes.indexOf(10, at + 1));
  })
  await time('lines: for of', () => {
    for (const line of file.lines()) void line
  })
  await time('lines: for await', async () => {
    for await (const line of file.lines()) void line
  })
  await time('lines: readline over a read stream', async () => {
    for await (const line of createInterface({ input: createReadStream(path), crlfDelay: Infinity })) void line
  })
}
file.close()
rmSync(folder, { recursive: true })
for (const [name, list] of times) {
  const median = Float64Array.from(list).toSorted()[rounds >> 1]
  console.log(`${name.padEnd(48)}${median.toFixed(1).padStart(9)}`)
}
