// What loops over typed arrays cost after something has happened in the isolate, in nanoseconds of processor time an element, or what opening,
// summing 64 KiB by a view and closing costs, a time: `detach.mjs <what> <path>` prints JSON.
import { MappedFile } from '../../index.js'

const ELEMENTS = 1 << 20
const PASSES = Number(process.argv[4] ?? 60)

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

function measured(name, path) {
  before[name]?.({ MappedFile, path })
  const table = new Table(new Int32Array(ELEMENTS))
  const result = {}
  for (const loop of ['sum', 'sumOfLocal', 'increment']) {
    for (let i = 0; i < 10; i++) table[loop]()
    const start = process.cpuUsage()
    for (let i = 0; i < PASSES; i++) table[loop]()
    const { user, system } = process.cpuUsage(start)
    result[loop] = ((user + system) * 1000) / (PASSES * ELEMENTS)
  }
  return result
}

/** The hot loop of a user who opens, looks and closes: a first look by a view. */
const cycles = { cycle: {}, 'cycle, sharedArrayBuffer': { sharedArrayBuffer: true } }
const CYCLES = 33 * PASSES

function cycled(options, path) {
  const begun = process.cpuUsage()
  let sum = 0
  for (let turn = 0; turn < CYCLES; turn++) {
    const file = MappedFile.openSync(path, options)
    const { bytes } = file
    for (let at = 0; at < bytes.length; at++) sum = (sum + bytes[at]) | 0
    file.close()
  }
  if (sum === 0) throw new Error('not the file')
  const { user, system } = process.cpuUsage(begun)
  return { time: ((user + system) * 1000) / CYCLES }
}

const [, , what, path] = process.argv
console.log(JSON.stringify(what in cycles ? cycled(cycles[what], path) : measured(what, path)))
