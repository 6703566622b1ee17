// Closes that race faults: a thread of the pool reads a truncated mapping, or stores into it, at the moment of close(), and others
// get mappings meanwhile. On Windows, where a mapped file cannot be cut, it stores into a mapping for reading. With the test build (MEMMAP_TEST_HANDLER_DELAY_US) the handler sleeps between finding a mapping and acting.
import assert from 'node:assert/strict'
import { pbkdf2, randomFill } from 'node:crypto'
import { closeSync, ftruncateSync, openSync, readFileSync } from 'node:fs'
import { MappedFile } from '../../index.js'
import { PAGE, deno, done, file, pages, windows } from './kit.mjs'

const ROUNDS = Number(process.argv[2])
const LENGTH = 16 * PAGE

const path = file(pages(16))
const fd = openSync(path, 'r+')
const content = pages(16)
const bystander = file(content)
let faulted = 0
let running = 0
let same = 0

function touch(view) {
  running++
  const end = () => running--
  // A store or a load, in every page.
  // Deno fills memory of its own, and then meets a detached buffer where nobody can catch it.
  if (windows || (running % 2 && !deno)) randomFill(view, end)
  else pbkdf2(view, 'salt', 1, 8, 'sha1', end)
}

const idle = async () => {
  while (pending() > 0) await new Promise((resolve) => setImmediate(resolve))
}
const pending = () => running

let strangers = []
const seen = new Set()
for (let round = 0; round < ROUNDS; round++) {
  if (!windows) ftruncateSync(fd, LENGTH)
  const mapping = MappedFile.openSync(path, { access: windows ? 'read' : 'write' })
  const { address } = mapping
  const view = mapping.bytes
  if (!windows) ftruncateSync(fd, 0)
  touch(view)
  // Anywhere in the life of the operation: before it starts, in its first fault, after it.
  for (let spin = (round * 7919) % 20_000; spin > 0; spin--);
  if (mapping.fault !== null) faulted++
  mapping.close()
  // One over a SharedArrayBuffer, which nothing detaches, has zeros.
  if (!(view.buffer instanceof SharedArrayBuffer)) assert.equal(view.length, 0)
  // A new mapping, of another file, which would show any byte that a late handler or a late store leaves.
  const stranger = MappedFile.openSync(bystander, { access: round % 2 ? 'write' : 'read' })
  if (stranger.address === address) same++
  strangers.push(stranger)
  if (seen.size < 1000) seen.add(address)
  if (round % 16 === 15) {
    await idle()
    for (const each of strangers) {
      assert.equal(each.fault, null)
      assert.equal(each.compare(content), 0, 'a stranger was touched')
      each.close()
    }
    strangers = []
  }
}
await idle()
closeSync(fd)
assert.equal(Buffer.compare(readFileSync(bystander), content), 0)
if (windows) assert.equal(Buffer.compare(readFileSync(path), content), 0, 'a store reached the file')
done(
  `${ROUNDS} closes raced faults, ${faulted} had faulted before; ${seen.size} addresses, ${same} times a stranger got the closed one`,
)
