// pino to a synchronous destination: an object made into a line of JSON of the record's length.
import { fromNpm } from './via/npm.mjs'

export function load() {
  const { version, module: pino } = fromNpm('pino')
  return {
    name: 'pino, sync',
    version,
    verbs: {
      append(path, count, bytes) {
        const destination = pino.destination({ dest: path, sync: true })
        const logger = pino({ base: null, timestamp: false }, destination)
        const object = { text: 'x'.repeat(Math.max(1, bytes - '{"level":30,"text":""}\n'.length)) }
        for (let turn = 0; turn < count; turn++) logger.info(object)
        destination.flushSync()
        destination.end()
        return count
      },
    },
  }
}
