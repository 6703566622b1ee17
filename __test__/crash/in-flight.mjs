// close() while threads of the pool read and write the mapping: the process lives, and nobody else's bytes are touched.
import assert from 'node:assert/strict'
import { pbkdf2, randomFill } from 'node:crypto'
import fs from 'node:fs'
import { join } from 'node:path'
import zlib from 'node:zlib'
import { AnonymousMemory, MappedFile } from '../../index.js'
import { PAGE, done, file, folder, gc, long, sleep } from './kit.mjs'

const SIZE = 4 << 20
const ROUNDS = long ? 60 : 3

const source = fs.openSync(file(Buffer.alloc(SIZE, 0x33)), 'r')
const target = fs.openSync(join(folder(), 'out'), 'w+')

/** Ends when the operation does, with its error or what it gave. */
const settled = (start) =>
  new Promise((resolve) => {
    start((error, result) => resolve(error ?? result))
  })

const operations = {
  'fs.read': (view) => settled((end) => fs.read(source, view, 0, SIZE, 0, end)),
  'fs.write': (view) => settled((end) => fs.write(target, view, 0, SIZE, 0, end)),
  'fs.readv': (view) =>
    settled((end) => fs.readv(source, [view.subarray(0, SIZE / 2), view.subarray(SIZE / 2)], 0, end)),
  // One native step: after a second one Node 20 would abort by itself, as it does for any detached input (docs/safety.md).
  deflate: (view) => settled((end) => zlib.deflate(view, { chunkSize: 2 * SIZE, level: 1 }, end)),
  randomFill: (view) => settled((end) => randomFill(view, end)),
  pbkdf2: (view) => settled((end) => pbkdf2(view, 'salt', 1, 32, 'sha256', end)),
  flush: (_, mapping) => mapping.flush().catch((error) => error),
  // Four at once: the pool has as many threads.
  'all together': (view, mapping) =>
    Promise.all([
      settled((end) => fs.read(source, view, 0, SIZE, 0, end)),
      settled((end) => fs.write(target, view, 0, SIZE, 0, end)),
      settled((end) => randomFill(view, end)),
      mapping.flush().catch((error) => error),
    ]),
}

// Deno's and Bun's own JavaScript meets the detached buffer after the operation, where nobody can catch it.
const accidents = []
for (const event of ['uncaughtException', 'unhandledRejection']) {
  process.on(event, (error) => {
    if (!/detached|out of bounds|out of range/i.test(error?.message)) throw error
    accidents.push(error.message)
  })
}

const original = Buffer.alloc(SIZE, 0x77)
let strangers = 0
let early = 0

/** Others that get addresses now must not meet what an operation still writes. */
function others() {
  return Array.from({ length: 6 }, () => {
    strangers++
    const memory = AnonymousMemory.create(SIZE)
    const view = memory.view(Uint8Array)
    // One byte a page is enough to see a stranger's 0x33, zeros or noise.
    for (let i = 0; i < SIZE; i += PAGE) view[i] = 0xa5
    return { memory, view }
  })
}

async function round(name, operation, access, number) {
  const path = file(original)
  const mapping = MappedFile.openSync(path, { access })
  const view = mapping.bytes
  let ended = false
  const pending = operation(view, mapping).finally(() => {
    ended = true
  })
  // From at once to some milliseconds into it.
  if (number % 3 === 1) await new Promise((resolve) => setImmediate(resolve))
  if (number % 3 === 2) await sleep(1 + (number % 4))
  if (ended) early++
  mapping.close()
  const created = others()
  if (number % 2) gc()
  await Promise.race([pending, sleep(accidents.length > 0 ? 200 : 5000)])
  for (const { memory, view: bytes } of created) {
    for (let i = 0; i < SIZE; i += PAGE) assert.equal(bytes[i], 0xa5, `${name}: a stranger's byte at ${i}`)
    memory.close()
  }
  if (access !== 'write') assert.equal(Buffer.compare(fs.readFileSync(path), original), 0, name)
  assert.equal(fs.statSync(path).size, SIZE, name)
  fs.rmSync(path)
}

let count = 0
for (const [name, operation] of Object.entries(operations)) {
  for (let number = 0; number < ROUNDS; number++) {
    // 5 and 3 have nothing in common: in a long run every moment meets every kind of access.
    await round(name, operation, ['write', 'copy', 'write', 'read', 'copy'][number % 5], number)
    count++
  }
}
done(
  `${count} closes with operations in flight (${early} ended before), ${strangers} strangers untouched` +
    `${accidents.length > 0 ? `, ${accidents.length} errors of the engine's own about detached buffers` : ''}`,
)
