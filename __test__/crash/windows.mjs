// What many windows and many mappings cost. `node --expose-gc windows.mjs <million|hundred|hundredShared|terabyte>`
import { closeSync, ftruncateSync, mkdtempSync, openSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PerformanceObserver, constants } from 'node:perf_hooks'
import { MappedFile } from '../../index.js'
import { remove } from './kit.mjs'

const MiB = 1 << 20
const folder = mkdtempSync(join(tmpdir(), 'memmap-windows-'))
process.on('exit', () => remove(folder))

function sparse(name, length) {
  const path = join(folder, name)
  const fd = openSync(path, 'w')
  ftruncateSync(fd, length)
  closeSync(fd)
  return path
}

let seed = 12_345
const random = () => (seed = (seed * 48_271) % 0x7fffffff) / 0x7fffffff

/** Pages of files that were touched are the system's cache, not ours. */
function anonymous() {
  if (process.platform !== 'linux') return process.memoryUsage.rss()
  return Number(/RssAnon:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))[1]) * 1024
}

/** Node gives back what V8 has collected in later turns of the loop. */
async function settled() {
  for (let i = 0; i < 5; i++) {
    globalThis.gc()
    await new Promise((resolve) => setImmediate(resolve))
  }
  return anonymous()
}

/** Mappings of 100 MiB, in use: by accessors and small windows, and by views of everything where those stand on SharedArrayBuffers. */
async function hundred(options) {
  const kinds = []
  const observer = new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) kinds.push(entry.detail.kind)
  })
  const paths = Array.from({ length: 100 }, (_, i) => sparse(`${i}.bin`, 100 * MiB))
  globalThis.gc()
  await new Promise((resolve) => setTimeout(resolve, 50))
  observer.observe({ entryTypes: ['gc'] })
  const before = process.memoryUsage().external
  let most = 0
  let sum = 0
  const mappings = []
  for (const path of paths) {
    const m = MappedFile.openSync(path, options)
    mappings.push(m)
    // One place often enough for windows to be made there, and single looks elsewhere.
    for (let k = 0; k < 60; k++) sum += m.getUint32(33 * MiB + k)
    for (let k = 0; k < 60; k++) sum += m.subarray(33 * MiB + k, 33 * MiB + k + 100)[7]
    if (options.sharedArrayBuffer) sum += m.bytes.length - 100 * MiB + m.view(Int32Array)[25 * MiB - 1]
    for (let k = 1; k < 5; k++) sum += m.read(20 * k * MiB - 50, 100)[99]
    for (let k = 0; k < 5; k++) sum += m.subarray(20 * k * MiB, 20 * k * MiB + 100).length - 100
    most = Math.max(most, process.memoryUsage().external - before)
    // As in a program that does something else besides: its garbage makes the engine look at the young buffers now and then.
    if (mappings.length % 10 === 0) globalThis.gc({ type: 'minor' })
  }
  for (const m of mappings) sum += m.getUint8(33 * MiB) + m.subarray(33 * MiB, 33 * MiB + 16)[3]
  most = Math.max(most, process.memoryUsage().external - before)
  await new Promise((resolve) => setTimeout(resolve, 50))
  observer.disconnect()
  const major = kinds.filter((kind) => kind === constants.NODE_PERFORMANCE_GC_MAJOR).length
  for (const m of mappings) m.close()
  return { major, external: most, sum }
}

const cases = {
  async million(count) {
    const length = 2 ** 40
    const path = sparse('tebibyte.bin', length)
    const m = MappedFile.openSync(path, { access: 'write' })
    const marks = new Map()
    for (let i = 0; i < 200; i++) {
      const at = Math.floor(random() * (length - 8))
      m.setBigUint64(at, BigInt(at))
      marks.set(at, BigInt(at))
    }
    const at = [...marks.keys()]
    let external = 0
    let wrong = 0
    const rounds = []
    for (let round = 0; round < 4; round++) {
      for (let i = 0; i < count / 4; i++) {
        // Some are looked at: each look is a page of the file in memory.
        const looked = i % 1000 === 0
        const position = looked ? at[(i / 1000) % at.length] : Math.floor(random() * (length - 8192))
        const window = m.subarray(position, position + 8 + (i % 4000))
        if (window.length !== Math.min(8 + (i % 4000), length - position)) wrong++
        if (looked && window.readBigUInt64BE() !== BigInt(position)) wrong++
        if (i % 10_000 === 0) external = Math.max(external, process.memoryUsage().external)
      }
      rounds.push(await settled())
    }
    m.close()
    return { wrong, external, rounds }
  },

  hundred: () => hundred({}),

  hundredShared: () => hundred({ sharedArrayBuffer: true }),

  async terabyte() {
    const length = 2 ** 40
    const path = sparse('tebibyte.bin', length)
    const places = [0, 1, 2 ** 31 - 2, 2 ** 32 - 3, 2 ** 32, 2 ** 36 + 5, length / 2 - 1, length - 8]
    let wrong = 0
    const m = await MappedFile.open(path, { access: 'write' })
    if (m.byteLength !== length || m.size() !== length) wrong++
    for (const [i, at] of places.entries()) {
      m.setFloat64(at, i + 0.5, true)
      if (m.getFloat64(at, true) !== i + 0.5) wrong++
      m.setBigInt64(at, BigInt(-at))
      if (m.getBigInt64(at) !== BigInt(-at) || m.subarray(at, at + 8).readBigInt64BE() !== BigInt(-at)) wrong++
      if (m.read(at, 8).readBigInt64BE() !== BigInt(-at) || m.dataView(at, 8).getBigInt64(0) !== BigInt(-at)) wrong++
      m.write('memmap', at)
      if (m.subarray(at, at + 6).toString() !== 'memmap') wrong++
      m.fill('x', at, at + 8)
      m.copyWithin(2 ** 39 + 64 * i, at, at + 8)
      if (m.read(2 ** 39 + 64 * i, 8).toString() !== 'xxxxxxxx') wrong++
      m.flushSync({ offset: at, length: 8 })
      await m.flush({ offset: at, length: 8, wait: false })
    }
    const view = m.subarray(-8)
    m.close()
    // Nothing detaches a SharedArrayBuffer.
    if (view.length !== 0 && !(view.buffer instanceof SharedArrayBuffer)) wrong++
    const again = MappedFile.openSync(path, { offset: length - 8 })
    if (again.byteLength !== 8 || again.bytes.toString() !== 'xxxxxxxx') wrong++
    again.close()
    return { wrong }
  },
}

console.log(JSON.stringify(await cases[process.argv[2]](Number(process.argv[3]))))
