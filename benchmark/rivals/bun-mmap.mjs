// Bun.mmap, in a Bun of its own (scripts/runtimes.mjs).
import { fileURLToPath } from 'node:url'
import { Child } from '../harness/child.mjs'
import { Skip } from '../harness/skip.mjs'
import { runtime } from '../../scripts/runtimes.mjs'

const VERBS = ['open', 'sum', 'find', 'count', 'copy', 'increment']
const program = fileURLToPath(new URL('../programs/bun-mmap.mjs', import.meta.url))

export async function load() {
  const bun = await runtime('bun')
  if (bun.path === undefined) throw new Skip(bun.skip)
  return new Child('Bun.mmap', bun.path, [program]).participant(bun.version, VERBS)
}
