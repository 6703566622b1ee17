// lmdb: a key-value store over a mapped file. Appending: one put a record, its commits left to lmdb, and the last one awaited.
import { rmSync } from 'node:fs'
import { fromNpm } from './via/npm.mjs'
import { recordOf } from '../harness/fixtures.mjs'

export function load() {
  const { version, module } = fromNpm('lmdb')
  return {
    name: 'lmdb',
    version,
    verbs: {
      async append(path, count, bytes) {
        const record = recordOf(bytes)
        const store = module.open({ path, keyEncoding: 'uint32', encoding: 'binary', compression: false, noSync: true })
        let last
        for (let turn = 0; turn < count; turn++) last = store.put(turn, record)
        await last
        await store.close()
        rmSync(path, { recursive: true, force: true })
        rmSync(`${path}-lock`, { force: true })
        return count
      },
    },
  }
}
