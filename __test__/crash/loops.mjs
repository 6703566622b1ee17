// Every kind of code that JavaScript has for reading and storing bytes, optimised, over a file that was truncated under it.
import assert from 'node:assert/strict'
import { readFileSync, truncateSync } from 'node:fs'
import { MappedFile } from '../../index.js'
import { PAGE, bun, codeOf, done, file, long, news, pages, until, warnings } from './kit.mjs'

const COUNT = 32
const content = pages(COUNT)
const LEFT = 9 * PAGE + 100
/** Where the zeros of a fault begin. */
const GONE = 10 * PAGE

/** What is left of the file, and zeros behind it. */
const cut = Buffer.alloc(content.length)
content.copy(cut, 0, 0, LEFT)

const ints = (b) => new Int32Array(b.buffer, b.byteOffset, b.length / 4)
const bytes = (b) => new Uint8Array(b.buffer, b.byteOffset, b.length)

/** What each does to a Buffer, and what it says about it. */
const readers = {
  index(b) {
    let sum = 0
    for (let i = 0; i < b.length; i++) sum += b[i]
    return sum
  },
  words(b) {
    const view = ints(b)
    let sum = 0
    for (let i = view.length - 1; i >= 0; i--) sum = (sum + view[i]) | 0
    return sum
  },
  dataView(b) {
    const view = new DataView(b.buffer, b.byteOffset, b.length)
    let sum = 0
    for (let i = 0; i + 8 <= b.length; i += 8) sum = (sum + view.getInt32(i) + Number(view.getBigUint64(i) & 255n)) | 0
    return sum
  },
  atomics(b) {
    const view = ints(b)
    let sum = 0
    for (let i = 0; i < view.length; i++) sum = (sum + Atomics.load(view, i)) | 0
    return sum
  },
  iterator(b) {
    let sum = 0
    for (const byte of b) sum += byte
    return sum
  },
  reduce: (b) => bytes(b).reduce((sum, byte) => sum + byte, 0),
  indexOf: (b) => [b.indexOf('nowhere'), b.lastIndexOf(0xff), b.includes('abc'), bytes(b).indexOf(0)].join(),
  equals: (b) => [b.equals(cut), b.compare(cut), Buffer.compare(cut, b)].join(),
  text: (b) => b.toString('latin1') + b.toString('hex', 8 * PAGE, 12 * PAGE),
  decode: (b) => new TextDecoder('latin1').decode(bytes(b)),
  copies: (b) => Buffer.concat([b, Buffer.from(b), Uint8Array.from(b), bytes(b).slice()]).toString('base64'),
  numbers: (b) => b.readInt32LE(20 * PAGE) + b.readDoubleBE(9 * PAGE) + b.readUIntBE(31 * PAGE, 6),
  floats(b) {
    const view = new Float32Array(b.buffer, b.byteOffset, b.length / 4)
    let count = 0
    for (let i = 0; i < view.length; i++) if (view[i] === 0) count++
    return count
  },
}

const writers = {
  storeIndex(b) {
    for (let i = 0; i < b.length; i++) b[i] = b[i] + 1
  },
  storeWords(b) {
    const view = ints(b)
    for (let i = 0; i < view.length; i++) view[i] ^= i
  },
  storeAtomics(b) {
    const view = ints(b)
    for (let i = 0; i < view.length; i++) {
      Atomics.add(view, i, i)
      Atomics.compareExchange(view, i, 0, 5)
      Atomics.exchange(view, i, Atomics.or(view, i, 1))
    }
  },
  fill: (b) => void b.fill('xyz'),
  set: (b) => bytes(b).set(content.subarray(PAGE), 0),
  copyWithin: (b) => void b.copyWithin(100, 5 * PAGE, 20 * PAGE),
  // oxlint-disable-next-line unicorn/no-array-reverse -- in place is the point
  reverse: (b) => void bytes(b).reverse(),
  // oxlint-disable-next-line unicorn/no-array-sort -- in place is the point
  sort: (b) => void bytes(b).sort(),
  write: (b) => void (b.write('hello', 20 * PAGE) + b.writeDoubleLE(1.5, 30 * PAGE)),
  swap: (b) => void b.swap32(),
  encode: (b) => void new TextEncoder().encodeInto('x'.repeat(b.length), bytes(b)),
}

let faults = 0
const rounds = long ? 60 : 6

async function one(access, name, operation) {
  const path = file(content)
  const mapping = MappedFile.openSync(path, { access })
  try {
    // Hot before the file is cut: the access that faults is in optimised code.
    const warm = Buffer.from(content)
    for (let round = 0; round < rounds; round++) operation(warm)
    const { bytes: view } = mapping
    if (!(name in writers)) operation(view)
    truncateSync(path, LEFT)
    const before = news.length
    const expected = Buffer.alloc(content.length, cut)
    const wanted = operation(expected)
    const title = `${name} of a ${access} mapping`
    assert.equal(operation(view), wanted, title)
    const { fault } = mapping
    assert.equal(fault?.kind, 'truncated', title)
    assert.ok(fault.offset >= GONE && fault.offset < content.length, `${title}: ${fault.offset}`)
    assert.equal(Buffer.compare(view, expected), 0, title)
    for (const work of [
      () => mapping.throwIfFaulted(),
      () => mapping.getUint8(0),
      () => mapping.read(0, 1),
      () => mapping.flushSync(),
    ]) {
      const code = access === 'read' && work.toString().includes('flush') ? 'EACCES' : 'ERR_MAPPING_FAULT'
      if (access === 'copy' && work.toString().includes('flush')) continue
      assert.equal(codeOf(work), code, `${title}: ${work}`)
    }
    await until(() => news.length > before, `the news of ${title}`)
    assert.equal(news.at(-1).mapping, mapping)
    assert.equal(news.at(-1).kind, 'truncated')
    faults++
    if (access !== 'write') assert.equal(Buffer.compare(readFileSync(path), content.subarray(0, LEFT)), 0, title)
    else assert.equal(Buffer.compare(readFileSync(path), expected.subarray(0, LEFT)), 0, title)
    // The file gets its old length back, and the mapping its pages.
    truncateSync(path, content.length)
    mapping.clearFault()
    assert.equal(mapping.fault, null)
    assert.equal(mapping.getUint8(content.length - 1), 0)
    mapping.throwIfFaulted()
  } finally {
    mapping.close()
  }
}

// Bun's optimised Atomics.load is a read-modify-write: private pages stay as they were (rmw.mjs).
const pure = Object.fromEntries(Object.entries(readers).filter(([name]) => !bun || name !== 'atomics'))
const names = { read: pure, write: { ...readers, ...writers }, copy: { ...pure, ...writers } }
let count = 0
for (const [access, operations] of Object.entries(names)) {
  for (const [name, operation] of Object.entries(operations)) {
    await one(access, name, operation)
    count++
  }
}
await until(() => warnings.includes('MEMMAP_FAULT'), 'the process warning')
done(`${count} kinds of access over truncated files, ${faults} faults survived`)
