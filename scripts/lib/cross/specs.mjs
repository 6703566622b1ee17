// Which of ava's specs a machine runs: all, but for what this list leaves out, each with its reason.
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '../run.mjs'
import { machines } from './machines.mjs'

const everywhere = {
  package: 'packs the binary of this system; scripts/install-test.mjs does it for others',
}

/** Left out where the processor is emulated. */
const onQemu = {}

const reasons = (name) => ({ ...everywhere, ...(machines[name].emulator === 'qemu' && onQemu) })

/** @returns {{ specs: string[], left: string[] }} files for ava, and a sentence for each spec that is left out */
export function specsOn(name) {
  const why = reasons(name)
  const all = readdirSync(join(root, '__test__'))
    .filter((file) => file.endsWith('.spec.js'))
    .map((file) => file.replace('.spec.js', ''))
  return {
    specs: all.filter((spec) => !why[spec]).map((spec) => `__test__/${spec}.spec.js`),
    left: all.filter((spec) => why[spec]).map((spec) => `${spec}: ${why[spec]}`),
  }
}
