// Where it was measured: hardware, system, versions.
import { readFileSync } from 'node:fs'
import { execFileSync } from 'node:child_process'
import { cpus, loadavg, release, totalmem } from 'node:os'
import { root } from '../../scripts/lib/run.mjs'

const one = (text) => text.replaceAll(/\s+/g, ' ').trim()

function output(command, args) {
  try {
    return one(execFileSync(command, args, { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }))
  } catch {
    return undefined
  }
}

/** A virtual machine halts its processors when idle, and shares them: that must stand beside its figures. */
function virtual() {
  if (process.platform !== 'linux') return 'unknown'
  return readFileSync('/proc/cpuinfo', 'utf8').includes('hypervisor') ? 'yes' : 'no'
}

export const load = () => loadavg()[0].toFixed(1)

/** The facts of this run. `commit` has a `+` where the tree had changes. */
export function machine() {
  const changed = output('git', ['status', '--porcelain', '--untracked-files=no'])
  return {
    processor: one(cpus()[0]?.model ?? 'unknown'),
    processors: cpus().length,
    memory: `${(totalmem() / 2 ** 30).toFixed(0)} GiB`,
    virtual: virtual(),
    system: `${process.platform} ${release()} ${process.arch}`,
    node: process.version,
    v8: process.versions.v8,
    commit: (output('git', ['rev-parse', '--short', 'HEAD']) ?? 'unknown') + (changed ? '+' : ''),
  }
}

/** The name of its results. */
export function slug({ processor, processors }) {
  const name = processor.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-')
  return `${name.replaceAll(/^-|-$/g, '') || 'unknown'}-${processors}`
}
