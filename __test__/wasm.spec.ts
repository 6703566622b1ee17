import { execFile } from 'node:child_process'
import { existsSync, readFileSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { Worker } from 'node:worker_threads'
import test from 'ava'
import { MappedFile, Mapping } from '../index'
import { mapInto } from '../lib/wasm'
import { caught, counting, file, narrow, onWindows, page, unless } from './helpers'

import type { ExecutionContext } from 'ava'

import type { WebAssemblyMemory } from '../lib/wasm'

const run = promisify(execFile)

type Descriptor = { initial: number | bigint; maximum?: number | bigint; shared?: boolean; address?: 'i64' }
interface Engine {
  Memory: new (descriptor: Descriptor) => WebAssemblyMemory & { grow(pages: number | bigint): number | bigint }
  Module: new (bytes: Uint8Array) => object
  Instance: new (module: object, imports: object) => { readonly exports: Record<string, (...args: number[]) => number> }
}
const { Memory, Module, Instance } = (globalThis as unknown as { WebAssembly: Engine }).WebAssembly
const counter = new Module(readFileSync(join(__dirname, '../examples/wasm-scan/count.wasm')))

/** WebAssembly's page. */
const PAGE = 65_536

const supported = !onWindows && !narrow && unless(undefined)
const mapped = supported || unless('ENOTSUP here')

function throwsCoded(t: ExecutionContext, action: () => unknown, code: string, mentions = ''): void {
  const error = caught(t, action)
  t.is(error.code, code, error.stack)
  t.true(error.message.includes(mentions), error.message)
}

const memoryOf = (initial = 1, maximum = 1000) => new Memory({ initial, maximum })
const bytesOf = (memory: WebAssemblyMemory, at: number, length: number) => new Uint8Array(memory.buffer, at, length)

mapped('without a place the memory grows, and the module finds the file in the fresh pages', (t) => {
  const path = file(100_000)
  const memory = memoryOf(2)
  const instance = new Instance(counter, { env: { memory } })
  const mapping = mapInto(memory, path)
  t.true(mapping instanceof Mapping)
  t.is(mapping.at, 2 * PAGE)
  t.is(memory.buffer.byteLength, 2 * PAGE + Math.ceil(100_000 / PAGE) * PAGE)
  t.is(mapping.carrier, 'wasm')
  t.is(mapping.path, path)
  t.is(mapping.byteLength, 100_000)
  t.deepEqual(Buffer.from(bytesOf(memory, mapping.at, 100_000)), counting(100_000))
  const expected = counting(100_000).filter((byte) => byte === 7).length
  t.is(instance.exports['count']!(mapping.at, 100_000, 7), expected)
  mapping.close()
})

mapped('at a place the file lies over the pages that were there, which come back as zeros', (t) => {
  const memory = memoryOf(4)
  bytesOf(memory, 0, 4 * PAGE).fill(1)
  const mapping = mapInto(memory, file(1000), { at: PAGE })
  t.is(mapping.at, PAGE)
  t.is(bytesOf(memory, PAGE - 1, 1)[0], 1)
  t.deepEqual(Buffer.from(bytesOf(memory, PAGE, 1000)), counting(1000))
  const before = memory.buffer
  mapping.close()
  t.is(memory.buffer, before, 'nothing is detached')
  t.is(
    bytesOf(memory, PAGE, 1000).findIndex((byte) => byte !== 0),
    -1,
  )
  t.is(bytesOf(memory, 2 * PAGE, 1)[0], 1)
})

mapped('clearFault shows the file again where a module had stored to one that is only to be read', (t) => {
  const path = file(3 * Mapping.pageSize)
  const memory = memoryOf(2)
  const mapping = mapInto(memory, path, { at: BigInt(PAGE) })
  t.is(mapping.at, PAGE)
  const stored = Mapping.pageSize + 5
  bytesOf(memory, mapping.at + stored, 1)[0] = 99
  t.like(mapping.fault, { kind: 'protected', offset: stored })
  t.is(mapping.getUint8(stored), 99)
  mapping.clearFault()
  t.is(mapping.fault, null)
  t.deepEqual([...bytesOf(memory, mapping.at, 3 * Mapping.pageSize)], [...counting(3 * Mapping.pageSize)])
  bytesOf(memory, mapping.at + stored, 1)[0] = 98
  t.like(mapping.fault, { kind: 'protected' })
  mapping.close()
  t.deepEqual(readFileSync(path), counting(3 * Mapping.pageSize))
})

mapped('a module writes the file through its memory', (t) => {
  const path = file(5000)
  const memory = memoryOf()
  const { store } = new Instance(counter, { env: { memory } }).exports
  const mapping = mapInto(memory, path, { access: 'write' })
  store!(mapping.at + 4321, 99)
  t.is(mapping.getUint8(4321), 99)
  mapping.flushSync()
  t.is(readFileSync(path)[4321], 99)
  mapping.setUint8(1, 77)
  t.is(bytesOf(memory, mapping.at + 1, 1)[0], 77)
  mapping.close()
  t.is(readFileSync(path)[1], 77)
})

mapped('a copy keeps stores to itself', (t) => {
  const path = file(5000)
  const memory = memoryOf()
  const mapping = mapInto(memory, path, { access: 'copy' })
  bytesOf(memory, mapping.at, 5000)[3] = 200
  t.is(mapping.getUint8(3), 200)
  t.is(mapping.bytes[3], 200)
  mapping.write('abc', 10)
  t.is(Buffer.from(bytesOf(memory, mapping.at + 10, 3)).toString(), 'abc')
  mapping.close()
  t.deepEqual(readFileSync(path), counting(5000))
})

mapped('a module that stores into a read mapping changes a private page and nothing else', (t) => {
  const path = file(3 * page)
  const memory = memoryOf()
  const { store } = new Instance(counter, { env: { memory } }).exports
  const mapping = mapInto(memory, path)
  store!(mapping.at + page + 5, 222)
  if (Mapping.isSupported('faultGuard')) t.deepEqual(mapping.fault, { kind: 'protected', offset: page + 5 })
  t.is(mapping.getUint8(page + 5), 222)
  t.is(mapping.getUint8(page + 6), counting(3 * page)[page + 6])
  throwsCoded(t, () => mapping.setUint8(0, 1), 'EACCES')
  mapping.close()
  t.deepEqual(readFileSync(path), counting(3 * page))
})

mapped('growing the memory leaves every mapping where it is; old views have length 0', (t) => {
  for (const access of ['read', 'write', 'copy'] as const) {
    const memory = memoryOf()
    const mapping = mapInto(memory, file(2 * page), { access })
    const { bytes } = mapping
    const part = mapping.subarray(5, 10)
    t.is(bytes.length, 2 * page)
    memory.grow(7)
    t.is(bytes.length, 0, access)
    t.is(part.length, 0, access)
    t.is(mapping.fault, null)
    t.deepEqual(mapping.bytes, counting(2 * page), access)
    t.is(mapping.getUint16(page - 1), counting(2 * page).readUInt16BE(page - 1))
    t.is(mapping.view(Uint8Array, 3, 1)[0], counting(4)[3])
    mapping.close()
    t.is(
      bytesOf(memory, mapping.at, 2 * page).findIndex((byte) => byte !== 0),
      -1,
    )
  }
})

mapped('several files lie in one memory, and each closes on its own', (t) => {
  const memory = memoryOf(1, 100)
  const paths = [file(10), file(PAGE), file(PAGE + 1)]
  const mappings = paths.map((path) => mapInto(memory, path))
  t.deepEqual(
    mappings.map(({ at }) => at),
    [PAGE, 2 * PAGE, 3 * PAGE],
  )
  mappings[1]!.close()
  t.deepEqual(mappings[0]!.bytes, counting(10))
  t.deepEqual(mappings[2]!.bytes, counting(PAGE + 1))
  const again = mapInto(memory, paths[0]!, { at: 2 * PAGE })
  t.is(again.getUint8(3), counting(4)[3])
  for (const mapping of [again, mappings[0]!, mappings[2]!]) mapping.close()
})

mapped('what cannot be placed is an error, and nothing is changed', (t) => {
  const memory = memoryOf(4, 5)
  bytesOf(memory, 0, 4 * PAGE).fill(9)
  const path = file(2 * page)
  const first = mapInto(memory, path, { at: PAGE })
  throwsCoded(t, () => mapInto(memory, path, { at: PAGE }), 'ERR_INVALID_ARG_VALUE', 'overlaps')
  throwsCoded(t, () => mapInto(memory, path, { at: PAGE + page }), 'ERR_OUT_OF_RANGE')
  throwsCoded(t, () => mapInto(memory, path, { at: 4 * PAGE }), 'ERR_OUT_OF_RANGE')
  throwsCoded(t, () => mapInto(memory, path, { at: -PAGE }), 'ERR_OUT_OF_RANGE')
  throwsCoded(t, () => mapInto(memory, path, { offset: 1 }), 'ERR_OUT_OF_RANGE', 'options.offset')
  throwsCoded(t, () => mapInto(memory, file(5 * PAGE), { at: 0 }), 'ERR_OUT_OF_RANGE')
  throwsCoded(t, () => mapInto(memory, file(2 * PAGE)), 'ENOMEM')
  throwsCoded(t, () => mapInto({} as WebAssemblyMemory, path), 'ERR_INVALID_ARG_TYPE', 'memory')
  throwsCoded(t, () => mapInto(memory, path, { place: 1 } as object), 'ERR_INVALID_ARG_VALUE', 'place')
  throwsCoded(t, () => mapInto(memory, path, { sharedArrayBuffer: true }), 'ERR_INVALID_ARG_VALUE')
  throwsCoded(t, () => mapInto(memory, join(path, 'none')), 'ENOTDIR')
  t.is(memory.buffer.byteLength, 4 * PAGE)
  t.is(
    bytesOf(memory, 0, PAGE).findIndex((byte) => byte !== 9),
    -1,
  )
  first.close()
})

mapped('a file is neither made nor extended for a place that another mapping has, or that is not there', (t) => {
  const memory = memoryOf(3)
  const first = mapInto(memory, file(10), { at: PAGE })
  const path = file(10)
  const made = `${path}-made`
  for (const [at, code] of [
    [PAGE, 'ERR_INVALID_ARG_VALUE'],
    [2 * PAGE, 'ERR_OUT_OF_RANGE'],
  ] as const) {
    const options = { at, access: 'write', create: true, length: PAGE + 1 } as const
    throwsCoded(t, () => mapInto(memory, path, options), code)
    throwsCoded(t, () => mapInto(memory, made, options), code)
  }
  t.is(readFileSync(path).length, 10)
  t.false(existsSync(made))
  first.close()
})

mapped('wrong arguments are named, also those that look right', (t) => {
  const path = file(10)
  const memory = memoryOf(2)
  for (const at of [1.5, Number.NaN, Infinity, 2 * PAGE, 2 ** 53]) {
    throwsCoded(t, () => mapInto(memory, path, { at }), 'ERR_OUT_OF_RANGE', 'options.at')
  }
  for (const at of ['65536', null, {}]) {
    throwsCoded(t, () => mapInto(memory, path, { at } as object), 'ERR_INVALID_ARG_TYPE', 'options.at')
  }
  for (const options of [null, [], 5, 'read']) {
    throwsCoded(t, () => mapInto(memory, path, options as object), 'ERR_INVALID_ARG_TYPE', 'options')
  }
  throwsCoded(t, () => mapInto(memory, path, { att: 1 } as object), 'ERR_INVALID_ARG_VALUE', 'mapInto')
  throwsCoded(t, () => mapInto(memory, path, { access: 'write', capacity: PAGE }), 'ERR_INVALID_ARG_VALUE', 'capacity')
  const pretenders = [Object.create(Memory.prototype), new Proxy(memory, {}), { buffer: memory.buffer }]
  for (const pretender of pretenders) {
    throwsCoded(t, () => mapInto(pretender as WebAssemblyMemory, path), 'ERR_INVALID_ARG_TYPE', 'memory')
  }
  t.is(memory.buffer.byteLength, 2 * PAGE)
})

mapped('what a program puts over `buffer` and `grow` of a memory does not lead the mapping astray', (t) => {
  const memory = memoryOf(1)
  const { buffer } = memory
  Object.defineProperty(memory, 'buffer', { get: () => new ArrayBuffer(8 * PAGE) })
  Object.defineProperty(memory, 'grow', { value: () => 0 })
  const mapping = mapInto(memory, file(1000))
  t.is(mapping.at, PAGE)
  t.is(buffer.byteLength, 0, 'the memory grew')
  t.deepEqual(mapping.bytes, counting(1000))
  mapping.close()
})

mapped('behind the file’s end the module finds zeros, and what it stores there reaches no file', (t) => {
  const path = file(10)
  const memory = memoryOf(2)
  const grown = mapInto(memory, path, { access: 'write' })
  t.is(memory.buffer.byteLength, 3 * PAGE)
  t.deepEqual(
    [...bytesOf(memory, grown.at + 10, PAGE - 10)].filter((byte) => byte !== 0),
    [],
  )
  bytesOf(memory, grown.at, PAGE).fill(7, 10)
  grown.flushSync()
  grown.close()
  t.deepEqual(readFileSync(path), counting(10))
  // At a place only the file's own pages are replaced: the rest of the 64 KiB stays the module's.
  bytesOf(memory, 0, 2 * PAGE).fill(9)
  const placed = mapInto(memory, path, { at: PAGE })
  t.is(bytesOf(memory, PAGE + 10, 1)[0], 0)
  t.is(bytesOf(memory, PAGE + page, 1)[0], 9)
  placed.close()
  t.is(bytesOf(memory, PAGE + page, 1)[0], 9)
})

mapped('every option of open that makes sense is taken', (t) => {
  const all = [
    { populate: true },
    { lock: true },
    { noReserve: true },
    { advice: 'random' },
    { ifUnsafe: 'throw' },
  ] as const
  for (const options of [...all, { ifUnsafe: 'copy' }, { access: 'write', length: 3 * page, sparse: true }] as const) {
    const mapping = mapInto(memoryOf(), file(2 * page), options)
    t.is(mapping.getUint8(page + 1), counting(2 * page)[page + 1], JSON.stringify(options))
    mapping.close()
  }
})

const counts = process.platform === 'linux' ? mapped : unless('counts page faults as Linux does')
/** The minor page faults of this thread alone: the compiler's and the collector's threads have their own (proc_pid_stat(5): `minflt`, eighth behind the name). */
const faultsOfThread = (): number => {
  const stat = readFileSync('/proc/thread-self/stat', 'latin1')
  return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[7])
}

