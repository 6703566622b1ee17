// W8: Bringing a cold file into memory takes little longer than touching it, and does not stop the event loop.
import { createReadStream } from 'node:fs'
import { join } from 'node:path'
import { MappedFile } from '../../index.js'
import { asked, ours, rival, stalled } from '../harness/contestants.mjs'
import { MiB, bytesFile, isTmpfs } from '../harness/fixtures.mjs'

export const modes = {
  full: { bytes: 512 * MiB, rounds: 9 },
  quick: { bytes: 128 * MiB, rounds: 5 },
  tiny: { bytes: MiB, rounds: 1 },
}

export const rivals = ['node-fs']

const workload = 'a cold file'

export const figures = [
  { workload, of: 'load', against: 'touch', most: 1.15 },
  { workload, of: 'load', metric: 'stall', most: 5, unit: 'ms' },
]

export const headlines = [{ what: 'load a cold file of 512 MiB', workload, of: 'load', rival: 'fs.createReadStream' }]

const IDLE_MS = 100

export function setup({ bytes, folder, field }) {
  const path = bytesFile(join(folder, 'cold'), bytes)
  let file
  const hooks = {
    before() {
      file = MappedFile.openSync(path)
      file.evict()
    },
    after: () => file.close(),
  }
  file = MappedFile.openSync(path)
  file.evict()
  const { resident, pages } = file.residency()
  file.close()
  const warm = resident > pages / 100
  const notes = [
    'touch: a loop over one byte of each page of the mapping, on the event loop; idle: nothing at all, what the loop itself stalls',
    ...(warm
      ? [`**not cold**: ${resident} of ${pages} pages stay in memory here${isTmpfs(folder) ? ' (a tmpfs)' : ''}`]
      : []),
  ]
  const { pageSize } = MappedFile
  const touch = () => {
    const all = file.bytes
    let sum = 0
    for (let at = 0; at < bytes; at += pageSize) sum += all[at]
    return sum
  }
  const contestants = [
    ours('load', () => stalled(() => file.load({ onProgress() {} })), hooks),
    ours('touch', () => stalled(touch), hooks),
    rival('fs.createReadStream', () => stalled(() => drained(path)), hooks),
    ...asked(field.all, 'touch', [path], { ...hooks, around: stalled }),
    ours('idle', () => stalled(() => new Promise((resolve) => setTimeout(resolve, IDLE_MS)))),
  ]
  return { workloads: [{ name: workload, contestants }], notes }
}

async function drained(path) {
  let bytes = 0
  for await (const block of createReadStream(path, { highWaterMark: MiB })) bytes += block.length
  return bytes
}
