// W5: Appending to a MappedLog is four times as fast as writeSync, and a mapped ring as fast as one in memory.
import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { MappedFile } from '../../index.js'
import { MappedLog } from '../../lib/log/index.js'
import { asked, ours, rival } from '../harness/contestants.mjs'
import { recordOf } from '../harness/fixtures.mjs'

export const modes = {
  full: { records: 1_000_000, rounds: 7 },
  quick: { records: 200_000, rounds: 5 },
  tiny: { records: 2000, rounds: 1 },
}

export const rivals = ['node-fs', 'sonic-boom', 'pino', 'lmdb', 'riaskov-mmap-io']

const RECORD = 512
const RING = 150 << 10
const unit = 'a record of 512 bytes'

export const figures = [
  { workload: 'ring', of: 'mapped', against: 'memory', most: 1.1 },
  { workload: 'log', of: 'append', metric: 'time', most: 200, unit: 'ns', floor: 'limit' },
  { workload: 'log', of: 'append', against: 'fs.writeSync', least: 4 },
]

export const headlines = [
  { what: 'append a record of 512 bytes', workload: 'log', of: 'append', rival: 'fs.writeSync', limit: 'limit' },
]

/** Copies records into it, again and again. */
function rounds(target, record, count) {
  let at = 0
  for (let turn = 0; turn < count; turn++) {
    if (at + RECORD > target.length) at = 0
    target.set(record, at)
    at += RECORD
  }
  return count
}

export function setup({ records, folder, field }) {
  const record = recordOf(RECORD)
  const text = record.toString('latin1')
  const inside = join(folder, 'written')
  const path = join(inside, 'log')
  // What one has written is gone before the next one begins: its pages would be written back under the others.
  const hooks = {
    before: () => mkdirSync(inside, { recursive: true }),
    after: () => rmSync(inside, { recursive: true }),
  }
  const ring = MappedFile.openSync(join(folder, 'ring'), { access: 'write', create: true, length: RING })
  const appending = (data) => () => {
    const log = MappedLog.openSync(path, { flush: 'never' })
    try {
      for (let turn = 0; turn < records; turn++) log.append(data)
    } finally {
      log.close()
    }
    return records
  }
  const memory = new Uint8Array(RING)
  const mapped = ring.view(Uint8Array)
  const riaskov = field.all.find(({ verbs }) => verbs.ring)?.verbs.ring(join(folder, 'ring'))
  const workloads = [
    {
      name: 'ring',
      unit,
      per: records,
      expected: records,
      contestants: [
        ours('mapped', () => rounds(mapped, record, records)),
        rival('memory', () => rounds(memory, record, records)),
        ...(riaskov ? [rival('@riaskov/mmap-io', () => rounds(riaskov, record, records))] : []),
      ],
    },
    {
      name: 'log',
      unit,
      per: records,
      expected: records,
      contestants: [
        ours('append', appending(record), hooks),
        ours('append a string', appending(text), hooks),
        ...asked(field.all, 'append', [path, records, RECORD], hooks),
      ],
    },
  ]
  return { workloads, close: () => ring.close() }
}
