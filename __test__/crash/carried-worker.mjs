// A thread of `carried.mjs`: it ends while the file stands on its memory.
import { parentPort, workerData } from 'node:worker_threads'
import { MappedFile, Mapping } from '../../index.js'

const { path, handle, how } = workerData
const open = [
  MappedFile.openSync(path, { access: 'write' }),
  MappedFile.openSync(path),
  MappedFile.openSync(path, { access: 'copy' }),
  MappedFile.openSync(path, { access: 'write', sharedArrayBuffer: true }),
  Mapping.from(handle),
]
const views = open.map((mapping) => mapping.bytes)
let sum = 0
for (const view of views) for (const byte of view) sum += byte
views[2].fill(9)
// One was closed just before: what was in flight there is waited for.
open[1].close()
parentPort.postMessage(sum)
if (how === 1) for (;;) sum += views[0][sum % 4096]
if (how === 0) setInterval(() => {}, 1000)
