// Claim: closing a mapping costs loops elsewhere nothing that any transferred message would not cost, and nothing at all with `sharedArrayBuffer`
// or without views. V8 compiles loops over typed arrays for isolates in which no ArrayBuffer was ever detached; the first detach ends that.
// `node benchmark/cases/detach.mjs [rounds]`: nanoseconds an element, processor time, medians; every cell is a process of its own, all in turn.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const ELEMENTS = 1 << 20
const PASSES = 60

/** What happens in the isolate before the loops run. */
const before = {
  'nothing was detached': () => {},
  'a buffer was transferred'() {
    const buffer = new ArrayBuffer(8)
    structuredClone(buffer, { transfer: [buffer] })
    if (buffer.byteLength > 0) throw new Error('not detached')
  },
  'a mapping was read and closed': ({ MappedFile, path }) => {
    const file = MappedFile.openSync(path)
    for (let i = 0; i < 4; i++) file.getUint32(i * 4)
    file.read(0, 100)
    file.close()
  },
  'a mapping with views was closed': ({ MappedFile, path }) => {
    const file = MappedFile.openSync(path)
    if (file.bytes[0] === 0) throw new Error('not the file')
    file.close()
    if (file.closed !== true) throw new Error('open')
  },
  'one with sharedArrayBuffer was closed': ({ MappedFile, path }) => {
    const file = MappedFile.openSync(path, { sharedArrayBuffer: true })
    if (file.bytes[0] === 0) throw new Error('not the file')
    file.close()
  },
}

/** Loops that user code has, over an array that has nothing to do with the mapping. */
class Table {
  constructor(words) {
    this.words = words
  }

  /** The array is read again from the object at each step. */
  sum() {
    let sum = 0
    for (let i = 0; i < this.words.length; i++) sum = (sum + this.words[i]) | 0
    return sum
  }

  /** The array and its length are in variables. */
  sumOfLocal() {
    const { words } = this
    const { length } = words
    let sum = 0
    for (let i = 0; i < length; i++) sum = (sum + words[i]) | 0
    return sum
  }

  /** Stores. */
  increment() {
    for (let i = 0; i < this.words.length; i++) this.words[i]++
    return 0
  }
}

async function child(name, path) {
  const { MappedFile } = await import('../../index.js')
  before[name]({ MappedFile, path })
  const table = new Table(new Int32Array(ELEMENTS))
  const result = {}
  for (const loop of ['sum', 'sumOfLocal', 'increment']) {
    for (let i = 0; i < 10; i++) table[loop]()
    const start = process.cpuUsage()
    for (let i = 0; i < PASSES; i++) table[loop]()
    const { user, system } = process.cpuUsage(start)
    result[loop] = ((user + system) * 1000) / (PASSES * ELEMENTS)
  }
  // The hot loop of a user who opens, looks and closes: a first look by a view, 2,000 times.
  const forms = {
    cycle: {},
    cycleShared: { sharedArrayBuffer: true },
  }
  for (const [form, options] of Object.entries(forms)) {
    if (name !== 'nothing was detached') continue
    const start = process.cpuUsage()
    let sum = 0
    for (let i = 0; i < 2000; i++) {
      const file = MappedFile.openSync(path, options)
      const { bytes } = file
      for (let k = 0; k < bytes.length; k++) sum = (sum + bytes[k]) | 0
      file.close()
    }
    if (sum === 0) throw new Error('not the file')
    const { user, system } = process.cpuUsage(start)
    result[form] = (user + system) / 2000
  }
  console.log(JSON.stringify(result))
}

const median = (list) => list.toSorted((a, b) => a - b)[list.length >> 1]

function parent(rounds) {
  const folder = mkdtempSync(join(tmpdir(), 'memmap-detach-'))
  const path = join(folder, 'data')
  writeFileSync(path, Buffer.alloc(65_536, 7))
  const times = Object.fromEntries(Object.keys(before).map((name) => [name, {}]))
  for (let round = 0; round < rounds; round++) {
    for (const name of Object.keys(before)) {
      const program = fileURLToPath(import.meta.url)
      const said = execFileSync(process.execPath, [program, 'child', name, path], { encoding: 'utf8' })
      for (const [loop, time] of Object.entries(JSON.parse(said))) (times[name][loop] ??= []).push(time)
    }
  }
  rmSync(folder, { recursive: true })
  console.log(`Node ${process.versions.node}, ${rounds} rounds, load average ${loadavg()[0].toFixed(1)}`)
  const [plain] = Object.values(times)
  for (const [name, loops] of Object.entries(times)) {
    const cells = ['sum', 'sumOfLocal', 'increment'].map((loop) => {
      const now = median(loops[loop])
      return `${loop} ${now.toFixed(2)} (${(now / median(plain[loop])).toFixed(2)}x)`
    })
    console.log(`${name.padEnd(40)} ${cells.join('   ')}`)
  }
  const cycles = `${median(plain.cycle).toFixed(1)} us, with sharedArrayBuffer ${median(plain.cycleShared).toFixed(1)} us`
  console.log(`open, sum 64 KiB by a view, close: ${cycles}`)
}

if (process.argv[2] === 'child') await child(process.argv[3], process.argv[4])
else parent(Number(process.argv[2] ?? 9))
