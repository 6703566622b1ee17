// Waiting for another process costs what a futex costs: round trips between two processes.
import { execFile, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { limit, ours } from '../harness/contestants.mjs'
import { limitsProgram } from '../harness/participants.mjs'
import { Skip } from '../harness/skip.mjs'
import { Spinners } from '../harness/spinners.mjs'

export const modes = {
  full: { trips: 20_000, rounds: 7 },
  quick: { trips: 5000, rounds: 5 },
  tiny: { trips: 100, rounds: 1 },
}

const ANYWHERE = 'round trips'
const ONE = 'round trips on one processor'
const program = fileURLToPath(new URL('../programs/trips.mjs', import.meta.url))

// What is 4 and 15 us elsewhere is, where a virtual machine sleeps, mostly the host's time to wake it. On one processor nobody sleeps, but the thread
// behind `waitAsync` takes turns with the event loop, where it is meant to run beside it.
export const figures = [
  { workload: ANYWHERE, of: 'wait, futex', most: 4, unit: 'us', floor: 'futex, futex' },
  { workload: ANYWHERE, of: 'waitAsync, futex', most: 15, unit: 'us', floor: 'futex behind epoll, futex' },
  { workload: ONE, of: 'wait, futex', most: 4, unit: 'us', floor: 'futex, futex' },
]

/** Both programs; how long the trips of the first took. */
async function pair(path, [sender, answerer]) {
  writeFileSync(path, Buffer.alloc(4096))
  const other = spawn(answerer[0], answerer.slice(1), { stdio: ['ignore', 'pipe', 'inherit'] })
  const gone = once(other, 'exit')
  await once(other.stdout, 'data')
  const { stdout } = await promisify(execFile)(sender[0], sender.slice(1), { maxBuffer: 1 << 26 })
  await gone
  const times = stdout.trim().split('\t').map(Number)
  // The first tenth compiles.
  return { times: times.slice(times.length / 10), processor: undefined }
}

export async function setup({ trips, folder, field }) {
  const path = join(folder, 'words')
  // What happens to lie there from another time is not what `provide` has just built.
  const limits = field.alone ? undefined : limitProgramOrNone()
  const spinners = await Spinners.start(limits)
  const futex = (role) => [limits, 'trips', path, role, trips]
  const js = (role, mode) => [process.execPath, program, path, role, trips, mode]
  const pairs = [
    [ours, 'wait, wait', js('sender', 'wait'), js('answerer', 'wait')],
    [ours, 'waitAsync, waitAsync', js('sender', 'waitAsync'), js('answerer', 'waitAsync')],
    ...(limits === undefined
      ? []
      : [
          [ours, 'wait, futex', js('sender', 'wait'), futex('answerer')],
          [ours, 'waitAsync, futex', js('sender', 'waitAsync'), futex('answerer')],
          [limit, 'futex, futex', futex('sender'), futex('answerer')],
          [limit, 'futex behind epoll, futex', futex('relayed'), futex('answerer')],
        ]),
  ]
  const workload = (name, by) => ({
    name,
    unit: 'a round trip',
    contestants: pairs.map(([kind, who, ...both]) => kind(who, () => pair(path, both.map(by)))),
  })
  const notes = ['who sends, who answers; futex is a Rust program on the bare futex(2)', spinners.note]
  const pinned = hasTaskset()
  return {
    workloads: [
      workload(ANYWHERE, (command) => command),
      ...(pinned ? [workload(ONE, (command) => ['taskset', '--cpu-list', '0', ...command])] : []),
    ],
    notes: pinned ? notes : [...notes, 'without round trips on one processor: there is no taskset(1)'],
    close: () => spinners.end(),
  }
}

function hasTaskset() {
  return spawnSync('taskset', ['--cpu-list', '0', 'true']).status === 0
}

function limitProgramOrNone() {
  try {
    return limitsProgram()
  } catch (error) {
    if (error instanceof Skip) return undefined
    throw error
  }
}
