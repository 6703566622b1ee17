// Counts what is left of mappings that were dropped, or closed. `node --expose-gc collect.mjs <dropped|closed> <how many>`
import { mkdtempSync, readFileSync, readdirSync, readlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { AnonymousMemory, MappedFile } from '../../index.js'
import { remove } from './kit.mjs'

const [how, count] = [process.argv[2], Number(process.argv[3])]
const folder = mkdtempSync(join(tmpdir(), 'memmap-collect-'))
process.on('exit', () => remove(folder))
const path = join(folder, 'collected.bin')
writeFileSync(path, Buffer.alloc(40_000, 1))

const areas = () => readFileSync('/proc/self/maps', 'utf8').split('\n')
const left = () => areas().filter((line) => line.includes(path)).length
function descriptors() {
  let found = 0
  for (const fd of readdirSync('/proc/self/fd')) {
    try {
      if (readlinkSync(`/proc/self/fd/${fd}`) === path) found++
    } catch {
      // The one that the listing itself had.
    }
  }
  return found
}
const turn = () => new Promise((resolve) => setImmediate(resolve))

/** Everything that a mapping can leave behind, by turns. */
async function use(i) {
  const access = ['read', 'write', 'copy'][i % 3]
  const m =
    i % 5 === 0 ? await MappedFile.open(path, { access }) : MappedFile.openSync(path, { access, offset: i % 4097 })
  const views = []
  if (i % 2 === 0) views.push(m.bytes, m.subarray(1, 100), m.view(Uint8Array, 5))
  if (i % 7 === 0) for (let k = 0; k < 30; k++) m.getUint32(k * 4)
  const memory = i % 10 === 0 ? AnonymousMemory.create(100_000) : undefined
  if (memory) views.push(memory.bytes)
  let sum = 0
  for (const view of views) sum += view[0] ?? 0
  if (how === 'closed') {
    m.close()
    memory?.close()
    if (views.some((view) => view.length > 0)) throw new Error('a view outlived close()')
  }
  return sum
}

async function collect() {
  for (let i = 0; i < 50 && (left() > 0 || i < 3); i++) {
    globalThis.gc()
    await turn()
    await turn()
  }
}

await use(0)
await collect()
const before = areas().length
let most = 0
for (let i = 0; i < count; i++) {
  await use(i)
  if (i % 500 === 499) {
    most = Math.max(most, left())
    // Nobody else does it here: what is mapped is not on the heap of V8.
    globalThis.gc()
    await turn()
  }
}
await collect()
console.log(JSON.stringify({ left: left(), descriptors: descriptors(), grown: areas().length - before, most }))
