// The package is small and loads at once.
import { execFileSync } from 'node:child_process'
import { readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ours, limit } from '../harness/contestants.mjs'
import { binaryOf } from '../../scripts/lib/cross/suites.mjs'
import { root } from '../../scripts/lib/run.mjs'

export const modes = { full: { rounds: 15 }, quick: { rounds: 7 }, tiny: { rounds: 1 } }

const BYTES = 'bytes'
const BINARY = 'binary, as it is published'

export const figures = [
  { workload: 'sizes', of: BINARY, metric: BYTES, most: 600, unit: 'KiB' },
  { workload: 'import', of: "import 'memmap'", most: 10, unit: 'ms' },
]

/** Milliseconds of an import inside of a fresh process: what a start of Node costs is not in it. */
function imported(what) {
  const code = `const begun = process.hrtime.bigint(); await import(${JSON.stringify(what)}); console.log(Number(process.hrtime.bigint() - begun))`
  return {
    processor: undefined,
    time: Number(execFileSync(process.execPath, ['--input-type=module', '-e', code], { cwd: root, encoding: 'utf8' })),
  }
}

/** What `npm pack` would send. */
function packed() {
  const options = { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }
  const [{ size }] = JSON.parse(execFileSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], options))
  return { [BYTES]: size }
}

/** The binary as it is published: with a standard library made small. Builds it where it is stale. */
async function released(alone) {
  if (alone || process.platform !== 'linux') return { note: 'not asked for' }
  return binaryOf(`linux-${process.arch}-gnu`)
}

export async function setup({ field, folder }) {
  const empty = join(folder, 'empty.js')
  writeFileSync(empty, '')
  const plain = readdirSync(root).find((name) => /^memmap\..+\.node$/.test(name))
  const { file, note } = await released(field.alone)
  const size = (path) => () => ({ [BYTES]: statSync(path).size })
  return {
    workloads: [
      {
        name: 'sizes',
        metric: BYTES,
        rounds: 1,
        contestants: [
          ...(file === undefined ? [] : [ours(BINARY, size(file))]),
          ours('binary, as this tree builds it', size(join(root, plain))),
          ours('package, packed, without binaries', packed),
        ],
      },
      {
        name: 'import',
        contestants: [
          ours("import 'memmap'", () => imported(join(root, 'index.js'))),
          limit('import of an empty CommonJS module', () => imported(empty)),
          limit("import 'node:http'", () => imported('node:http')),
        ],
      },
    ],
    notes: file === undefined ? [`without the published binary: ${note}`] : [],
  }
}
