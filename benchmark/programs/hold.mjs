// Holds so many mappings of one file, looks into each, closes all, and says what that did to the garbage collector: `hold.mjs <who> <path> <count>`.
import { existsSync, readFileSync } from 'node:fs'
import { PerformanceObserver, constants } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { MappedFile } from '../../index.js'

const [, , who, path, count] = process.argv

const close = (file) => file.close()
const shared = { sharedArrayBuffer: true }
const WAYS = {
  none: { hold: () => undefined, release() {} },
  accessors: {
    hold() {
      const file = MappedFile.openSync(path)
      const bytes = [file.getUint8(0), file.read(file.byteLength - 1, 1)[0], file.subarray(4096, 8192)[0]]
      return bytes.every((byte) => byte === 0) && file
    },
    release: close,
  },
  shared: {
    hold() {
      const file = MappedFile.openSync(path, shared)
      return file.bytes[0] === 0 && file
    },
    release: close,
  },
  bytes: {
    hold() {
      const file = MappedFile.openSync(path)
      return file.bytes[0] === 0 && file
    },
    release: close,
  },
}

/** A rival has nothing to close with: its buffers are only forgotten. */
async function other(id) {
  const { load } = await import(new URL(`../rivals/${id}.mjs`, import.meta.url))
  const { map } = load().verbs
  return { hold: () => map(path), release() {} }
}

const { hold, release } = WAYS[who] ?? (await other(who))
let [majors, pause] = [0, 0]
const observer = new PerformanceObserver((list) => {
  for (const { detail, duration } of list.getEntries()) {
    pause += duration
    if (detail.kind === constants.NODE_PERFORMANCE_GC_MAJOR) majors++
  }
})
observer.observe({ entryTypes: ['gc'] })
const begun = process.hrtime.bigint()
let all = Array.from({ length: Number(count) }, hold)
const { external } = process.memoryUsage()
all.forEach(release)
const time = Number(process.hrtime.bigint() - begun)
all = undefined
// The observer is told in a later turn.
await sleep(20)
const left = existsSync('/proc/self/maps') ? readFileSync('/proc/self/maps', 'utf8').split(path).length - 1 : 0
console.log(
  JSON.stringify({
    time,
    'major GCs': majors,
    pause: pause * 1e6,
    'external MiB': external / 2 ** 20,
    'mappings left': left,
  }),
)
