// Which of ava's specs a machine runs. A full report says how many were left out; this is why.
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '../run.mjs'
import { machines } from './machines.mjs'

const everywhere = {
  package: 'packs the binary of this system: scripts/install-test.mjs does it for others',
  'electron-example': 'Electron is a runtime of its own',
  asar: 'Electron is a runtime of its own',
}

/**
 * Where the processor is emulated everything takes some 25 times as long, and system calls are passed on by qemu, not by a kernel of that
 * processor: its refusals are its own. There these run, which are about bytes, their order, pages and offsets; the others are about the
 * kernel, children, timing, or JavaScript alone, and run on real processors.
 */
const onQemu = new Set([
  'accessors',
  'anonymous-memory',
  'bytes',
  'close',
  'compare',
  'copy-within',
  'data-view',
  'errors',
  'fill',
  'flush',
  'if-unsafe',
  'is-supported',
  'log-reader',
  'log-recovery',
  'open-options',
  'open-targets',
  'properties',
  'read',
  'reservation',
  'resize',
  'rights',
  'sequential',
  'shared-memory',
  'size',
  'subarray',
  'twins',
  'view',
  'write',
])

/**
 * Where qemu's pages are larger than the host's, of the page that a file ends in it maps what the file has at that moment (linux-user/mmap.c,
 * target_mmap): what the file grows by inside of that page is not there ever after, and a touch of it is the end of the emulator.
 */
const growing = new Set(['resize'])

/**
 * @param {string} name of the machine
 * @param {readonly string[]} [only] names of specs, where not all are wanted
 * @returns {{ specs: string[], left: string[] }} files for ava, and the names of those that are left out
 */
export function specsOn(name, only) {
  const { emulator, largePages } = machines[name]
  const runs = (spec) =>
    !everywhere[spec] && (emulator !== 'qemu' || onQemu.has(spec)) && !(largePages && growing.has(spec))
  const all = readdirSync(join(root, '__test__'))
    .filter((file) => file.endsWith('.spec.js'))
    .map((file) => file.replace('.spec.js', ''))
    .filter((spec) => !only || only.includes(spec))
  return {
    specs: all.filter((spec) => runs(spec)).map((spec) => `__test__/${spec}.spec.js`),
    left: all.filter((spec) => !runs(spec)),
  }
}
