// memmap/wasm on any engine: prints TAP. What is deeper is tested by ava, on Node (wasm.spec.ts).
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { Worker } from 'node:worker_threads'
import { Mapping } from '../../index.js'
import { mapInto } from '../../lib/wasm.js'
import { deniedPages, missingPages, tests } from '../tap.mjs'

const folder = mkdtempSync(join(tmpdir(), 'memmap-wasm-'))
const PAGE = 65_536
const system = Mapping.pageSize
const counter = readFileSync(new URL('../../examples/wasm-scan/count.wasm', import.meta.url))
// Not every processor has vectors for it (early RISC-V): there JavaScript does the same over the memory's buffer.
const module = WebAssembly.validate(counter) ? new WebAssembly.Module(counter) : undefined
let files = 0

/** A new file that counts modulo 251, so that no two pages are equal. */
function file(length) {
  const path = join(folder, `${files++}.bin`)
  writeFileSync(path, counting(length))
  return path
}

const counting = (length) => Uint8Array.from({ length }, (_, i) => i % 251)
const memoryOf = (initial = 1, maximum = 1000) => new WebAssembly.Memory({ initial, maximum })
const run = (memory) =>
  module === undefined ? byHand(memory) : new WebAssembly.Instance(module, { env: { memory } }).exports
const byHand = (memory) => ({
  count: (at, length, byte) => new Uint8Array(memory.buffer, at, length).filter((each) => each === byte).length,
  store: (at, byte) => new Uint8Array(memory.buffer).fill(byte, at, at + 1),
})
const bytes = (memory, at, length) => Buffer.from(memory.buffer, at, length)
const same = (memory, at, length) => assert.ok(bytes(memory, at, length).equals(counting(length)))
const zeros = (memory, at, length) => assert.ok(bytes(memory, at, length).every((byte) => byte === 0))
const code = (expected) => (error) => {
  assert.equal(error.code, expected, error.message)
  return true
}

