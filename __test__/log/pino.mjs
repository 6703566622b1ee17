// A pino application that logs numbered lines until it is killed: `pino.mjs <destination> <path> <ack>`.
import { openSync } from 'node:fs'
import pino from 'pino'
import SonicBoom from 'sonic-boom'
import { MappedFile } from '../../index.js'
import { destination } from '../../lib/log/pino.js'

const [kind, path, ack] = process.argv.slice(2)
const word = MappedFile.openSync(ack, { access: 'write' }).view(Int32Array)

const streams = {
  memmap: () => destination({ dir: path }),
  sonic: () => new SonicBoom({ fd: openSync(path, 'w'), minLength: 4096, sync: false }),
  async: () => pino.destination({ dest: path, minLength: 4096, sync: false }),
}
const logger = pino({ base: null, timestamp: false }, streams[kind]())

let number = 0
const burst = () => {
  for (let turn = 0; turn < 200; turn++) {
    logger.info({ number }, 'a line of the application')
    Atomics.store(word, 0, ++number)
  }
  setImmediate(burst)
}
burst()