counts('populate fills the page tables of the memory: the module meets no page fault', (t) => {
  const length = 64 << 20
  const path = file(length)
  const faults = (populate: boolean): number => {
    const memory = memoryOf(1, 2000)
    const { count } = new Instance(counter, { env: { memory } }).exports
    const mapping = mapInto(memory, path, { populate })
    const before = faultsOfThread()
    count!(mapping.at, length, 7)
    const met = faultsOfThread() - before
    mapping.close()
    return met
  }
  // The module's own code and what the engine puts beside it are faults too, the first time.
  const fewest = (populate: boolean): number => Math.min(...Array.from({ length: 8 }, () => faults(populate)))
  const without = fewest(false)
  const populated = fewest(true)
  t.log(`${populated} page faults, ${without} without`)
  t.true(populated < without / 2)
})

mapped('a part of a file begins at a page of it', (t) => {
  const memory = memoryOf()
  const mapping = mapInto(memory, file(4 * page), { offset: page, length: 100 })
  t.is(mapping.fileOffset, page)
  t.deepEqual(mapping.bytes, counting(4 * page).subarray(page, page + 100))
  mapping.close()
})

mapped('an empty file takes no place', (t) => {
  const memory = memoryOf(1, 1)
  const mapping = mapInto(memory, file(0))
  t.is(mapping.byteLength, 0)
  t.is(mapping.bytes.length, 0)
  t.is(memory.buffer.byteLength, PAGE)
  mapping.close()
})

