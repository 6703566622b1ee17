// Closing a mapping costs loops elsewhere nothing that any transferred message would not, and without views, or with sharedArrayBuffer, nothing at all.
import { execFile } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { limit, ours, rival } from '../harness/contestants.mjs'

export const modes = {
  full: { passes: 60, rounds: 9 },
  quick: { passes: 60, rounds: 3 },
  tiny: { passes: 1, rounds: 1 },
}

const LOOPS = {
  sum: 'the array is read from its object',
  sumOfLocal: 'the array is in a variable',
  increment: 'stores',
}
const PLAIN = 'nothing was detached'
const HARMLESS = ['a mapping was read and closed', 'one with sharedArrayBuffer was closed']
const VIEWS = 'a mapping with views was closed'
const TRANSFERRED = 'a buffer was transferred'

const harmless = HARMLESS.map((of) => ({ of, against: PLAIN, most: 1 }))
const dear = { of: VIEWS, against: TRANSFERRED, most: 1 }

export const figures = Object.values(LOOPS).flatMap((workload) =>
  harmless.concat(dear).map((figure) => Object.assign({ workload }, figure)),
)

const program = fileURLToPath(new URL('../programs/detach.mjs', import.meta.url))

export function setup({ passes, folder }) {
  const path = join(folder, 'data')
  writeFileSync(path, Buffer.alloc(65_536, 7))
  const measured = async (what) =>
    JSON.parse((await promisify(execFile)(process.execPath, [program, what, path, passes])).stdout)
  const after = (loop, what) => async () => ({ processor: undefined, time: (await measured(what))[loop] })
  const cycle = (what) => async () => ({ processor: undefined, ...(await measured(what)) })
  const workloads = Object.entries(LOOPS).map(([loop, name]) => ({
    name,
    unit: 'an element',
    contestants: [
      ...[...HARMLESS, VIEWS].map((what) => ours(what, after(loop, what))),
      rival(TRANSFERRED, after(loop, TRANSFERRED)),
      limit(PLAIN, after(loop, PLAIN)),
    ],
  }))
  const hot = {
    name: 'open, sum 64 KiB by a view, close',
    unit: 'once',
    contestants: [ours('a view', cycle('cycle')), ours('a view, sharedArrayBuffer', cycle('cycle, sharedArrayBuffer'))],
  }
  return {
    workloads: [...workloads, hot],
    notes: [
      'processor time; each measurement is a process of its own. V8 compiles loops over typed arrays for isolates in which no ArrayBuffer was ever detached; the first detach ends that',
    ],
  }
}
