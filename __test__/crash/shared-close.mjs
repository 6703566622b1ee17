// The last mapping closes while other threads are using its SharedArrayBuffer, which nobody can take away from them: they must find the
// file, a private copy or zeros, and live. Each page faults at the first store, so some thread is in a fault at nearly every close.
// `shared-close.mjs <rounds>`; with the test build MEMMAP_TEST_HANDLER_EARLY_DELAY_US keeps the handler from looking until all is over.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { closeSync, ftruncateSync, openSync, readFileSync } from 'node:fs'
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import { AnonymousMemory, MappedFile, Mapping } from '../../index.js'
import { PAGE, done, file, news, pages, skip } from './kit.mjs'

const COUNT = 64
const THREADS = 2

/** A thread: stores into the pages of one buffer after the other, in an order of its own, and goes on until it is given the next one. */
function use() {
  const { state, step } = workerData
  const words = new Int32Array(state)
  parentPort.on('message', ({ buffer, offset, round }) => {
    const bytes = new Uint8Array(buffer, offset)
    Atomics.add(words, 1, 1)
    let [at, stores] = [0, 0]
    while (Atomics.load(words, 0) === round) {
      at = (at + step) % COUNT
      bytes[at * PAGE + step] = 99
      if (bytes[at * PAGE + 64] === 255) throw new Error('a byte that nobody wrote')
      stores++
    }
    parentPort.postMessage(stores)
  })
}

async function close(rounds) {
  if (!Mapping.isSupported('sharedArrayBuffer')) return skip('no SharedArrayBuffers over memory here')
  const words = new Int32Array(new SharedArrayBuffer(8))
  const threads = Array.from(
    { length: THREADS },
    (_, i) => new Worker(new URL(import.meta.url), { workerData: { state: words.buffer, step: 2 * i + 1 } }),
  )
  const content = pages(COUNT)
  const path = file(content)
  const broken = file(content)
  const fd = openSync(broken, 'r+')
  // Each kind of last moment: stores that fault (a file for reading), pages that are gone (a file that was cut), and no fault at all.
  const kinds = [
    () => MappedFile.openSync(path, { sharedArrayBuffer: true }),
    () => {
      ftruncateSync(fd, COUNT * PAGE)
      const mapping = MappedFile.openSync(broken, { access: 'copy', sharedArrayBuffer: true })
      void mapping.bytes
      ftruncateSync(fd, 0)
      return mapping
    },
    () => AnonymousMemory.create(COUNT * PAGE, { sharedArrayBuffer: true }),
  ]
  let stores = 0
  for (let round = 1; round <= rounds; round++) {
    const mapping = kinds[round % kinds.length]()
    const second = round % 4 === 0 && !mapping.bytes.buffer.growable ? Mapping.from(mapping.share()) : undefined
    const { buffer, byteOffset: offset } = mapping.bytes
    Atomics.store(words, 1, 0)
    Atomics.store(words, 0, round)
    const answers = threads.map((thread) => once(thread, 'message'))
    for (const thread of threads) thread.postMessage({ buffer, offset, round })
    while (Atomics.load(words, 1) < THREADS) await new Promise((resolve) => setImmediate(resolve))
    for (let spin = (round * 7919) % 50_000; spin > 0; spin--);
    mapping.close()
    second?.close()
    // What is stored from now on is in memory that is nobody's.
    for (let spin = (round * 104_729) % 50_000; spin > 0; spin--);
    Atomics.store(words, 0, 0)
    stores += (await Promise.all(answers)).reduce((sum, [count]) => sum + count, 0)
    assert.ok(Buffer.from(buffer, offset + COUNT * PAGE - 8, 8).every((byte) => byte === 0 || byte === 99))
  }
  for (const thread of threads) await thread.terminate()
  closeSync(fd)
  assert.equal(Buffer.compare(readFileSync(path), content), 0, 'the file was touched')
  done(`${rounds} closes under ${THREADS} storing threads, ${stores} stores, ${news.length} mappings told of faults`)
}

if (isMainThread) await close(Number(process.argv[2]))
else use()