mapped('a handle of what is written leads to the file; private pages stay where they are', (t) => {
  const path = file(1000)
  const memory = memoryOf()
  const mapping = mapInto(memory, path, { access: 'write' })
  const other = Mapping.from(mapping.share())
  t.true(other instanceof MappedFile)
  other.setUint8(3, 99)
  t.is(bytesOf(memory, mapping.at + 3, 1)[0], 99)
  mapping.close()
  t.is(other.getUint8(3), 99)
  t.is(bytesOf(memory, mapping.at + 3, 1)[0], 0)
  other.close()
  for (const access of ['read', 'copy'] as const) {
    const alone = mapInto(memory, path, { access })
    throwsCoded(t, () => alone.share(), 'ENOTSUP')
    alone.close()
  }
})

mapped('it keeps its length', (t) => {
  const mapping = mapInto(memoryOf(), file(100), { access: 'write' })
  throwsCoded(t, () => mapping.resize(200), 'EBUSY')
  mapping.close()
})

const guarded = Mapping.isSupported('faultGuard') ? mapped : unless('there is no guard here')
guarded('a file that is truncated under the module reads as zeros, and can be mapped again', (t) => {
  const path = file(4 * page)
  const memory = memoryOf()
  const { count } = new Instance(counter, { env: { memory } }).exports
  const mapping = mapInto(memory, path)
  truncateSync(path, page)
  t.is(count!(mapping.at + page, 3 * page, 0), 3 * page)
  t.is(mapping.fault?.kind, 'truncated')
  throwsCoded(t, () => mapping.getUint8(0), 'ERR_MAPPING_FAULT')
  truncateSync(path, 4 * page)
  mapping.clearFault()
  t.is(mapping.fault, null)
  t.is(mapping.getUint8(5), counting(6)[5])
  mapping.close()
})