const cases = {
  'the memory grows for the file, and the module reads it there'() {
    const memory = memoryOf(2)
    const mapping = mapInto(memory, file(100_000))
    assert.equal(mapping.at, 2 * PAGE)
    assert.equal(mapping.carrier, 'wasm')
    same(memory, mapping.at, 100_000)
    const expected = counting(100_000).filter((byte) => byte === 7).length
    assert.equal(run(memory).count(mapping.at, 100_000, 7), expected)
    mapping.close()
    zeros(memory, mapping.at, 100_000)
  },

  'at a place of the memory, beside what is there'() {
    const memory = memoryOf(4)
    bytes(memory, 0, 4 * PAGE).fill(1)
    const mapping = mapInto(memory, file(1000), { at: PAGE })
    same(memory, PAGE, 1000)
    assert.equal(bytes(memory, PAGE - 1, 1)[0], 1)
    mapping.close()
    zeros(memory, PAGE, 1000)
    assert.equal(bytes(memory, 2 * PAGE, 1)[0], 1)
  },

  'a module writes the file through its memory'() {
    const path = file(5000)
    const memory = memoryOf()
    const mapping = mapInto(memory, path, { access: 'write' })
    run(memory).store(mapping.at + 4321, 99)
    mapping.flushSync()
    assert.equal(readFileSync(path)[4321], 99)
    mapping.close()
  },

  'a store into a read mapping never reaches the file'() {
    if (deniedPages) return deniedPages
    const path = file(3 * system)
    const memory = memoryOf()
    const mapping = mapInto(memory, path)
    run(memory).store(mapping.at + system + 5, 222)
    assert.equal(mapping.getUint8(system + 5), 222)
    assert.throws(() => mapping.setUint8(0, 1), code('EACCES'))
    mapping.close()
    assert.deepEqual(new Uint8Array(readFileSync(path)), counting(3 * system))
  },

  'growing the memory leaves mappings of every access where they are'() {
    for (const access of ['read', 'write', 'copy']) {
      const memory = memoryOf()
      const mapping = mapInto(memory, file(2 * system), { access })
      const { bytes: view } = mapping
      memory.grow(7)
      assert.equal(view.length, 0)
      assert.equal(mapping.fault, null)
      same(memory, mapping.at, 2 * system)
      assert.equal(mapping.getUint8(system), system % 251)
      mapping.close()
      zeros(memory, mapping.at, 2 * system)
    }
  },

  'several files in one memory close each on its own'() {
    const memory = memoryOf()
    const [first, second] = [mapInto(memory, file(PAGE)), mapInto(memory, file(PAGE + 1))]
    assert.deepEqual([first.at, second.at], [PAGE, 2 * PAGE])
    first.close()
    zeros(memory, PAGE, PAGE)
    same(memory, second.at, PAGE + 1)
    second.close()
  },

  'wrong places are errors'() {
    const memory = memoryOf(4, 5)
    const path = file(2 * system)
    const first = mapInto(memory, path, { at: PAGE })
    assert.throws(() => mapInto(memory, path, { at: PAGE }), code('ERR_INVALID_ARG_VALUE'))
    assert.throws(() => mapInto(memory, path, { at: 1 }), code('ERR_OUT_OF_RANGE'))
    assert.throws(() => mapInto(memory, path, { at: 4 * PAGE }), code('ERR_OUT_OF_RANGE'))
    assert.throws(() => mapInto(memory, path, { offset: 1 }), code('ERR_OUT_OF_RANGE'))
    assert.throws(() => mapInto(memory, file(2 * PAGE)), code('ENOMEM'))
    assert.throws(() => mapInto({}, path), code('ERR_INVALID_ARG_TYPE'))
    first.close()
  },

  'a file that is truncated under the module reads as zeros'() {
    if (!Mapping.isSupported('faultGuard')) return 'there is no guard here'
    if (missingPages) return missingPages
    const path = file(4 * system)
    const memory = memoryOf()
    const mapping = mapInto(memory, path)
    truncateSync(path, system)
    assert.equal(run(memory).count(mapping.at + system, 3 * system, 0), 3 * system)
    assert.equal(mapping.fault?.kind, 'truncated')
    assert.throws(() => mapping.getUint8(0), code('ERR_MAPPING_FAULT'))
    mapping.close()
  },

  async 'a shared memory shows the file to a worker'() {
    const memory = new WebAssembly.Memory({ initial: 1, maximum: 100, shared: true })
    const mapping = mapInto(memory, file(1000), { access: 'write' })
    const worker = new Worker(
      `const { parentPort, workerData: { memory, at } } = require('node:worker_threads')
       parentPort.once('message', (index) => parentPort.postMessage(new Uint8Array(memory.buffer)[at + index]))`,
      { eval: true, workerData: { memory, at: mapping.at } },
    )
    const answer = new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject))
    worker.postMessage(7)
    assert.equal(await answer, 7)
    await worker.terminate()
    mapping.close()
  },

  async 'another thread cannot map over what is mapped in a shared memory, and takes its own along when it ends'() {
    const memory = new WebAssembly.Memory({ initial: 3, maximum: 10, shared: true })
    const path = file(1000)
    const mapping = mapInto(memory, path, { at: PAGE, access: 'write' })
    const worker = new Worker(
      `const { createRequire } = require('node:module')
       const { parentPort, workerData: { library, memory, path } } = require('node:worker_threads')
       const { mapInto } = createRequire(library)(library)
       const codes = [${PAGE}, ${2 * PAGE}].map((at) => {
         try { return mapInto(memory, path, { at, access: 'write' }).getUint8(7) } catch (error) { return error.code }
       })
       parentPort.postMessage(codes)`,
      {
        eval: true,
        workerData: { library: fileURLToPath(new URL('../../lib/wasm.js', import.meta.url)), memory, path },
      },
    )
    const exited = new Promise((resolve) => worker.once('exit', resolve))
    const codes = await new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject))
    assert.deepEqual(codes, ['ERR_INVALID_ARG_VALUE', 7])
    same(memory, PAGE, 1000)
    await exited
    const again = mapInto(memory, path, { at: 2 * PAGE })
    same(memory, 2 * PAGE, 1000)
    again.close()
    mapping.close()
    zeros(memory, PAGE, 2 * PAGE)
  },

  'no file is made or extended for a place that cannot be had'() {
    const memory = memoryOf(3)
    const first = mapInto(memory, file(10), { at: PAGE })
    const path = file(10)
    for (const target of [path, `${path}-made`]) {
      const options = { access: 'write', create: true, length: PAGE + 1 }
      assert.throws(() => mapInto(memory, target, { ...options, at: PAGE }), code('ERR_INVALID_ARG_VALUE'))
      assert.throws(() => mapInto(memory, target, { ...options, at: 2 * PAGE }), code('ERR_OUT_OF_RANGE'))
    }
    assert.equal(readFileSync(path).length, 10)
    assert.throws(() => readFileSync(`${path}-made`), code('ENOENT'))
    first.close()
  },

  async 'whichever is forgotten first, memory or mapping, no byte of the file changes'() {
    setFlagsFromString('--expose-gc')
    const gc = runInNewContext('gc')
    const path = file(1000)
    const collect = async () => {
      for (let i = 0; i < 4; i++) {
        gc()
        await new Promise((resolve) => setTimeout(resolve, 5))
      }
    }
    const withoutMemory = (() => mapInto(memoryOf(), path, { access: 'write' }))()
    const memory = memoryOf()
    const at = (() => mapInto(memory, path, { access: 'write' }).at)()
    const view = (() => mapInto(memoryOf(), path, { access: 'write' }).bytes)()
    for (let i = 0; i < 10; i++) (() => mapInto(memoryOf(), path, { access: 'write' }))()
    for (let i = 0; i < 100; i++) {
      ;(() => {
        const closed = memoryOf()
        mapInto(closed, path, { access: 'write' }).close()
        bytes(closed, 0, 2 * PAGE).fill(255)
      })()
    }
    await collect()
    assert.equal(withoutMemory.getUint8(250), 250)
    same(memory, at, 1000)
    assert.equal(view[250], 250)
    assert.deepEqual(new Uint8Array(readFileSync(path)), counting(1000))
    withoutMemory.close()
  },

  'a 64-bit memory carries as well'() {
    let memory
    try {
      memory = new WebAssembly.Memory({ initial: 1n, maximum: 100n, address: 'i64' })
    } catch {
      return 'the engine has no 64-bit memories'
    }
    const mapping = mapInto(memory, file(PAGE + 1))
    assert.equal(mapping.at, PAGE)
    same(memory, mapping.at, PAGE + 1)
    mapping.close()
    const large = new WebAssembly.Memory({ initial: 65_540n, maximum: 70_000n, address: 'i64' })
    const beyond = mapInto(large, file(1000))
    assert.equal(beyond.at, 65_540 * PAGE)
    same(large, beyond.at, 1000)
    beyond.close()
    zeros(large, beyond.at, 1000)
  },

  'toResizableBuffer and toFixedLengthBuffer change nothing'() {
    const memory = memoryOf(2)
    if (memory.toResizableBuffer === undefined) return 'the engine has no resizable memories'
    const mapping = mapInto(memory, file(1000))
    const buffer = memory.toResizableBuffer()
    buffer.resize(buffer.byteLength + PAGE)
    same(memory, mapping.at, 1000)
    memory.toFixedLengthBuffer()
    assert.equal(mapping.bytes[250], 250)
    assert.equal(mapping.fault, null)
    mapping.close()
  },
}

const refused = {
  'where it cannot be had it says so, and the memory stays as it is'() {
    const memory = memoryOf()
    assert.throws(() => mapInto(memory, file(10)), code('ENOTSUP'))
    assert.equal(memory.buffer.byteLength, PAGE)
  },
}

await tests(Mapping.isSupported('wasm') ? cases : refused, () => rmSync(folder, { recursive: true, force: true }))
