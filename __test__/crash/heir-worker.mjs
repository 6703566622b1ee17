// A thread of `carried.mjs`. With a path: it opens the file, gives the carrier's buffer away and ends. Without: it stores to what it is sent.
import { parentPort, workerData } from 'node:worker_threads'
import { MappedFile } from '../../index.js'

const { path, access } = workerData
if (path === undefined) {
  parentPort.on('message', (heir) => {
    const view = new Uint8Array(heir)
    for (let i = 0; i < 100; i++) view.fill(0xee)
    parentPort.postMessage(view.length)
  })
} else {
  const { buffer } = MappedFile.openSync(path, { access }).bytes
  try {
    parentPort.postMessage(buffer, [buffer])
  } catch {
    parentPort.postMessage('refused')
  }
}