guarded('waiting in a file that was truncated is a fault, not the end', async (t) => {
  const path = file(4 * page)
  const mapping = mapInto(memoryOf(), path)
  truncateSync(path, 0)
  if (Mapping.isSupported('wait')) await t.throwsAsync(mapping.waitAsync(0, 0), { code: 'ERR_MAPPING_FAULT' })
  t.is(mapping.fault?.kind ?? 'truncated', 'truncated')
  mapping.close()
})

mapped('after the memory has grown, what has not been asked for its place is found', (t) => {
  const memory = memoryOf()
  const path = file(page)
  for (const use of [
    (m: Mapping) => m.size(),
    (m: Mapping) => m.address,
    (m: Mapping) => m.evict(),
    (m: Mapping) => m.advise('random'),
  ]) {
    const mapping = mapInto(memory, path)
    memory.grow(1)
    t.notThrows(() => use(mapping))
    mapping.close()
  }
})

const shared = (() => {
  try {
    return new Memory({ initial: 1, maximum: 10, shared: true })
  } catch {
    return undefined
  }
})()
const sharedMemory = shared === undefined ? unless('the engine has no shared memories') : mapped
sharedMemory('a shared memory: a worker sees the file, and zeros after close', async (t) => {
  const memory = shared!
  const mapping = mapInto(memory, file(1000), { access: 'write' })
  const worker = new Worker(
    `const { parentPort, workerData } = require('node:worker_threads')
     const bytes = new Uint8Array(workerData.memory.buffer, workerData.at, 1000)
     parentPort.on('message', (index) => { parentPort.postMessage(bytes[index]); if (index < 0) parentPort.close() })`,
    { eval: true, workerData: { memory, at: mapping.at } },
  )
  const ask = (index: number) =>
    new Promise<number>((resolve) => {
      worker.once('message', resolve)
      worker.postMessage(index)
    })
  t.is(await ask(7), counting(8)[7])
  mapping.setUint8(7, 123)
  t.is(await ask(7), 123)
  memory.grow(1)
  t.is(mapping.getUint8(7), 123)
  mapping.close()
  t.is(await ask(7), 0)
  await worker.terminate()
})

