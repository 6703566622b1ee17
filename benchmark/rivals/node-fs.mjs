// node:fs: whole files, blocks into one buffer, streams.
import {
  closeSync,
  createReadStream,
  createWriteStream,
  openSync,
  readFileSync,
  readSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { once } from 'node:events'
import { positions, recordOf } from '../harness/fixtures.mjs'
import { increment, sumOf } from '../harness/loops.mjs'

const BLOCK = 64 << 10

const words = (bytes) => new Int32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength >> 2)

/** A file open for one action. */
function opened(path, flags, action) {
  const fd = openSync(path, flags)
  try {
    return action(fd)
  } finally {
    closeSync(fd)
  }
}

const verbs = {
  'fs.readFileSync': {
    open: (path) => readFileSync(path)[0],
    sum: (path) => sumOf(words(readFileSync(path))),
    increment(path, count) {
      const bytes = readFileSync(path)
      increment(words(bytes), count)
      writeFileSync(path, bytes)
      return count
    },
  },
  'fs.readSync': {
    open: (path) =>
      opened(path, 'r', (fd) => {
        const first = Buffer.alloc(1)
        readSync(fd, first)
        return first[0]
      }),
    sum: (path) =>
      opened(path, 'r', (fd) => {
        const block = Buffer.alloc(BLOCK)
        const part = words(block)
        let sum = 0
        for (let got = readSync(fd, block); got > 0; got = readSync(fd, block)) sum += sumOf(part.subarray(0, got >> 2))
        return sum
      }),
    increment: (path, count, bytes) =>
      opened(path, 'r+', (fd) => {
        const one = Buffer.alloc(4)
        for (const at of positions(bytes, count)) {
          readSync(fd, one, 0, 4, 4 * at)
          one.writeInt32LE((one.readInt32LE() + 1) | 0)
          writeSync(fd, one, 0, 4, 4 * at)
        }
        return count
      }),
    copy: (path, slice) =>
      opened(path, 'r', (fd) => {
        const target = Buffer.alloc(slice)
        let copied = 0
        for (let got = readSync(fd, target); got > 0; got = readSync(fd, target)) copied += got
        return copied
      }),
    touch: (path) =>
      opened(path, 'r', (fd) => {
        const target = Buffer.alloc(1 << 20)
        let sum = 0
        for (let got = readSync(fd, target); got > 0; got = readSync(fd, target)) {
          for (let at = 0; at < got; at += 4096) sum += target[at]
        }
        return sum
      }),
  },
  'fs.writeSync': {
    append: (path, count, bytes) =>
      opened(path, 'w', (fd) => {
        const record = recordOf(bytes)
        for (let turn = 0; turn < count; turn++) writeSync(fd, record)
        return count
      }),
  },
  'fs.createReadStream': {
    async sum(path) {
      let sum = 0
      for await (const block of createReadStream(path)) sum += sumOf(words(block))
      return sum
    },
  },
  'fs.createWriteStream': {
    async append(path, count, bytes) {
      const record = recordOf(bytes)
      const stream = createWriteStream(path)
      for (let turn = 0; turn < count; turn++) if (!stream.write(record)) await once(stream, 'drain')
      stream.end()
      await once(stream, 'finish')
      return count
    },
  },
}

export const load = () => Object.entries(verbs).map(([name, its]) => ({ name, version: process.version, verbs: its }))
