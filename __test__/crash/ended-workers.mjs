// Mappings of workers that end in every way. `node --expose-gc ended-workers.mjs <case>`: lives, and prints JSON. The main thread never loads the add-on
// unless a case says so.
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import { remove } from './kit.mjs'

const folder = isMainThread ? mkdtempSync(join(tmpdir(), 'memmap-workers-')) : workerData.folder
const path = join(folder, 'shared.bin')
const size = 1 << 20
const left = () => (process.platform === 'linux' ? readFileSync('/proc/self/maps', 'utf8').split(path).length - 1 : 0)
const turn = () => new Promise((resolve) => setImmediate(resolve))

/** What a worker does until it is ended from outside, or by itself. */
const jobs = {
  idle() {},
  /** A loop over a view that terminate() interrupts. */
  spinning(mappings) {
    const { bytes } = mappings[0]
    for (let i = 0; ; i = (i + 1) % size) bytes[i] = mappings[1].getUint8(i)
  },
  flushing(mappings) {
    for (const m of mappings) for (let i = 0; i < 50; i++) m.flush().catch(() => {})
  },
  opening(mappings, MappedFile) {
    for (let i = 0; i < 100; i++)
      MappedFile.open(path).then(
        (m) => mappings.push(m),
        () => {},
      )
  },
  throwing() {
    setTimeout(() => {
      throw new Error('on purpose')
    })
  },
  exiting() {
    process.exit(0)
  },
  /** A store to a read-only page: the guard's handler and its watcher have been at work here. */
  faulting(mappings, MappedFile) {
    const m = MappedFile.openSync(path)
    m.bytes[0] = 1
    mappings.push(m)
  },
  closing(mappings) {
    for (const m of mappings) m.close()
  },
}

if (!isMainThread) {
  const { MappedFile } = await import('../../index.js')
  const mappings = Array.from({ length: 10 }, (_, i) => MappedFile.openSync(path, { access: i % 2 ? 'read' : 'write' }))
  for (const m of mappings) {
    for (let i = 0; i < 100; i++) m.getUint8(i)
    m.subarray(5000, 5010)
    if (m.bytes.length !== size) throw new Error('not mapped')
  }
  // Not unref'd: only the end of the worker ends it.
  if (workerData.stay) setInterval(() => mappings.length, 1000)
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a port of a worker has no origin
  parentPort.postMessage('ready')
  await turn()
  jobs[workerData.job](mappings, MappedFile)
}

/** Runs a worker to its end. */
function run(job, terminate) {
  return new Promise((resolve) => {
    const worker = new Worker(new URL(import.meta.url), { workerData: { folder, job, stay: terminate } })
    const end = { job, error: null }
    worker.on('error', (error) => (end.error = error.message))
    worker.on('exit', () => resolve(end))
    if (terminate) worker.once('message', () => setTimeout(() => worker.terminate(), 30))
  })
}

/** Memory of the system is used again, and so are addresses. */
async function churn() {
  for (let i = 0; i < 5; i++) {
    Buffer.alloc(1 << 22, i)
    globalThis.gc()
    await turn()
  }
}

if (isMainThread) {
  writeFileSync(path, Buffer.alloc(size, 7))
  process.on('exit', () => remove(folder))
  const [what, job] = process.argv.slice(2)
  if (what === 'before') {
    const { MappedFile } = await import('../../index.js')
    const m = MappedFile.openSync(path, { access: 'copy' })
    const end = await run(job, !['throwing', 'exiting', 'closing', 'idle'].includes(job))
    await churn()
    const works = m.getUint8(9) === 7 && m.bytes[size - 1] === 7
    m.close()
    console.log(JSON.stringify({ ...end, works, left: left() }))
  } else {
    const end = await run(job, !['throwing', 'exiting', 'closing', 'idle'].includes(job))
    await churn()
    const between = left()
    // A second worker finds everything in order, and so does the main thread at last.
    const again = await run('closing', false)
    const { MappedFile } = await import('../../index.js')
    const m = MappedFile.openSync(path)
    m.bytes[0] = 9
    const kept = readFileSync(path)[0]
    m.close()
    await churn()
    console.log(JSON.stringify({ ...end, between, again: again.error, works: kept !== 9, left: left() }))
  }
}
