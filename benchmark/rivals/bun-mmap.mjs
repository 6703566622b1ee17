// Bun.mmap, in a Bun of its own (scripts/runtimes.mjs).
import { fileURLToPath } from 'node:url'
import { Child } from '../harness/child.mjs'
import { Skip } from '../harness/participants.mjs'
import { runtime } from '../../scripts/runtimes.mjs'

const program = fileURLToPath(new URL('../programs/bun-mmap.mjs', import.meta.url))

export async function load() {
  const bun = await runtime('bun')
  if (bun.path === undefined) throw new Skip(bun.skip)
  const child = new Child('Bun', bun.path, [program])
  return {
    name: 'Bun.mmap',
    version: bun.version,
    verbs: child.verbs('open', 'sum', 'find', 'count', 'copy', 'increment'),
    end: () => child.end(),
  }
}
