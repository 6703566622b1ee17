// Workers end in the middle of everything: by terminate(), by process.exit, by an exception; their mappings go with them.
import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { Worker, isMainThread, parentPort, workerData } from 'node:worker_threads'
import { bun, deno, done, file, gc, long, maps, pages, sleep } from './kit.mjs'

const ROUNDS = long ? 120 : 18

async function work({ path, how }) {
  const fs = await import('node:fs')
  const { randomFill } = await import('node:crypto')
  const { deflate } = await import('node:zlib')
  const { MappedFile, AnonymousMemory } = (await import('../../index.js')).default
  const kept = []
  for (let i = 0; i < 8; i++) {
    const mapping = MappedFile.openSync(path, { access: ['read', 'write', 'copy'][i % 3] })
    kept.push(mapping, mapping.bytes, mapping.subarray(i, 100 + i), AnonymousMemory.create(1 << 20).bytes)
    if (i % 2) mapping.close()
    else if (mapping.access !== 'read') mapping.flush().catch(() => {})
    MappedFile.open(path).catch(() => {})
  }
  const view = kept[1]
  const out = fs.openSync('/dev/null', 'w')
  fs.write(out, view, 0, view.length, 0, () => {})
  deflate(view, () => {})
  randomFill(MappedFile.openSync(path, { access: 'copy' }).bytes, () => {})
  globalThis.kept = kept
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a port, not a window
  parentPort.postMessage('busy')
  if (how === 'exit') process.exit(3)
  if (how === 'throw') throw new Error('on purpose')
  if (how === 'loop') for (globalThis.at = 0; ; globalThis.at += 1 + view[globalThis.at % view.length]);
  if (how === 'windows')
    for (;;) {
      const mapping = MappedFile.openSync(path)
      globalThis.last = mapping.subarray(0, 10)
      mapping.close()
    }
  setInterval(() => {}, 1000)
}

async function main() {
  const path = file(pages(256))
  const descriptors = () => readdirSync('/proc/self/fd').length
  const ways = ['idle', 'loop', 'exit', 'throw', 'windows', 'idle']
  let before
  for (let round = 0; round < ROUNDS; round++) {
    const how = ways[round % ways.length]
    const worker = new Worker(fileURLToPath(import.meta.url), { workerData: { path, how } })
    const exit = new Promise((resolve) => worker.once('exit', resolve))
    worker.on('error', (error) => assert.equal(error.message, 'on purpose'))
    await new Promise((resolve) => worker.once('message', resolve))
    await sleep(round % 5)
    if (how === 'exit' || how === 'throw') await exit
    else await worker.terminate()
    if (round === ways.length - 1) {
      gc()
      await sleep(50)
      before = { maps: maps(path).length, descriptors: descriptors() }
    }
  }
  for (let i = 0; i < 50 && maps(path).length > before.maps; i++) {
    gc()
    await sleep(20)
  }
  const after = { maps: maps(path).length, descriptors: descriptors() }
  // Bun and Deno run no finalizers when a worker is ended: what it had not closed stays until the process ends.
  if (!bun && !deno) {
    assert.ok(after.maps <= before.maps + 4, `${after.maps} mappings of the file are left, ${before.maps} before`)
    assert.ok(
      after.descriptors <= before.descriptors + 8,
      `${after.descriptors} descriptors, ${before.descriptors} before`,
    )
  }
  done(`${ROUNDS} workers ended in the middle, ${after.maps} mappings of theirs left`)
}

if (isMainThread) await main()
else await work(workerData)
