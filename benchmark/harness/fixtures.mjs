// The files that cases run over: equal for all who take part.
import { closeSync, fsyncSync, openSync, statfsSync, truncateSync, writeFileSync, writeSync } from 'node:fs'
import { random } from './statistics.mjs'

export const MiB = 1 << 20
export const GiB = 1 << 30
const BLOCK = MiB

function written(path, bytes, block) {
  const fd = openSync(path, 'w')
  try {
    for (let at = 0; at < bytes; at += BLOCK) writeSync(fd, block(at), 0, Math.min(BLOCK, bytes - at))
    // What is dirty would be written back under those who are measured.
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
  return path
}

/** A file as one write(2) makes it, and on the disk. */
export function rewrite(path, contents) {
  writeFileSync(path, contents)
  const fd = openSync(path)
  try {
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
}

/** English-like text: lines of about 55 bytes, no tilde, no word of the needles. */
export function textFile(path, bytes) {
  const words = 'the quick brown fox jumps over a lazy dog while rivers run towards distant oceans'.split(' ')
  const next = random()
  return written(path, bytes, () => {
    let text = ''
    while (text.length < BLOCK) text += words[Math.floor(next() * words.length)] + (next() < 0.1 ? '\n' : ' ')
    // The last line is a whole one.
    return Buffer.from(`${text.slice(0, BLOCK - 1)}\n`, 'latin1')
  })
}

/** 32-bit integers, -128 to 127, little-endian. */
export function integersFile(path, bytes) {
  const block = Buffer.alloc(BLOCK)
  for (let at = 0; at < BLOCK; at += 4) block.writeInt32LE(((at >> 2) % 256) - 128, at)
  return written(path, bytes, () => block)
}

/** A file whose blocks differ. */
export function bytesFile(path, bytes) {
  const block = Buffer.alloc(BLOCK)
  return written(path, bytes, (at) => block.fill((at / BLOCK) & 255))
}

/** A file of a size and no blocks. */
export function sparseFile(path, bytes) {
  writeFileSync(path, '')
  truncateSync(path, bytes)
  return path
}

/** What logs are given. */
export const recordOf = (bytes) => Buffer.alloc(bytes, 'x')

const places = new Map()

/** Places of 32-bit integers in a file of so many bytes (a power of two): the same in every program, and made before anybody's clock counts. */
export function positions(bytes, count) {
  const key = `${bytes} ${count}`
  if (!places.has(key)) {
    const mask = bytes / 4 - 1
    let seed = 1
    const list = Int32Array.from({ length: count }, () => {
      seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) | 0
      return (seed >>> 8) & mask
    })
    places.set(key, list)
  }
  return places.get(key)
}

/** Whether a folder lies in memory: nothing there ever gets cold. */
export function isTmpfs(folder) {
  return process.platform === 'linux' && statfsSync(folder).type === 0x0102_1994
}
