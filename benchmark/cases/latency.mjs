// W5: No append waits for the disk: the slowest of ten thousand are told, beside those of other loggers.
import { closeSync, mkdirSync, openSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import pino from 'pino'
import SonicBoom from 'sonic-boom'
import { MappedLog } from '../../lib/log/index.js'
import { destination } from '../../lib/log/pino.js'
import { ours, rival } from '../harness/contestants.mjs'
import { recordOf } from '../harness/fixtures.mjs'
import { quantile } from '../harness/statistics.mjs'

export const modes = {
  full: { records: 200_000, rounds: 5 },
  quick: { records: 50_000, rounds: 3 },
  tiny: { records: 500, rounds: 1 },
}

const RECORD = 512

/** One call at a time, with the clock read round each: its own cost is in all of them alike. */
function latencies(count, write) {
  const times = new Float64Array(count)
  for (let turn = 0; turn < count; turn++) {
    const begun = process.hrtime.bigint()
    write()
    times[turn] = Number(process.hrtime.bigint() - begun)
  }
  return { times, 'p99.99': quantile(times, 0.9999) }
}

export function setup({ records, folder }) {
  const record = recordOf(RECORD)
  const line = `${record.toString('latin1', 1)}\n`
  const object = { text: 'x'.repeat(RECORD - '{"level":30,"text":""}\n'.length) }
  const inside = join(folder, 'written')
  const path = join(inside, 'log')
  const hooks = { before: () => mkdirSync(inside), after: () => rmSync(inside, { recursive: true }) }
  const logging = (target) => {
    const logger = pino({ base: null, timestamp: false }, target)
    return () => logger.info(object)
  }
  /** `open` gives a target, `writer` makes of it what is called, `end` lets it go. */
  const logger = (kind, name, open, writer, end) =>
    kind(
      name,
      async () => {
        const target = open()
        const measured = latencies(records, writer(target))
        await end(target)
        return measured
      },
      hooks,
    )
  const ended = (stream) =>
    new Promise((resolve) => {
      stream.once('close', resolve)
      stream.end()
    })
  const contestants = [
    logger(
      ours,
      'MappedLog.append',
      () => MappedLog.openSync(path, { flush: 'never' }),
      (log) => () => log.append(record),
      (log) => log.close(),
    ),
    logger(
      ours,
      'pino to memmap/log',
      () => destination({ dir: path, flush: 'never' }),
      logging,
      (log) => log.end(),
    ),
    logger(
      rival,
      'fs.writeSync',
      () => openSync(path, 'w'),
      (fd) => () => writeSync(fd, record),
      closeSync,
    ),
    logger(
      rival,
      'sonic-boom, sync',
      () => new SonicBoom({ dest: path, sync: true }),
      (sonic) => () => sonic.write(line),
      ended,
    ),
    logger(rival, 'pino, sync', () => pino.destination({ dest: path, sync: true }), logging, ended),
    logger(rival, 'pino, async', () => pino.destination({ dest: path, sync: false, minLength: 4096 }), logging, ended),
  ]
  return {
    workloads: [{ name: 'one append', unit: 'a record of 512 bytes', contestants }],
    notes: ['pino, async: what it has taken waits in memory, and is lost when the process dies'],
  }
}