sharedMemory('a place in a shared memory that another thread has mapped to is refused', async (t) => {
  const memory = new Memory({ initial: 3, maximum: 10, shared: true })
  const path = file(1000)
  const mapping = mapInto(memory, path, { at: PAGE, access: 'write' })
  const worker = new Worker(
    `const { parentPort, workerData: { library, memory, path } } = require('node:worker_threads')
     const { mapInto } = require(library)
     const codes = [${PAGE}, ${2 * PAGE}].map((at) => {
       try { return mapInto(memory, path, { at, access: 'write' }).getUint8(7) } catch (error) { return error.code }
     })
     parentPort.postMessage(codes)`,
    { eval: true, workerData: { library: join(__dirname, '../lib/wasm'), memory, path } },
  )
  const exited = new Promise((resolve) => worker.once('exit', resolve))
  const codes = await new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject))
  t.deepEqual(codes, ['ERR_INVALID_ARG_VALUE', counting(8)[7]])
  t.deepEqual(mapping.read(0, 1000), counting(1000))
  await exited
  t.is(bytesOf(memory, 2 * PAGE + 7, 1)[0], 0, 'the thread that mapped it has ended')
  const again = mapInto(memory, path, { at: 2 * PAGE })
  t.is(again.getUint8(7), counting(8)[7])
  again.close()
  mapping.close()
  t.deepEqual(readFileSync(path), counting(1000))
})

