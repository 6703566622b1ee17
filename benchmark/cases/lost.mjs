// W5: A record for which append returned is never lost when the process is killed.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { setTimeout as sleep } from 'node:timers/promises'
import { MappedFile } from '../../index.js'
import { MappedLog } from '../../lib/log/index.js'
import { ours, rival } from '../harness/contestants.mjs'
import { versionOf } from '../harness/provide.mjs'

export const modes = {
  full: { forMs: 300, rounds: 10 },
  quick: { forMs: 150, rounds: 3 },
  tiny: { forMs: 50, rounds: 1 },
}

const METRIC = 'records lost'
const workload = 'killed while it appends'
const RECORD = 512

export const figures = [{ workload, of: 'MappedLog', metric: METRIC, most: 0 }]

const program = fileURLToPath(new URL('../programs/append.mjs', import.meta.url))

function recordsOf(who, path) {
  if (who !== 'MappedLog') return Math.floor((statSync(path, { throwIfNoEntry: false })?.size ?? 0) / RECORD)
  const log = MappedLog.openSync(path, { readOnly: true })
  let count = 0
  for (const _ of log) count++
  log.close()
  return count
}

export function setup({ forMs, folder }) {
  const killed = (who) => async () => {
    const inside = join(folder, 'killed')
    mkdirSync(inside)
    const [path, counter] = [join(inside, 'records'), join(inside, 'acknowledged')]
    // A mapped count survives its writer.
    const acknowledged = MappedFile.openSync(counter, { access: 'write', create: true, length: 8 })
    const child = spawn(process.execPath, [program, who, path, counter], { stdio: ['ignore', 'pipe', 'inherit'] })
    await once(child.stdout, 'data')
    await sleep(forMs * (0.5 + Math.random()))
    child.kill('SIGKILL')
    await once(child, 'close')
    const told = acknowledged.getFloat64(0)
    acknowledged.close()
    const found = recordsOf(who, path)
    rmSync(inside, { recursive: true })
    if (told === 0) throw new Error(`${who} appended nothing`)
    return { [METRIC]: Math.max(0, told - found) }
  }
  const rivals = ['fs.writeSync', 'fs.createWriteStream']
  if (versionOf('sonic-boom') !== undefined) rivals.push('sonic-boom, sync', 'sonic-boom, async')
  return {
    workloads: [
      {
        name: workload,
        metric: METRIC,
        contestants: [ours('MappedLog', killed('MappedLog')), ...rivals.map((who) => rival(who, killed(who)))],
      },
    ],
    notes: [
      'records for which the call had returned, less those that are found afterwards; killed at a random moment by SIGKILL',
    ],
  }
}
