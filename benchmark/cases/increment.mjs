// W1: Changing integers all over a file by a mapping is many times as fast as reading and writing them, and as fast as in memory.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { MappedFile } from '../../index.js'
import { asked, each, limit, ours } from '../harness/contestants.mjs'
import { MiB, integersFile, positions, rewrite } from '../harness/fixtures.mjs'
import { increment } from '../harness/loops.mjs'

export const modes = {
  full: { bytes: 64 * MiB, few: 10_000, many: 1_000_000, rounds: 7 },
  quick: { bytes: 64 * MiB, few: 10_000, many: 100_000, rounds: 5 },
  tiny: { bytes: MiB, few: 100, many: 200, rounds: 1 },
}

export const rivals = [
  'node-fs',
  'riaskov-mmap-io',
  'mmap-object',
  'shm-typed-array',
  'bun-mmap',
  'python-mmap',
  'numpy-memmap',
  'java-mapped-byte-buffer',
  'java-memory-segment',
]

const WARM = 'mapped and warm'
const FEW = 'open, few updates, close'
const MANY = 'open, many updates, close'
const VIEW = 'view(Int32Array)'
const MEMORY = 'Int32Array in memory'
const READ_WRITE = 'fs.readSync'

export const figures = [
  { workload: WARM, of: VIEW, against: MEMORY, most: 1 },
  { workload: FEW, of: VIEW, against: 'limit', most: 1.3, floor: 'Node-API limit' },
  { workload: FEW, of: VIEW, against: READ_WRITE, least: 15, floor: 'Node-API limit' },
  { workload: MANY, of: VIEW, against: READ_WRITE, least: 25 },
]

export const headlines = [
  { what: '1,000,000 random int32++ in 64 MiB', workload: MANY, of: VIEW, rival: READ_WRITE, limit: 'limit' },
]

const REPEATED = 20

export function setup({ bytes, few, many, folder, field }) {
  const path = integersFile(join(folder, 'integers'), bytes)
  const contents = readFileSync(path)
  rewrite(join(folder, 'warm'), contents)
  const warm = MappedFile.openSync(join(folder, 'warm'), { access: 'write' })
  const [view, memory] = [warm.view(Int32Array), new Int32Array(bytes / 4)]
  const opened = (count, change) => () => {
    const file = MappedFile.openSync(path, { access: 'write' })
    try {
      change(file, count)
    } finally {
      file.close()
    }
    return count
  }
  const byViews = (file, count) => increment(file.view(Int32Array), count)
  const byAccessors = (file, count) => {
    for (const at of positions(bytes, count)) file.setInt32(4 * at, (file.getInt32(4 * at, true) + 1) | 0, true)
  }
  // All begin with clean pages, which the first store to each turns into dirty ones by a fault, and no one's are written back under another; and
  // with a page cache filled the same way: in folios of other sizes, a fault or a write of 4 bytes takes up to ten times as long.
  const hooks = { before: () => rewrite(path, contents) }
  const all = (name, count) => ({
    name,
    expected: count,
    contestants: [
      ours(VIEW, opened(count, byViews), hooks),
      ours('getInt32, setInt32', opened(count, byAccessors), hooks),
      ...asked(field.all, 'increment', [path, count, bytes], hooks),
    ],
  })
  return {
    workloads: [
      {
        name: WARM,
        unit: `${few} updates`,
        contestants: [
          ours(VIEW, () => each(REPEATED, () => increment(view, few))),
          limit(MEMORY, () => each(REPEATED, () => increment(memory, few))),
        ],
      },
      all(FEW, few),
      all(MANY, many),
    ],
    notes: [
      'fs.readSync here: 4 bytes are read, and written back by fs.writeSync; fs.readFileSync: the whole file is read, and written back by fs.writeFileSync',
    ],
    close: () => warm.close(),
  }
}