sharedMemory('closing while a worker’s module runs over the file stops nothing', async (t) => {
  const memory = new Memory({ initial: 1, maximum: 1000, shared: true })
  const mapping = mapInto(memory, file(20 * PAGE))
  const worker = new Worker(
    `const { parentPort, workerData: { memory, at, length } } = require('node:worker_threads')
     const bytes = new Uint8Array(memory.buffer, at, length)
     let rounds = 0
     const step = () => { let sum = 0; for (let i = 0; i < length; i += 64) sum += bytes[i]; rounds++; parentPort.postMessage({ sum, rounds }); setImmediate(step) }
     step()`,
    { eval: true, workerData: { memory, at: mapping.at, length: 20 * PAGE } },
  )
  const until = (test: (message: { sum: number }) => boolean) =>
    new Promise<void>((resolve) => {
      worker.on('message', (message: { sum: number }) => {
        if (test(message)) resolve()
      })
    })
  await until(({ sum }) => sum > 0)
  mapping.close()
  await until(({ sum }) => sum === 0)
  await worker.terminate()
  t.pass()
})

const wide = (() => {
  try {
    return new Memory({ initial: 1n, maximum: 100n, address: 'i64' })
  } catch {
    return undefined
  }
})()
const wideMemory = wide === undefined ? unless('the engine has no 64-bit memories') : mapped
wideMemory('a 64-bit memory grows and carries as well', (t) => {
  const mapping = mapInto(wide!, file(PAGE + 1))
  t.is(mapping.at, PAGE)
  t.deepEqual(mapping.bytes, counting(PAGE + 1))
  throwsCoded(t, () => mapInto(wide!, file(99 * PAGE)), 'ENOMEM')
  mapping.close()
})

wideMemory('in a 64-bit memory a file lies beyond 4 GiB', (t) => {
  const memory = new Memory({ initial: 65_540n, maximum: 70_000n, address: 'i64' })
  const mapping = mapInto(memory, file(1000))
  t.is(mapping.at, 65_540 * PAGE)
  t.deepEqual(mapping.bytes, counting(1000))
  t.deepEqual(Buffer.from(bytesOf(memory, mapping.at, 1000)), counting(1000))
  mapping.close()
  t.is(bytesOf(memory, mapping.at + 7, 1)[0], 0)
})

