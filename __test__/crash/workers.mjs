// Several threads read one file in optimised loops while it is truncated, grows again, and threads are ended in the middle.
import assert from 'node:assert/strict'
import { truncateSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { Worker, isMainThread, workerData } from 'node:worker_threads'
import { MappedFile } from '../../index.js'
import { PAGE, done, file, long, pages, sleep, until } from './kit.mjs'

const THREADS = 3
const ROUNDS = long ? 300 : 25
const COUNT = 64

// Words of the control file: how many passes each thread has done, from PASSES on; how many faults it has cleared, from CLEARED on.
const STOP = 0
const PASSES = 8
const CLEARED = 40

function work({ path, control, index }) {
  const shared = MappedFile.openSync(control, { access: 'write' }).view(Int32Array)
  const mapping = MappedFile.openSync(path)
  const view = mapping.view(Int32Array)
  const pass = () => {
    let sum = 0
    for (let i = 0; i < view.length; i++) sum = (sum + view[i] + Atomics.load(shared, STOP)) | 0
    return sum
  }
  while (Atomics.load(shared, STOP) === 0) {
    pass()
    if (mapping.fault !== null) {
      mapping.clearFault()
      Atomics.add(shared, CLEARED + index, 1)
    }
    Atomics.add(shared, PASSES + index, 1)
  }
}

if (isMainThread) {
  const content = pages(COUNT)
  const path = file(content)
  const control = file(Buffer.alloc(PAGE))
  const shared = MappedFile.openSync(control, { access: 'write' })
  const words = shared.view(Int32Array)
  const start = (index) => new Worker(fileURLToPath(import.meta.url), { workerData: { path, control, index } })
  const threads = Array.from({ length: THREADS }, (_, index) => start(index))
  let ended = 0
  const passed = (index, more) => {
    const from = words[PASSES + index]
    return until(() => words[PASSES + index] >= from + more, `thread ${index} to pass`)
  }
  for (let index = 0; index < THREADS; index++) await passed(index, 1)
  for (let round = 0; round < ROUNDS; round++) {
    truncateSync(path, (round % COUNT) * PAGE)
    await passed(round % THREADS, 1)
    writeFileSync(path, content, { flag: 'r+' })
    await sleep(1)
    if (round % 8 === 7) {
      const index = round % THREADS
      await threads[index].terminate()
      ended++
      threads[index] = start(index)
      await passed(index, 1)
    }
  }
  Atomics.store(words, STOP, 1)
  const ends = await Promise.all(threads.map((thread) => new Promise((resolve) => thread.once('exit', resolve))))
  assert.ok(ends.every((code) => code === 0))
  const sum = (at) => words.subarray(at, at + THREADS).reduce((total, count) => total + count, 0)
  assert.ok(sum(CLEARED) > 0, 'no thread met a fault')
  done(
    `${ROUNDS} truncations, ${sum(PASSES)} passes of ${THREADS} threads, ${sum(CLEARED)} faults cleared, ${ended} threads ended in the middle`,
  )
} else {
  work(workerData)
}
