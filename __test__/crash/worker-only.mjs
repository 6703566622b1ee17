// The add-on is loaded by a worker only. When it ends Node unloads add-ons that nobody else has, but the handler and the watcher stay.
import assert from 'node:assert/strict'
import { fileURLToPath } from 'node:url'
import { Worker, isMainThread, parentPort } from 'node:worker_threads'
import { PAGE, done, file, gc, pages, provoke, sleep } from './kit.mjs'

async function inWorker() {
  const { MappedFile } = (await import('../../index.js')).default
  const kept = []
  for (let round = 0; round < 10; round++) {
    const path = file(pages(4))
    const mapping = MappedFile.openSync(path)
    const view = mapping.bytes
    const kind = provoke(path, view, 3 * PAGE)
    assert.equal(mapping.fault.kind, kind)
    if (round % 2) mapping.close()
    else kept.push(mapping, view)
  }
  globalThis.kept = kept
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a port, not a window
  parentPort.postMessage('faulted')
}

// (module (func (export "f") (param i32) (result i32) local.get 0 i32.load) (memory 1)): traps as the engine likes.
const TRAP = '0061736d0100000001060160017f017f030201000503010001070501016600000a0901070020002802000b'

async function main() {
  const { f } = new WebAssembly.Instance(new WebAssembly.Module(Buffer.from(TRAP, 'hex'))).exports
  const rounds = 6
  for (let round = 0; round < rounds; round++) {
    const worker = new Worker(fileURLToPath(import.meta.url))
    // Listened to from the start: the last message and the end may come together, with nothing of ours running in between.
    const ended = new Promise((resolve) => worker.once('exit', resolve))
    const message = await new Promise((resolve, reject) => {
      worker.once('message', resolve)
      worker.once('error', reject)
      worker.once('exit', (code) => reject(new Error(`the worker ended with ${code}`)))
    })
    assert.equal(message, 'faulted')
    // Ended by its own hand or by ours.
    if (round % 2) await worker.terminate()
    await ended
    gc()
    await sleep(10)
    for (let i = 0; i < 100; i++) assert.throws(() => f(-8), WebAssembly.RuntimeError)
  }
  done(`${rounds} workers that loaded the add-on ended, and traps went on through its handler`)
}

if (isMainThread) await main()
else await inWorker()