const resizable = 'toResizableBuffer' in Memory.prototype ? mapped : unless('the engine has no toResizableBuffer')
resizable('a memory that becomes resizable while mapped keeps its mapping', (t) => {
  const memory = memoryOf(2, 10) as ReturnType<typeof memoryOf> & {
    toResizableBuffer(): ArrayBuffer & { resize(n: number): void }
    toFixedLengthBuffer(): ArrayBuffer
  }
  const mapping = mapInto(memory, file(1000))
  const buffer = memory.toResizableBuffer()
  t.deepEqual(Buffer.from(new Uint8Array(buffer, mapping.at, 1000)), counting(1000))
  t.deepEqual(mapping.bytes, counting(1000))
  buffer.resize(buffer.byteLength + PAGE)
  t.is(mapping.getUint8(9), counting(10)[9])
  memory.toFixedLengthBuffer()
  t.is(mapping.getUint8(9), counting(10)[9])
  t.deepEqual(mapping.bytes, counting(1000))
  t.is(mapping.fault, null)
  mapping.close()
})

/** Without room for its reservation the engine takes less, and moves a memory when that is full. */
async function withLittleRoom(program: string, kibibytes = 2_000_000): Promise<string> {
  // Only without its trap handler does an engine before Node 24 run at all with so little room.
  const flag = '--disable-wasm-trap-handler'
  const flags = process.allowedNodeEnvironmentFlags.has(flag) ? flag : ''
  const limited = `ulimit -v ${kibibytes}; exec "$0" ${flags} -e "$1"`
  return (await run('bash', ['-c', limited, process.execPath, program])).stdout
}

const limitable = process.platform === 'linux' && mapped
const moves = limitable || unless('needs a limit on address space')
moves(
  'a memory that the engine moves takes nothing with it: the fault is `moved`, and the file is not touched',
  async (t) => {
    const path = file(1000)
    const program = `
    const { mapInto } = require(${JSON.stringify(join(__dirname, '../lib/wasm'))})
    const memory = new WebAssembly.Memory({ initial: 2 })
    const mapping = mapInto(memory, ${JSON.stringify(path)}, { access: 'write' })
    for (const pages of [1, 100, 800, 4000, 4000]) {
      try { memory.grow(pages) } catch {}
      if (mapping.fault !== null) break
    }
    const result = { fault: mapping.fault, codes: [] }
    for (const use of [() => mapping.getUint8(0), () => mapping.setUint8(0, 1), () => mapping.bytes, () => mapping.clearFault(), () => mapping.flushSync(), () => mapping.evict(), () => mapping.protect('none'), () => mapping.size()]) {
      try { use(); result.codes.push('none') } catch (error) { result.codes.push(error.code) }
    }
    new Uint8Array(memory.buffer).fill(170)
    mapping.close()
    result.kept = new Uint8Array(memory.buffer)[mapping.at]
    console.log(JSON.stringify(result))`
    const result = JSON.parse(await withLittleRoom(program)) as {
      fault: { kind: string } | null
      codes: string[]
      kept: number
    }
    if (result.fault === null) {
      t.log('this engine did not move the memory')
      t.deepEqual(result.codes.slice(0, 3), ['none', 'none', 'none'])
      return
    }
    t.is(result.fault.kind, 'moved')
    t.deepEqual(result.codes, Array<string>(8).fill('ERR_MAPPING_FAULT'))
    t.is(result.kept, 170, 'what the engine moved is the module’s own')
    t.deepEqual(readFileSync(path), counting(1000))
  },
)

