// What users may do with a buffer, and what may be under way, while its mapping closes. `node hostile.mjs <case>`: lives, and prints JSON.
import { execFileSync } from 'node:child_process'
import { createHash, randomFill } from 'node:crypto'
import {
  closeSync,
  constants,
  mkdtempSync,
  openSync,
  read,
  readFileSync,
  readSync,
  write,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { isMainThread, markAsUntransferable, MessageChannel, parentPort, Worker, workerData } from 'node:worker_threads'
import { brotliCompress, deflate } from 'node:zlib'
import { MappedFile } from '../../index.js'
import { remove } from './kit.mjs'

const MiB = 1 << 20
const folder = isMainThread ? mkdtempSync(join(tmpdir(), 'memmap-hostile-')) : workerData.folder
const path = join(folder, 'mapped.bin')
const content = Buffer.alloc(2 * MiB)
for (let i = 0; i < content.length; i++) content[i] = 1 + ((i * 31 + (i >> 12)) % 251)

const hash = () => createHash('sha256').update(readFileSync(path)).digest('hex')
const original = () => hash() === createHash('sha256').update(content).digest('hex')
const mapsLeft = () =>
  process.platform === 'linux' ? readFileSync('/proc/self/maps', 'utf8').split(path).length - 1 : 0
const turn = () => new Promise((resolve) => setImmediate(resolve))
const outcome = (promise) =>
  promise.then(
    (value) => ({
      value: typeof value === 'object' && value !== null ? (value.bytesRead ?? value.bytesWritten ?? 'done') : value,
    }),
    (error) => ({ error: error.code ?? error.name }),
  )
/** The first byte, if there is one; some ways of taking a buffer away leave views of length 0. */
const first = (buffer) => new Uint8Array(buffer)[0] ?? null

function fifo() {
  const name = join(folder, 'fifo')
  execFileSync('mkfifo', [name])
  // Both ends at once, so that neither opening waits.
  const writer = openSync(name, constants.O_RDWR)
  return { reader: openSync(name, constants.O_RDONLY), writer }
}

/** After the memory came back to the allocator and was used again, it must not be what a view still reaches. */
async function churn() {
  for (let i = 0; i < 5; i++) {
    Buffer.alloc(4 * MiB, 0x77)
    globalThis.gc?.()
    await turn()
  }
}

/** Also true of a view that was emptied, on which `every` would throw. */
function zeros(view) {
  for (let i = 0; i < view.length; i++) if (view[i] !== 0) return false
  return true
}

/** A function of its own: nothing of it is reachable when it returns. */
async function marked(access) {
  const m = MappedFile.openSync(path, { access })
  const { bytes } = m
  markAsUntransferable(bytes.buffer)
  const part = m.subarray(MiB + 5, MiB + 15)
  markAsUntransferable(part.buffer)
  m.close()
  m.close()
  await churn()
  // Empty, or zeros: never the file, never somebody else's memory.
  const clean = zeros(bytes) && zeros(part)
  for (let i = 0; i < bytes.length; i += 4096) bytes[i] = 0xee
  return { clean, length: bytes.length, original: original(), maps: mapsLeft() }
}

const cases = {
  async transfer(access) {
    const m = MappedFile.openSync(path, { access })
    if (typeof ArrayBuffer.prototype.transfer !== 'function')
      return { skip: 'this engine has no ArrayBuffer.prototype.transfer' }
    const buffers = [m.bytes.buffer, m.subarray(100_000, 100_010).buffer]
    const moved = buffers.map((buffer) => (buffer.byteLength > 0 ? buffer.transfer() : undefined)).filter(Boolean)
    const before = moved.map((buffer) => first(buffer))
    // The mapping goes on working over memory of its own, by every way.
    const works = m.getUint8(5) === content[5] && m.bytes[5] === content[5] && m.subarray(9, 10)[0] === content[9]
    m.close()
    await churn()
    const after = moved.map((buffer) => first(buffer))
    for (const buffer of moved) new Uint8Array(buffer).fill(0xee)
    return { before: before[0] === content[0], works, after, original: original(), maps: mapsLeft() }
  },

  async resizedTransfer(access) {
    const m = MappedFile.openSync(path, { access })
    if (typeof ArrayBuffer.prototype.transfer !== 'function')
      return { skip: 'this engine has no ArrayBuffer.prototype.transfer' }
    const smaller = m.bytes.buffer.transfer(4096)
    const larger = m.bytes.buffer.transfer(4 * MiB)
    m.close()
    new Uint8Array(smaller).fill(0xee)
    new Uint8Array(larger).fill(0xee)
    await churn()
    return { original: original(), maps: mapsLeft() }
  },

  async structuredClone(access) {
    const m = MappedFile.openSync(path, { access })
    const { buffer } = m.bytes
    const copy = structuredClone(m.subarray(0, 100))
    let moved
    let refused
    try {
      moved = structuredClone(buffer, { transfer: [buffer] })
    } catch (error) {
      refused = error.name
    }
    m.close()
    await churn()
    const kept = copy[0] === content[0]
    if (moved) new Uint8Array(moved).fill(0xee)
    return { refused: refused ?? null, kept, original: original(), maps: mapsLeft() }
  },

  async postMessage(access) {
    const m = MappedFile.openSync(path, { access })
    const { port1, port2 } = new MessageChannel()
    let refused = null
    try {
      port1.postMessage(m.bytes, [m.bytes.buffer])
    } catch (error) {
      refused = error.name
    }
    m.close()
    await churn()
    port1.close()
    port2.close()
    return { refused, length: m.closed, original: original(), maps: mapsLeft() }
  },

  async marked(access) {
    const result = await marked(access)
    // Node 24 and 26 abort at exit over any marked external buffer that is still there (see `markedAtExit`): this one goes first.
    await churn()
    return result
  },

  async markedAtExit(access) {
    const m = MappedFile.openSync(path, { access })
    globalThis.kept = m.bytes
    markAsUntransferable(m.bytes.buffer)
    m.close()
    return { original: original() }
  },

  async replacedTransfer(access) {
    const m = MappedFile.openSync(path, { access })
    const { bytes } = m
    // oxlint-disable-next-line no-extend-native -- what a hostile user does
    ArrayBuffer.prototype.transfer = () => {
      throw new Error('mine')
    }
    Reflect.apply = () => {
      throw new Error('mine')
    }
    m.close()
    return { length: bytes.length, original: original(), maps: mapsLeft() }
  },

  async frozen(access) {
    const m = MappedFile.openSync(path, { access })
    const { bytes } = m
    const { buffer } = bytes
    Object.setPrototypeOf(buffer, null)
    Object.freeze(buffer)
    m.close()
    return {
      length: Reflect.get(Object.getPrototypeOf(Uint8Array.prototype), 'length', bytes),
      original: original(),
      maps: mapsLeft(),
    }
  },

  async fsReadWaiting(access) {
    // The thread of the pool already waits in read(2), with an address inside of the mapping.
    const { reader, writer } = fifo()
    const m = MappedFile.openSync(path, { access })
    const pending = outcome(promisify(read)(reader, m.bytes, 0, MiB, null))
    await new Promise((resolve) => setTimeout(resolve, 50))
    m.close()
    writeSync(writer, Buffer.alloc(65_536 / 16, 0xee))
    const result = await pending
    return { result, original: original(), maps: mapsLeft() }
  },

  async fsRead(access) {
    const source = join(folder, 'source.bin')
    writeFileSync(source, Buffer.alloc(content.length, 0xee))
    const fd = openSync(source)
    const results = []
    for (let round = 0; round < 12; round++) {
      writeFileSync(path, content)
      const m = MappedFile.openSync(path, { access })
      const pending = outcome(promisify(read)(fd, m.bytes, 0, content.length, 0))
      await spin(round)
      m.close()
      const before = hash()
      results.push(await pending)
      // What was read before close() is in a writable file; nothing after it.
      if (hash() !== before) return { result: 'changed after close', round }
    }
    closeSync(fd)
    return { result: results.every(({ value, error }) => value >= 0 || error === 'EFAULT'), maps: mapsLeft() }
  },

  async fsWriteWaiting(access) {
    // More than the pipe holds: the thread waits in the middle of write(2).
    const { reader, writer } = fifo()
    const m = MappedFile.openSync(path, { access })
    const pending = outcome(promisify(write)(writer, m.bytes, 0, MiB, null))
    await new Promise((resolve) => setTimeout(resolve, 50))
    m.close()
    const got = []
    const chunk = Buffer.alloc(65_536)
    const drain = (async () => {
      for (;;) {
        const length = await promisify(read)(reader, chunk, 0, chunk.length, null)
        if (length.bytesRead === 0) return Buffer.concat(got)
        got.push(Buffer.from(chunk.subarray(0, length.bytesRead)))
      }
    })()
    const result = await pending
    // The only one that writes: what is still in the pipe comes first, then its end.
    closeSync(writer)
    const all = await drain
    return {
      result,
      wrote: all.length,
      stray: all.compare(content.subarray(0, all.length)) !== 0,
      original: original(),
    }
  },

  async fsWrite(access) {
    const target = join(folder, 'target.bin')
    const fd = openSync(target, 'w+')
    let stray = 0
    const back = Buffer.alloc(content.length)
    for (let round = 0; round < 12; round++) {
      const m = MappedFile.openSync(path, { access })
      const pending = outcome(promisify(write)(fd, m.bytes, 0, content.length, 0))
      await spin(round)
      m.close()
      const { value = 0 } = await pending
      readSync(fd, back, 0, value, 0)
      if (back.compare(content, 0, value, 0, value) !== 0) stray++
    }
    closeSync(fd)
    return { stray, original: original(), maps: mapsLeft() }
  },

  async zlib(access) {
    const results = []
    // All in one piece: for a second one Node itself looks at the buffer again, and aborts (20) or throws (22 on) for any that was detached.
    const options = { chunkSize: 2 * content.length }
    for (let round = 0; round < 12; round++) {
      const m = MappedFile.openSync(path, { access })
      const parts = [promisify(deflate)(m.bytes, options), promisify(brotliCompress)(m.subarray(0, 65_536), options)]
      const pending = parts.map(outcome)
      await spin(round)
      m.close()
      results.push(...(await Promise.all(pending)))
    }
    return {
      result: results.every(({ value, error }) => value === 'done' || typeof error === 'string'),
      original: original(),
      maps: mapsLeft(),
    }
  },

  async crypto(access) {
    for (let round = 0; round < 12; round++) {
      writeFileSync(path, content)
      const m = MappedFile.openSync(path, { access })
      const pending = outcome(promisify(randomFill)(m.bytes))
      const digest = globalThis.crypto
        ? outcome(globalThis.crypto.subtle.digest('SHA-256', m.subarray(0, MiB)))
        : undefined
      await spin(round)
      m.close()
      const before = hash()
      await pending
      await digest
      if (hash() !== before) return { result: 'changed after close', round }
    }
    return { result: true, maps: mapsLeft() }
  },

  async flush() {
    const codes = new Set()
    for (let round = 0; round < 12; round++) {
      const m = MappedFile.openSync(path, { access: 'write' })
      m.setUint8(round, content[round])
      const pending = [m.flush(), m.flush({ wait: false }), m.flush({ offset: MiB })].map(outcome)
      await spin(round)
      m.close()
      for (const { value, error } of await Promise.all(pending)) codes.add(error ?? value ?? 'flushed')
    }
    return { codes: [...codes].toSorted(), original: original(), maps: mapsLeft() }
  },

  async exit(access) {
    // The process ends with everything open and under way.
    const m = MappedFile.openSync(path, { access })
    const { bytes } = m
    promisify(randomFill)(MappedFile.openSync(path, { access: 'copy' }).bytes)
    promisify(deflate)(bytes, { chunkSize: 2 * content.length })
    process.on('exit', () => console.log(JSON.stringify({ first: bytes[0] === content[0] })))
    process.exit(0)
  },

  async collected(access) {
    // Nobody closes; the views' work goes on while everything is unreachable.
    for (let round = 0; round < 8; round++) {
      const work = promisify(deflate)(MappedFile.openSync(path, { access }).subarray(0, MiB), { chunkSize: 2 * MiB })
      globalThis.gc?.()
      await turn()
      globalThis.gc?.()
      await work
    }
    return { original: original() }
  },
}

/** Closes come at different moments of the work. */
async function spin(round) {
  if (round % 3 === 0) return
  const end = process.hrtime.bigint() + BigInt(round * 100_000)
  if (round % 3 === 1) while (process.hrtime.bigint() < end);
  else await new Promise((resolve) => setTimeout(resolve, round / 5))
}

if (isMainThread) {
  const [name, access] = process.argv.slice(2)
  writeFileSync(path, content)
  process.on('exit', () => remove(folder))
  if (access !== 'worker') {
    console.log(JSON.stringify(await cases[name](access)))
  } else {
    const worker = new Worker(new URL(import.meta.url), { workerData: { folder, name } })
    worker.on('message', (result) => console.log(JSON.stringify(result)))
    worker.on('error', (error) => {
      throw error
    })
  }
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a port of a worker has no origin
} else parentPort.postMessage(await cases[workerData.name]('write'))
