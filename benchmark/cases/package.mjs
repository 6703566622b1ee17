// The package is small and loads at once.
import { execFileSync } from 'node:child_process'
import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { ours, limit } from '../harness/contestants.mjs'
import { root } from '../../scripts/lib/run.mjs'

export const modes = { full: { rounds: 15 }, quick: { rounds: 7 }, tiny: { rounds: 1 } }

const BYTES = 'bytes'
const BINARY = 'binary'

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

export function setup() {
  const addon = readdirSync(root).find((name) => /^memmap\..+\.node$/.test(name))
  return {
    workloads: [
      {
        name: 'sizes',
        metric: BYTES,
        rounds: 1,
        contestants: [
          ours(BINARY, () => ({ [BYTES]: statSync(join(root, addon)).size })),
          ours('package, packed, without binaries', packed),
        ],
      },
      {
        name: 'import',
        contestants: [
          ours("import 'memmap'", () => imported(join(root, 'index.js'))),
          limit("import 'node:http'", () => imported('node:http')),
        ],
      },
    ],
    notes: [
      `the binary is ${addon}, as this tree builds it; released ones are built by scripts/cross-build.mjs, with a standard library made small, and are smaller`,
    ],
  }
}
