// shm-typed-array: System V shared memory as typed arrays. It maps no files: what it is given is read into it before the clock starts.
import { readFileSync } from 'node:fs'
import { fromNpm } from './via/npm.mjs'
import { increment } from '../harness/loops.mjs'

export function load() {
  const { version, module: shm } = fromNpm('shm-typed-array')
  const segments = new Map()
  const segment = (path) => {
    if (!segments.has(path)) {
      const bytes = readFileSync(path)
      const words = shm.create(bytes.length >> 2, 'Int32Array')
      words.set(new Int32Array(bytes.buffer, bytes.byteOffset, bytes.length >> 2))
      segments.set(path, words)
    }
    return segments.get(path)
  }
  return {
    name: 'shm-typed-array',
    version,
    verbs: {
      increment: (path, count) => increment(segment(path), count),
    },
    // The module destroys its segments when the process ends.
  }
}
