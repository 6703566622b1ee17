// sonic-boom, which pino writes through; synchronous, so that a record for which write() returned is in the file.
import { closeSync, openSync } from 'node:fs'
import { fromNpm } from './via/npm.mjs'
import { recordOf } from '../harness/fixtures.mjs'

export function load() {
  const { version, module: SonicBoom } = fromNpm('sonic-boom')
  return {
    name: 'sonic-boom, sync',
    version,
    verbs: {
      append(path, count, bytes) {
        const line = `${recordOf(bytes).toString('latin1', 1)}\n`
        const fd = openSync(path, 'w')
        const sonic = new SonicBoom({ fd, sync: true })
        for (let turn = 0; turn < count; turn++) sonic.write(line)
        sonic.flushSync()
        closeSync(fd)
        return count
      },
    },
  }
}
