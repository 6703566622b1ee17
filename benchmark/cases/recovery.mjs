// W5: A log of 1 GiB is open again, every record checked, within a second.
import { join } from 'node:path'
import { MappedLog } from '../../lib/log/index.js'
import { ours } from '../harness/contestants.mjs'
import { GiB, MiB, recordOf } from '../harness/fixtures.mjs'

export const modes = {
  full: { bytes: GiB, rounds: 7 },
  quick: { bytes: 256 * MiB, rounds: 3 },
  tiny: { bytes: MiB, rounds: 1 },
}

const workload = 'open again'

export const figures = [{ workload, of: 'openSync', most: 1000, unit: 'ms' }]

const RECORD = 512

export function setup({ bytes, folder }) {
  const path = join(folder, 'log')
  const record = recordOf(RECORD)
  const log = MappedLog.openSync(path, { flush: 'never' })
  const expected = Math.floor(bytes / RECORD)
  for (let turn = 0; turn < expected; turn++) log.append(record)
  log.close()
  const found = (opened) => {
    const { recovered } = opened.recovery
    opened.close()
    return recovered
  }
  const contestants = [
    ours('openSync', () => found(MappedLog.openSync(path, { flush: 'never' }))),
    ours('open', async () => found(await MappedLog.open(path, { flush: 'never' }))),
  ]
  return { workloads: [{ name: workload, expected, contestants }] }
}
