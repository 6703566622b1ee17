// Run by Bun, never by Node: answers harness/child.mjs.
import { createInterface } from 'node:readline'
import { positions } from '../harness/fixtures.mjs'

const kept = new Map()
const keep = (path) => {
  if (!kept.has(path)) kept.set(path, Buffer.from(Bun.mmap(path).buffer))
  return kept.get(path)
}
const words = (bytes) => new Int32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength >> 2)

const timed = (action) => {
  const begun = Bun.nanoseconds()
  const result = action()
  return { result, times: [Bun.nanoseconds() - begun] }
}

const verbs = {
  open(path, count) {
    const times = []
    let result
    for (let turn = 0; turn < Number(count); turn++) {
      const begun = Bun.nanoseconds()
      ;[result] = Bun.mmap(path)
      times.push(Bun.nanoseconds() - begun)
    }
    return { result, times }
  },
  sum: (path) => {
    const all = words(keep(path))
    return timed(() => {
      let sum = 0
      for (let at = 0; at < all.length; at++) sum += all[at]
      return sum
    })
  },
  find: (path, needle) => {
    const bytes = keep(path)
    return timed(() => bytes.indexOf(needle))
  },
  count: (path, byte) => {
    const bytes = keep(path)
    return timed(() => {
      let count = 0
      for (let at = bytes.indexOf(Number(byte)); at >= 0; at = bytes.indexOf(Number(byte), at + 1)) count++
      return count
    })
  },
  copy: (path, slice) => {
    const bytes = keep(path)
    const target = Buffer.alloc(Number(slice))
    return timed(() => {
      for (let at = 0; at < bytes.length; at += target.length) bytes.copy(target, 0, at, at + target.length)
      return bytes.length
    })
  },
  increment: (path, count, bytes) => {
    const places = positions(Number(bytes), Number(count))
    return timed(() => {
      const all = words(Bun.mmap(path))
      for (const at of places) all[at]++
      return places.length
    })
  },
}

for await (const line of createInterface({ input: process.stdin })) {
  const [verb, ...args] = line.split('\t')
  const usage = process.cpuUsage()
  const { result, times } = verbs[verb](...args)
  const { user, system } = process.cpuUsage(usage)
  process.stdout.write(`${[result, (user + system) * 1000, ...times].join('\t')}\n`)
}
