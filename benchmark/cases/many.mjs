// Holding tens of thousands of mappings at once costs each no more than the first.
import { join } from 'node:path'
import { MappedFile } from '../../index.js'
import { asked, ours } from '../harness/contestants.mjs'
import { MiB, bytesFile } from '../harness/fixtures.mjs'

export const modes = {
  full: { most: 50_000, rounds: 5 },
  quick: { most: 10_000, rounds: 3 },
  tiny: { most: 10, rounds: 1 },
}

export const grows = 'mappings'

export function setup({ most, folder, field }) {
  const path = bytesFile(join(folder, 'one'), MiB)
  const limits = field.all.filter(({ kind }) => kind === 'limit')
  /** Descriptors are scarcer than mappings: where the limit on them is lower, it is what these hold against. */
  const hold = (count) => () => {
    const all = Array.from({ length: count }, () => MappedFile.openSync(path))
    const read = all.filter((file) => file.getUint8(0) === 0).length
    for (const file of all) file.close()
    return read
  }
  const room = descriptors()
  const counts = [1, 10, 100, 1000, 10_000, 50_000].filter((count) => count <= most && count < room)
  return {
    workloads: counts.map((count) => ({
      name: `${count.toLocaleString('en')} at once`,
      line: 'open, read, close',
      at: count,
      per: count,
      unit: 'a mapping',
      expected: count,
      contestants: [ours('memmap', hold(count)), ...asked(limits, 'hold', [path, count])],
    })),
    notes: [`each keeps a descriptor: this system allows ${room.toLocaleString('en')} (ulimit -n)`],
  }
}

/** What is left of the soft limit. */
function descriptors() {
  const limit = process.report.getReport().userLimits?.open_files?.soft
  return limit === 'unlimited' || limit === undefined ? Number.MAX_SAFE_INTEGER : Number(limit) - 100
}
