// The same commit gives the same binary: each target is built twice, from two copies of the sources in different folders, and compared.
// `node scripts/reproducible.mjs TARGET...`
import { createHash } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { build } from './lib/cross/build.mjs'
import { find } from './lib/cross/targets.mjs'
import { root, run } from './lib/run.mjs'
import { duration, table } from './lib/table.mjs'

const digest = (path) => createHash('sha256').update(readFileSync(path)).digest('hex').slice(0, 16)

/** A checkout of HEAD in a folder of its own, and a build in another one. */
async function once(target, scratch, name) {
  const sources = join(scratch, name)
  const added = await run('git', ['worktree', 'add', '--detach', '--quiet', sources, 'HEAD'])
  if (added.code !== 0) throw new Error(added.output)
  try {
    const made = await build(target, { targetDir: join(scratch, `${name}-target`), sources })
    if (made.state === 'failed' && !made.file) throw new Error(made.output)
    return { ...made, digest: made.file && digest(made.file) }
  } finally {
    await run('git', ['worktree', 'remove', '--force', sources], { cwd: root })
  }
}

const names = process.argv.slice(2)
if (names.length === 0) throw new RangeError('no target given')
const rows = []
for (const name of names) {
  const scratch = mkdtempSync(join(tmpdir(), 'memmap-twice-'))
  try {
    const [first, second] = [await once(find(name), scratch, 'one'), await once(find(name), scratch, 'another-folder')]
    const same = first.digest !== undefined && first.digest === second.digest
    if (!same) process.exitCode = 1
    rows.push([
      name,
      first.digest ?? '-',
      second.digest ?? '-',
      same ? 'same' : first.note || 'DIFFERENT',
      duration(first.seconds + second.seconds),
    ])
  } finally {
    rmSync(scratch, { recursive: true, force: true })
  }
}
console.log(table(['target', 'first', 'second', 'result', 'time'], rows))
