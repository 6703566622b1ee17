// W3: searching 1 GiB of text (or the size given, in MiB), against the memchr crate itself (benchmark/limits) and Buffer.indexOf over a mapping.
// `node benchmark/cases/search.mjs [MiB] [rounds]`: medians of interleaved rounds, in milliseconds, and of the ratios to the crate within each.
import { mkdtempSync, openSync, rmSync, writeSync } from 'node:fs'
import { loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { MappedFile } from '../../index.js'
import { head, limits, measured, row } from './limits.mjs'

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

const rounds = Number(process.argv[3] ?? 7)
const times = new Map()
async function time(name, action) {
  times.set(name, [...(times.get(name) ?? []), await measured(action)])
}
/** The crate itself, by whose name the others are compared. */
async function ask(name, request) {
  if (limit !== undefined) times.set(name, [...(times.get(name) ?? []), await limit.ask(request)])
}
const stalls = new Map()
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
  stalls.set(name, [...(stalls.get(name) ?? []), longest])
}

const file = MappedFile.openSync(path)
const { bytes } = file
const limit = limits(path)
for (let round = 0; round < rounds; round++) {
  for (const [what, needle] of Object.entries({
    '1 byte': '~',
    '8 bytes': 'qzjxvkwy',
    '20 bytes': 'zebra crossing ahead',
  })) {
    await ask(`${what}: memchr crate`, `find 1 ${needle}`)
    await ask(`${what}: memchr crate, 2 threads`, `find 2 ${needle}`)
    await time(`${what}: indexOf`, () => file.indexOf(needle))
    await time(`${what}: indexOfAsync, 1 thread`, () => file.indexOfAsync(needle))
    await time(`${what}: indexOfAsync, 2 threads`, () => file.indexOfAsync(needle, { threads: 2 }))
    await stall(`${what}: longest stall of the event loop`, () => file.indexOfAsync(needle, { threads: 2 }))
    await time(`${what}: Buffer.indexOf`, () => bytes.indexOf(needle))
  }
  await ask('newlines: memchr crate', 'count 1 10')
  await ask('newlines: memchr crate, 2 threads', 'count 2 10')
  await time('newlines: count', () => file.count('\n'))
  await time('newlines: countAsync, 2 threads', () => file.countAsync('\n', { threads: 2 }))
  await time('newlines: Buffer.indexOf in a loop', () => {
    for (let at = bytes.indexOf(10); at >= 0; at = bytes.indexOf(10, at + 1));
  })
}
limit?.end()
file.close()
rmSync(folder, { recursive: true })
console.log(head(`${size >> 20} MiB, load average ${loadavg()[0].toFixed(1)}`))
for (const [name, list] of times) {
  const [what, how] = name.split(': ')
  console.log(row(name, list, times.get(`${what}: memchr crate${how.endsWith(', 2 threads') ? ', 2 threads' : ''}`)))
}
for (const [name, list] of stalls) {
  console.log(
    `${name.padEnd(44)}${''.padStart(11)}${Float64Array.from(list).toSorted()[list.length >> 1].toFixed(1).padStart(9)}`,
  )
}
