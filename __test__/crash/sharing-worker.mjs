// The other thread of `sharing.mjs`.
import { parentPort } from 'node:worker_threads'
import { MappedFile, Mapping } from '../../index.js'

let mapping

const orders = {
  from({ handle }) {
    mapping = Mapping.from(handle)
    const { name } = mapping.constructor
    const { access, byteLength, address } = mapping
    return { name, access, byteLength, address, byte: mapping.getUint8(3) }
  },
  open: ({ path }) => void (mapping = MappedFile.openSync(path)),
  share: () => mapping.share(),
  set: ({ at, value }) => void mapping.setUint8(at, value),
  get: ({ at }) => mapping.getUint8(at),
  view: ({ at }) => mapping.bytes[at],
  close: () => mapping.close(),
  posted: ({ buffer, at }) => new Uint8Array(buffer)[at],
  wait({ buffer, at }) {
    const words = new Int32Array(buffer, at, 4)
    const answer = Atomics.wait(words, 0, 0, 20_000)
    Atomics.store(words, 1, 4711)
    return [answer, Atomics.load(words, 0)]
  },
}

parentPort.on('message', (order) => parentPort.postMessage(orders[order.do](order)))
