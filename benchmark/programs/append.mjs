// Appends records until it is killed, and counts in a mapped file those that were taken: `append.mjs <who> <path> <counter>`.
import { createWriteStream, openSync, writeSync } from 'node:fs'
import { MappedFile } from '../../index.js'
import { MappedLog } from '../../lib/log/index.js'
import { recordOf } from '../harness/fixtures.mjs'

const [, , who, path, counter] = process.argv
const record = recordOf(512)
const line = record.toString('latin1')
/** Records between two turns of the event loop, which asynchronous writers live on. */
const TURN = 100

const sonic = async (options) => {
  const { default: SonicBoom } = await import('sonic-boom')
  const stream = new SonicBoom({ fd: openSync(path, 'w'), ...options })
  return () => stream.write(line)
}

const WRITERS = {
  MappedLog() {
    const log = MappedLog.openSync(path, { flush: 'never' })
    return () => log.append(record)
  },
  'fs.writeSync'() {
    const fd = openSync(path, 'w')
    return () => writeSync(fd, record)
  },
  'fs.createWriteStream'() {
    const stream = createWriteStream(path)
    return () => stream.write(record)
  },
  'sonic-boom, sync': () => sonic({ sync: true }),
  'sonic-boom, async': () => sonic({ sync: false, minLength: 4096 }),
}

const write = await WRITERS[who]()
const acknowledged = MappedFile.openSync(counter, { access: 'write' })
let count = 0
function turn() {
  for (let at = 0; at < TURN; at++) {
    write()
    acknowledged.setFloat64(0, ++count)
  }
  setImmediate(turn)
}
console.log('ready')
turn()
