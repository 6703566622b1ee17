// W7: A hundred mappings of 100 MiB cost the garbage collector nothing, and are gone when they are closed.
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { Mapping } from '../../index.js'
import { limit, ours, rival } from '../harness/contestants.mjs'
import { MiB, sparseFile } from '../harness/fixtures.mjs'

export const modes = {
  full: { mappings: 100, bytes: 100 * MiB, rounds: 7 },
  quick: { mappings: 100, bytes: 100 * MiB, rounds: 3 },
  tiny: { mappings: 3, bytes: MiB, rounds: 1 },
}

export const rivals = ['riaskov-mmap-io']

const workload = 'hold many'
const ACCESSORS = 'read, accessors, small windows'
const SHARED = 'SharedArrayBuffer views'

export const figures = [ACCESSORS, SHARED].flatMap((of) => [
  { workload, of, metric: 'major GCs', most: 0 },
  { workload, of, metric: 'mappings left', most: 0 },
])

const program = fileURLToPath(new URL('../programs/hold.mjs', import.meta.url))

export function setup({ mappings, bytes, folder, field }) {
  const path = sparseFile(join(folder, 'large'), bytes)
  const held = async (who) => {
    const { stdout } = await promisify(execFile)(process.execPath, [program, who, path, mappings])
    return { processor: undefined, ...JSON.parse(stdout) }
  }
  return {
    workloads: [
      {
        name: workload,
        contestants: [
          ours(ACCESSORS, () => held('accessors')),
          ...(Mapping.isSupported('sharedArrayBuffer') ? [ours(SHARED, () => held('shared'))] : []),
          ours('bytes of all', () => held('bytes')),
          ...field.all.filter(({ verbs }) => verbs.map).map(({ id, name }) => rival(name, () => held(id))),
          limit('no mapping', () => held('none')),
        ],
      },
    ],
    notes: [
      'each in a process of its own; external: MiB that the engine counts as its own; mappings left: in /proc/self/maps after all were closed',
    ],
  }
}
