import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  rmdirSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import test from 'ava'

import { MappedFile } from '../index'
import { narrow, unless } from './helpers'
import { child, Scratch } from './scratch'

/** A file of four times the memory that the process which streams it may have, its page cache and the garbage of V8 (to 130 MiB of buffers) included. */
const LIMIT = 256 << 20
const SIZE = 4 * LIMIT

/** Control groups of the memory controller: of version 1, or of version 2. */
interface Names {
  readonly limit: string
  readonly peak: string
  /** How often an allocation met the limit, so that pages had to be reclaimed. */
  readonly hits: (folder: string) => number
}

const V1: Names = {
  limit: 'memory.limit_in_bytes',
  peak: 'memory.max_usage_in_bytes',
  hits: (folder) => Number(readFileSync(join(folder, 'memory.failcnt'), 'utf8')),
}
const V2: Names = {
  limit: 'memory.max',
  peak: 'memory.peak',
  hits: (folder) => Number(/^max (\d+)$/m.exec(readFileSync(join(folder, 'memory.events'), 'utf8'))?.[1]),
}

let count = 0

/** A group inside of the one that this process is in (version 2: beside it, as a group with processes has no limited children), or why there is none. */
function group(): { folder: string; names: Names } | string {
  if (process.platform !== 'linux') return 'control groups are of Linux'
  if (process.getuid?.() !== 0) return 'only root may make a control group'
  const own = readFileSync('/proc/self/cgroup', 'utf8')
  const [, first] = /^\d+:(?:[^:]*,)?memory(?:,[^:]*)?:(.*)$/m.exec(own) ?? []
  const [, second] = /^0::(.*)$/m.exec(own) ?? []
  const places: [string, Names][] = []
  if (first !== undefined) places.push([join('/sys/fs/cgroup/memory', first), V1], ['/sys/fs/cgroup/memory', V1])
  if (second !== undefined) places.push([dirname(join('/sys/fs/cgroup', second)), V2])
  // The bare mount is ours only where the path in it is not: in a container that sees its own part.
  for (const [parent, names] of places.filter(([place]) => existsSync(join(place, 'cgroup.procs'))).slice(0, 1)) {
    const folder = join(parent, `memmap-test-${process.pid}-${count++}`)
    try {
      mkdirSync(folder)
    } catch {
      continue
    }
    try {
      writeFileSync(join(folder, names.limit), String(LIMIT))
      if (existsSync(join(folder, names.peak))) return { folder, names }
    } catch {
      // A group without the memory controller has no such file.
    }
    rmdirSync(folder)
  }
  return 'no control group with a memory limit can be made here'
}

const scratch = new Scratch('memory-limit')
test.after.always(() => scratch.remove())

/** Whether nothing of the file is in memory once it was evicted. */
function goesCold(path: string): boolean {
  const file = MappedFile.openSync(path)
  try {
    file.evict()
    const { resident, pages } = file.residency()
    return resident <= pages / 100
  } finally {
    file.close()
  }
}

/** A file on the disk, not only in the cache: what was not written yet cannot be evicted. */
function written(length: number): string {
  const path = scratch.file('')
  const fd = openSync(path, 'w')
  const piece = Buffer.alloc(1 << 20, 'x'.repeat(63) + '\n')
  for (let at = 0; at < length; at += piece.length) writeFileSync(fd, piece)
  fsyncSync(fd)
  closeSync(fd)
  return path
}

/** Runs a script in a limited group of its own, on a file that is cold, and says what the group counted. */
async function limited(path: string, script: string): Promise<{ peak: number; hits: number; bytes: number }> {
  // Others may have their hands on a page.
  for (let turn = 0; !goesCold(path); turn++) {
    if (turn === 10) throw new Error('the file is in memory still')
    await pause(100)
  }
  const made = group()
  if (typeof made === 'string') throw new Error(made)
  const { folder, names } = made
  try {
    const source = `fs.writeFileSync(args[1] + '/cgroup.procs', String(process.pid))
      const m = memmap.MappedFile.openSync(args[0])
      ;(async () => { let bytes = 0; ${script}; console.log(bytes) })()`
    const { code, signal, stdout, stderr } = await child(source, [path, folder], 120_000)
    if (code !== 0 || signal !== null) throw new Error(`ended with ${code ?? signal}: ${stderr}`)
    const peak = Number(readFileSync(join(folder, names.peak), 'utf8'))
    return { peak, hits: names.hits(folder), bytes: Number(stdout) }
  } finally {
    rmdirSync(folder)
  }
}

/** Found out by making a group and a small file, as the test will. */
function problem(): string | undefined {
  if (narrow) return 'a mapping of 1 GiB does not fit into an address space of 32 bits'
  const made = group()
  if (typeof made === 'string') return made
  rmdirSync(made.folder)
  const path = written(1 << 20)
  const cold = goesCold(path)
  rmSync(path)
  return cold ? undefined : 'this file system keeps its files in memory'
}

unless(problem(), test.serial)(
  'a file of four times the memory limit streams under it, and never meets it',
  async (t) => {
    t.timeout(600_000)
    const path = written(SIZE)
    const forms = {
      chunks: `for await (const chunk of m.chunks()) { for (let i = 0; i < chunk.length; i += 4096) bytes += chunk[i] === 120 ? 4096 : 0 }`,
      stream: `for await (const chunk of m.createReadStream()) bytes += chunk.length`,
      lines: `for await (const line of m.lines()) bytes += line.length + 1`,
      // The control: touching the same pages without us fills the group to its limit.
      touch: `const all = m.bytes; for (let i = 0; i < all.length; i += 4096) bytes += all[i] === 120 ? 4096 : 0`,
    }
    for (const [name, script] of Object.entries(forms)) {
      const { peak, hits, bytes } = await limited(path, script)
      t.log(`${name}: peak ${Math.round(peak / (1 << 20))} of ${LIMIT >> 20} MiB, met the limit ${hits} times`)
      t.is(bytes, SIZE, name)
      if (name === 'touch') {
        t.true(hits > 0, 'the limit limits nothing')
      } else {
        t.true(peak < LIMIT, `${name}: ${peak}`)
        t.is(hits, 0, name)
      }
    }
  },
)
