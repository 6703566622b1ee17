// More threads search and load faster, as far as there are processors; more processes share the same pages.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { MappedFile } from '../../index.js'
import { asked, ours } from '../harness/contestants.mjs'
import { GiB, MiB, textFile } from '../harness/fixtures.mjs'

export const modes = {
  full: { bytes: GiB, rounds: 5 },
  quick: { bytes: 256 * MiB, rounds: 3 },
  tiny: { bytes: MiB, rounds: 1 },
}

export const grows = 'threads'

const NEEDLE = 'qzjxvkwy'
const program = fileURLToPath(new URL('../programs/search.mjs', import.meta.url))

export function setup({ bytes, folder, field }) {
  const path = textFile(join(folder, 'text'), bytes)
  const file = MappedFile.openSync(path)
  const limits = field.all.filter(({ kind }) => kind === 'limit')
  const counts = [1, 2, 4, 8].filter((count) => count <= Math.max(4, availableParallelism()))
  const processes = async (count) => {
    const all = Array.from({ length: count }, () =>
      spawn(process.execPath, [program, path, NEEDLE], { stdio: ['pipe', 'pipe', 'inherit'] }),
    )
    await Promise.all(all.map(({ stdout }) => once(stdout, 'data')))
    const begun = process.hrtime.bigint()
    await Promise.all(
      all.map(({ stdin, stdout }) => {
        stdin.write('search\n')
        return once(stdout, 'data')
      }),
    )
    const time = Number(process.hrtime.bigint() - begun)
    await Promise.all(
      all.map((child) => {
        child.stdin.end()
        return once(child, 'close')
      }),
    )
    return { time, processor: undefined }
  }
  const threads = counts.map((at) => ({
    name: `${at} threads`,
    line: 'one search on so many threads',
    at,
    expected: -1,
    contestants: [
      ours('indexOfAsync', () => file.indexOfAsync(NEEDLE, { threads: at })),
      ...asked(limits, 'find', [path, NEEDLE, at]),
    ],
  }))
  const searches = counts.map((at) => ({
    name: `${at} processes`,
    line: 'so many processes, a search each',
    at,
    contestants: [ours('indexOf', () => processes(at))],
  }))
  return {
    workloads: [...threads, ...searches],
    notes: [`${availableParallelism()} processors: beyond that nothing can be won`],
    close: () => file.close(),
  }
}