moves(
  'close after a move touches nothing of whoever has the addresses by then, though nobody looked before',
  async (t) => {
    const path = file(200_000)
    const program = `
    const { mapInto } = require(${JSON.stringify(join(__dirname, '../lib/wasm'))})
    const { mmap, PROT_READ, PROT_WRITE, MAP_PRIVATE, MAP_ANONYMOUS } = require(${JSON.stringify(join(__dirname, '../lib/posix'))})
    const { readFileSync } = require('node:fs')
    const memory = new WebAssembly.Memory({ initial: 2 })
    const mapping = mapInto(memory, ${JSON.stringify(path)}, { access: 'write' })
    const { buffer } = memory
    const found = () => readFileSync('/proc/self/maps', 'utf8').split('\\n').filter((line) => line.includes(${JSON.stringify(path)}))
    const [at] = found().map((line) => BigInt('0x' + line.split('-')[0])).filter((each) => each !== mapping.address)
    const before = found().length
    for (const pages of [1, 100, 800, 4000, 4000]) {
      try { memory.grow(pages) } catch {}
      if (found().length < before) break
    }
    const moved = found().length < before
    const stranger = mmap(at, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
    stranger.setUint8(5, 77)
    try { mapping.evict() } catch {}
    try { mapping.protect('none') } catch {}
    mapping.close()
    console.log(JSON.stringify({ moved, there: stranger.address === at, byte: stranger.getUint8(5), fault: mapping.fault }))`
    const result = JSON.parse(await withLittleRoom(program)) as Record<string, unknown>
    t.log(JSON.stringify(result))
    t.is(result['byte'], 77)
    t.deepEqual(readFileSync(path), counting(200_000))
  },
)

moves('the end of a thread touches nothing of whoever has the addresses of a memory that has moved', async (t) => {
  const path = file(200_000)
  const program = `
    const { Worker, isMainThread, parentPort, workerData } = require('node:worker_threads')
    const { readFileSync } = require('node:fs')
    const lines = () => readFileSync('/proc/self/maps', 'utf8').split('\\n').filter((line) => line.includes(${JSON.stringify(path)}))
    const starts = () => lines().map((line) => BigInt('0x' + line.split('-')[0]))
    if (isMainThread) {
      const { mmap, PROT_READ, PROT_WRITE, MAP_PRIVATE, MAP_ANONYMOUS } = require(${JSON.stringify(join(__dirname, '../lib/posix'))})
      const worker = new Worker(__filename)
      worker.on('message', ({ at, moved }) => {
        const stranger = mmap(at, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
        stranger.setUint8(5, 77)
        worker.terminate().then(() => {
          console.log(JSON.stringify({ moved, there: stranger.address === at, byte: stranger.getUint8(5), left: lines().length }))
        })
      })
    } else {
      const { mapInto } = require(${JSON.stringify(join(__dirname, '../lib/wasm'))})
      const memory = new WebAssembly.Memory({ initial: 2 })
      globalThis.mapping = mapInto(memory, ${JSON.stringify(path)}, { access: 'write' })
      const before = starts()
      const [at] = before.filter((each) => each !== mapping.address)
      for (const pages of [1, 100, 800, 4000, 4000]) {
        try { memory.grow(pages) } catch {}
        if (starts().length < before.length) break
      }
      parentPort.postMessage({ at, moved: starts().length < before.length })
      setInterval(() => {}, 1000)
    }`
  const script = `${path}.cjs`
  writeFileSync(script, program)
  // With how little room a worker starts at all differs; with too much the memory stays.
  for (const kibibytes of [2_000_000, 2_500_000, 3_000_000]) {
    let printed
    try {
      printed = await withLittleRoom(`require(${JSON.stringify(script)})`, kibibytes)
    } catch (error) {
      t.log(`${kibibytes} KiB: the engine ends`, (error as { signal?: string }).signal ?? '')
      continue
    }
    const result = JSON.parse(printed) as Record<string, unknown>
    t.log(`${kibibytes} KiB:`, JSON.stringify(result))
    t.is(result['byte'], 77)
    t.is(result['left'], 0)
  }
  t.deepEqual(readFileSync(path), counting(200_000))
})

test('without support it says so', (t) => {
  if (supported) {
    t.true(Mapping.isSupported('wasm'))
    return
  }
  t.false(Mapping.isSupported('wasm'))
  throwsCoded(t, () => mapInto(memoryOf(), file(10)), 'ENOTSUP')
})
