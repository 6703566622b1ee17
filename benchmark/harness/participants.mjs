// The rivals and limits that a case names, loaded; who cannot take part here is skipped, with the reason.
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { Child } from './child.mjs'
import { addon } from './node-api.mjs'
import { Skip } from './skip.mjs'

const program = fileURLToPath(
  new URL(`../limits/target/release/memmap-limits${process.platform === 'win32' ? '.exe' : ''}`, import.meta.url),
)

/** The Rust programs of benchmark/limits, which `npm run bench` builds. */
export function limitsProgram() {
  const path = process.env.MEMMAP_LIMITS ?? program
  if (!existsSync(path)) throw new Skip('not built: cargo build --release --manifest-path benchmark/limits/Cargo.toml')
  return path
}

const LIMIT_VERBS = 'find count copy sum increment open hold touch append unmap'.split(' ')

const limits = () => new Child('limit', limitsProgram(), []).participant('Rust', LIMIT_VERBS)

/** { all, skipped, alone, end() }: `all` in the order they were named in, the limits last. `alone`: only what comes with Node. */
export async function participants(names, alone = false) {
  const all = []
  const skipped = []
  const loaders = names.map((name) => [
    name,
    'rival',
    async () => (await import(new URL(`../rivals/${name}.mjs`, import.meta.url))).load(),
  ])
  for (const [name, kind, load] of [...loaders, ['limit', 'limit', limits], ['node-api', 'limit', addon]]) {
    if (alone && name !== 'node-fs') continue
    try {
      // A rival may have several ways.
      for (const way of [await load()].flat()) all.push({ id: name, kind, ...way })
    } catch (error) {
      if (!(error instanceof Skip)) throw error
      skipped.push({ id: name, reason: error.message })
    }
  }
  return {
    all,
    skipped,
    alone,
    async end() {
      for (const { end } of all) await end?.()
    },
  }
}
