// mmap-object: an object whose properties lie in a shared file. Untested: it was never seen to build on a Node that memmap runs on.
import { rmSync } from 'node:fs'
import { fromNpm } from './via/npm.mjs'
import { positions } from '../harness/fixtures.mjs'

export function load() {
  const { version, module } = fromNpm('mmap-object')
  return {
    name: 'mmap-object',
    version,
    verbs: {
      increment(path, count, bytes) {
        const own = `${path}.object`
        const shared = new module.Create(own)
        for (const at of positions(bytes, count)) shared[at] = (shared[at] ?? 0) + 1
        shared.close()
        rmSync(own, { force: true })
        return count
      },
    },
  }
}
