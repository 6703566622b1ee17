// Waits in every way, and ends: `waiter.mjs <path> <how>`. As a worker: sleeps in a wait that nobody ends.
import { Worker, isMainThread, workerData } from 'node:worker_threads'
import { fileURLToPath } from 'node:url'
import { MappedFile } from '../../index.js'

const MANY = 300

if (isMainThread) {
  const [path, how] = process.argv.slice(2)
  const mapping = MappedFile.openSync(path, { access: 'write' })
  const many = (options) => Array.from({ length: MANY }, (_, at) => mapping.waitAsync(4 * (8 + (at % 100)), 0, options))
  /** A worker that is asleep: what it calls next is the wait. */
  const sleeper = async () => {
    const worker = new Worker(fileURLToPath(import.meta.url), { workerData: path })
    while (mapping.getInt32(0, true) === 0) await new Promise((resolve) => setTimeout(resolve, 2))
    await new Promise((resolve) => setTimeout(resolve, 100))
    return worker
  }
  const roles = {
    /** Nothing else to do: waits without a time limit keep no process alive. */
    idle: () => void Promise.allSettled(many()),
    exit() {
      void Promise.allSettled(many())
      setTimeout(() => process.exit(7), 50)
    },
    async terminate() {
      const worker = await sleeper()
      await worker.terminate()
      console.log('terminated')
      process.exit(0)
    },
    async 'exit over a worker'() {
      await sleeper()
      process.exit(7)
    },
    async abort() {
      const controller = new AbortController()
      const all = Promise.allSettled(many({ signal: controller.signal, timeoutMs: 60_000 }))
      await new Promise((resolve) => setTimeout(resolve, 20))
      controller.abort(new Error('enough'))
      const reasons = new Set((await all).map(({ reason }) => `${reason?.code} ${reason?.cause?.message}`))
      console.log([...reasons].join())
    },
    async close() {
      const all = Promise.allSettled(many({ timeoutMs: 60_000 }))
      await new Promise((resolve) => setTimeout(resolve, 20))
      mapping.close()
      const reasons = new Set((await all).map(({ reason }) => reason?.code))
      console.log([...reasons].join())
    },
    async 'time out'() {
      console.log([...new Set(await Promise.all(many({ timeoutMs: 30 })))].join())
    },
  }
  await roles[how]()
} else {
  const mapping = MappedFile.openSync(workerData, { access: 'write' })
  mapping.waitAsync(4, 0).catch(() => {})
  mapping.setInt32(0, 1, true)
  mapping.wait(8, 0)
}
