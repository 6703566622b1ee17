// Reading a file line by line is several times as fast as readline, at the cost of decoding and cutting.
import { closeSync, createReadStream, openSync, readSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { MappedFile } from '../../index.js'
import { limit, ours, rival } from '../harness/contestants.mjs'
import { MiB } from '../harness/fixtures.mjs'

export const modes = {
  full: { bytes: 32 * MiB, rounds: 7 },
  quick: { bytes: 8 * MiB, rounds: 5 },
  tiny: { bytes: MiB >> 4, rounds: 1 },
}

const BLOCK = 64 << 10
const ASCII = 'abcdefgh'
const KINDS = [
  ['25 bytes', 25, ASCII],
  ['200 bytes', 200, ASCII],
  ['1000 bytes', 1000, ASCII],
  ['200 bytes, not ASCII', 200, 'äöü ß'],
]
const READLINE = 'readline, for await'

export const figures = [
  { workload: '1000 bytes', of: 'lines(), for of', against: READLINE, least: 10, floor: 'floor, sync' },
]

export const headlines = [
  {
    what: 'read a line of 200 bytes',
    workload: '200 bytes',
    of: 'lines(), for of',
    rival: READLINE,
    limit: 'floor, sync',
  },
]

/** Reads blocks, decodes them, and cuts a line at each place where the file is known to have one: nothing is searched for, checked or awaited. */
function floor(path, bytes) {
  const fd = openSync(path)
  const buffer = Buffer.allocUnsafe(Math.max(1, Math.floor(BLOCK / bytes)) * bytes)
  let count = 0
  for (let got = readSync(fd, buffer); got > 0; got = readSync(fd, buffer)) {
    const text = buffer.latin1Slice(0, got)
    for (let at = 0; at < got; at += bytes) if (text.slice(at, at + bytes - 1).length > 0) count++
  }
  closeSync(fd)
  return count
}

/** The cheapest asynchronous iterator that the language has: no file, no cutting, one resolved Promise and one result object for each line. */
class Resolved {
  #left
  constructor(count) {
    this.#left = count
  }
  next() {
    return Promise.resolve(this.#left-- > 0 ? { value: 'line', done: false } : { value: undefined, done: true })
  }
  [Symbol.asyncIterator]() {
    return this
  }
}

async function awaited(lines) {
  let count = 0
  for await (const line of lines) if (line.length > 0) count++
  return count
}

function counted(lines) {
  let count = 0
  for (const line of lines) if (line.length > 0) count++
  return count
}

const readline = (path) => createInterface({ input: createReadStream(path), crlfDelay: Infinity })

const heard = (path) =>
  new Promise((resolve) => {
    let count = 0
    readline(path)
      .on('line', (text) => {
        if (text.length > 0) count++
      })
      .on('close', () => resolve(count))
  })

export function setup({ bytes: size, folder }) {
  const files = []
  const workloads = KINDS.map(([name, bytes, fill], at) => {
    const path = join(folder, `${at}`)
    const line = Buffer.alloc(bytes, fill)
    // The last bytes: never the half of a character.
    line.write('...\n', bytes - 4)
    const count = Math.floor(size / bytes)
    writeFileSync(path, Buffer.alloc(count * bytes, line))
    const file = MappedFile.openSync(path)
    files.push(file)
    return {
      name,
      unit: 'a line',
      per: count,
      expected: count,
      contestants: [
        ours('lines(), for of', () => counted(file.lines())),
        ours('lines(), for await', () => awaited(file.lines())),
        rival(READLINE, () => awaited(readline(path))),
        rival("readline, on 'line'", () => heard(path)),
        ...(fill === ASCII ? [limit('floor, sync', () => floor(path, bytes))] : []),
        limit('floor, awaited', () => awaited(new Resolved(count))),
      ],
    }
  })
  const notes = [
    'floor, sync: reads blocks, decodes them and cuts where lines are known to end; nothing is searched for or checked',
    'floor, awaited: one resolved Promise a line, and no file: what `for await` costs before anything is read',
  ]
  return { workloads, notes, close: () => files.forEach((file) => file.close()) }
}
