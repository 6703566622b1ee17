// W2: A loop over a mapped file is as fast as over an array in memory, and twice as fast as reading the file first.
import { join } from 'node:path'
import { MappedFile } from '../../index.js'
import { asked, limit, ours } from '../harness/contestants.mjs'
import { GiB, MiB, integersFile } from '../harness/fixtures.mjs'
import { sumOf } from '../harness/loops.mjs'

export const modes = {
  full: { bytes: GiB, rounds: 7 },
  quick: { bytes: 256 * MiB, rounds: 5 },
  tiny: { bytes: MiB, rounds: 1 },
}

export const rivals = [
  'node-fs',
  'riaskov-mmap-io',
  'bun-mmap',
  'numpy-memmap',
  'java-mapped-byte-buffer',
  'java-memory-segment',
]

const workload = 'sum of int32'
const VIEW = 'view(Int32Array)'
const MEMORY = 'Int32Array in memory'

export const figures = [
  { workload, of: VIEW, against: MEMORY, most: 1, floor: 'Node-API limit' },
  { workload, of: VIEW, against: 'fs.readFileSync', least: 2 },
]

export const headlines = [
  { what: 'sum 1 GiB of int32', workload, of: VIEW, rival: 'fs.readFileSync', limit: 'limit' },
  { what: 'the same, beside fs.readSync in blocks', workload, of: VIEW, rival: 'fs.readSync' },
]

export function setup({ bytes, folder, field }) {
  const path = integersFile(join(folder, 'integers'), bytes)
  const file = MappedFile.openSync(path)
  const words = file.view(Int32Array)
  const memory = new Int32Array(bytes / 4)
  memory.set(words)
  const contestants = [
    ours(VIEW, () => sumOf(words)),
    ours('chunks()', async () => {
      let sum = 0
      for await (const chunk of file.chunks({ size: MiB })) {
        sum += sumOf(new Int32Array(chunk.buffer, chunk.byteOffset, chunk.length >> 2))
      }
      return sum
    }),
    limit(MEMORY, () => sumOf(memory)),
    ...asked(field.all, 'sum', [path]),
  ]
  const workloads = [{ name: workload, expected: sumOf(memory), contestants, fresh: true }]
  return { workloads, close: () => file.close() }
}
