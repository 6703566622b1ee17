import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { createReadStream, createWriteStream, readFileSync, truncateSync } from 'node:fs'
import { join } from 'node:path'
import { Readable, Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { promisify } from 'node:util'
import test from 'ava'

import { AnonymousMemory, MappedFile, Mapping } from '../index'
import { missingPages, onWindows, unless } from './helpers'
import { collect, PACKAGE, Scratch } from './scratch'

const guarded = unless(onWindows ? 'Windows cuts no mapped file' : missingPages)

const scratch = new Scratch('sequential')
test.after.always(() => scratch.remove())

const sha = (data: Uint8Array): string => createHash('sha256').update(data).digest('hex')
const noise = (length: number): Buffer => {
  const bytes = Buffer.allocUnsafe(length)
  for (let i = 0, x = 1; i < length; i++) bytes[i] = x = (Math.imul(x, 1_103_515_245) + 12_345) >>> 8
  return bytes
}

test('a cursor reads like a file: short at the end, lines with their newline', (t) => {
  const file = scratch.map('one\ntwo\nthree')
  const cursor = file.cursor()
  t.is(cursor.tell(), 0)
  t.is(cursor.readLine().toString(), 'one\n')
  t.is(cursor.readByte(), 't'.charCodeAt(0))
  t.is(cursor.read(2).toString(), 'wo')
  t.is(cursor.readLine().toString(), '\n')
  t.is(cursor.readLine().toString(), 'three')
  t.is(cursor.readLine().length, 0)
  t.is(cursor.read().length, 0)
  t.is(cursor.read(5).length, 0)
  t.throws(() => cursor.readByte(), { code: 'ERR_OUT_OF_RANGE' })
  t.is(cursor.tell(), 13)
  t.is(cursor.seek(-5, 'end'), 8)
  t.is(cursor.read(100).toString(), 'three')
  t.is(cursor.seek(4), 4)
  t.is(cursor.seek(1, 'cur'), 5)
  t.is(cursor.read(2).toString(), 'wo')
  t.throws(() => cursor.seek(14), { code: 'ERR_OUT_OF_RANGE' })
  t.throws(() => cursor.seek(-1), { code: 'ERR_OUT_OF_RANGE' })
  for (const whence of ['middle', 'toString', '__proto__', null]) {
    t.throws(() => cursor.seek(0, whence as never), { code: 'ERR_INVALID_ARG_VALUE' })
  }
  t.is(cursor.tell(), 7)
  t.throws(() => cursor.write('x'), { code: 'EACCES' })
  t.is(file.cursor().tell(), 0)
  t.is(cursor.size(), 13)
  file.close()
  for (const use of [
    () => cursor.tell(),
    () => cursor.read(),
    () => cursor.readLine(),
    () => cursor.seek(0),
    () => file.cursor(),
  ])
    t.throws(use, { code: 'ERR_INVALID_STATE' })
})

test('a cursor writes, whole or not at all', (t) => {
  const memory = AnonymousMemory.create(8)
  const cursor = memory.cursor()
  t.is(cursor.write('héy'), 4)
  cursor.writeByte(33)
  t.is(cursor.write(Uint8Array.of(1, 2)), 2)
  t.throws(() => cursor.write('ab'), { code: 'ERR_OUT_OF_RANGE' })
  t.throws(() => cursor.writeByte(256), { code: 'ERR_OUT_OF_RANGE' })
  t.is(cursor.tell(), 7)
  t.deepEqual([...memory.read(0, 8)], [...Buffer.from('héy!'), 1, 2, 0])
  memory.close()
})

test('chunks are views of the range, in order, and of any size', async (t) => {
  const bytes = noise(10 << 20)
  const file = scratch.map(bytes, { access: 'write' })
  for (const size of [undefined, 1 << 20, 999_999, 20 << 20]) {
    const chunks = await collect(file.chunks({ size }))
    t.is(sha(Buffer.concat(chunks)), sha(bytes))
    t.true(chunks.every((chunk, i) => i === chunks.length - 1 || chunk.length === (size ?? 1 << 20)))
  }
  const [chunk] = await collect(file.chunks({ offset: 4097, length: 100 }))
  chunk!.write('seen', 0)
  t.is(file.read(4097, 4).toString(), 'seen')
  t.deepEqual(await collect(file.chunks({ offset: 5, length: 0 })), [])
  t.throws(() => file.chunks({ size: 0 }), { code: 'ERR_OUT_OF_RANGE' })
  const controller = new AbortController()
  const chunks = file.chunks({ signal: controller.signal })
  await chunks.next()
  controller.abort()
  await t.throwsAsync(chunks.next(), { name: 'AbortError' })
  const rest = file.chunks()
  await rest.next()
  file.close()
  await t.throwsAsync(rest.next(), { code: 'ERR_INVALID_STATE' })
})

test('a read stream gives copies of the range, piped or as a Web stream, however large its pieces', async (t) => {
  const bytes = noise(5_000_001)
  const file = scratch.map(bytes)
  for (const highWaterMark of [undefined, 1000, 1 << 20]) {
    const pieces = await collect(file.createReadStream({ highWaterMark }) as AsyncIterable<Buffer>)
    t.is(sha(Buffer.concat(pieces)), sha(bytes))
    // A stream whose reader was slow joins what has come meanwhile.
    t.is(pieces[0]!.length % (highWaterMark ?? 65536), 0)
  }
  const copy = join(scratch.folder, 'copy.bin')
  await pipeline(file.createReadStream({ offset: 7, length: 4_000_000 }), createWriteStream(copy))
  t.is(sha(readFileSync(copy)), sha(bytes.subarray(7, 4_000_007)))
  const web = Readable.toWeb(file.createReadStream()) as AsyncIterable<Uint8Array>
  t.is(sha(Buffer.concat(await collect(web))), sha(bytes))
  t.deepEqual(await collect(file.createReadStream({ length: 0 })), [])
  const stream = file.createReadStream()
  const [first] = (await stream.take(1).toArray()) as Buffer[]
  file.close()
  t.true(first!.length >= 65536)
  t.deepEqual(first, bytes.subarray(0, first!.length))
})

// Serial: the function is everybody's while it refuses.
test.serial('reading goes on where a sandbox refuses mincore', async (t) => {
  const { NativeMapping } = require('../binding') as { NativeMapping: { prototype: { residency: unknown } } }
  const bytes = noise(100_000)
  const file = scratch.map(bytes)
  const { residency } = NativeMapping.prototype
  NativeMapping.prototype.residency = () => {
    throw Object.assign(new Error('EPERM: operation not permitted, mincore'), { code: 'EPERM', syscall: 'mincore' })
  }
  try {
    t.throws(() => file.residency(), { code: 'EPERM' })
    t.is(sha(Buffer.concat(await collect(file.createReadStream() as AsyncIterable<Buffer>))), sha(bytes))
  } finally {
    NativeMapping.prototype.residency = residency
  }
})

test('a read stream ends with an error when it is aborted or the mapping is closed', async (t) => {
  const file = scratch.map(noise(1 << 20))
  const controller = new AbortController()
  const aborted = collect(file.createReadStream({ signal: controller.signal }))
  controller.abort()
  await t.throwsAsync(aborted, { name: 'AbortError' })
  const closed = file.createReadStream({ highWaterMark: 1000 })
  const reading = (async () => {
    for await (const _ of closed) file.close()
  })()
  await t.throwsAsync(reading, { code: 'ERR_INVALID_STATE' })
})

test('a write stream fills its range and refuses what does not fit', async (t) => {
  const bytes = noise(3_000_000)
  const source = scratch.file(bytes)
  const memory = AnonymousMemory.create(3_000_010)
  await pipeline(createReadStream(source), memory.createWriteStream({ offset: 5 }))
  t.is(sha(memory.read(5, bytes.length)), sha(bytes))
  t.deepEqual([...memory.read(3_000_005, 5)], [0, 0, 0, 0, 0])
  const narrow = memory.createWriteStream({ length: 4 })
  await t.throwsAsync(pipeline(Readable.from([Buffer.from('abcd'), Buffer.from('e')]), narrow), {
    code: 'ERR_OUT_OF_RANGE',
  })
  t.is(memory.read(0, 4).toString(), 'abcd')
  const upper = new Transform({ transform: (chunk: Buffer, _, done) => done(null, chunk.toString().toUpperCase()) })
  await pipeline(Readable.from(['text ', 'in ', 'pieces']), upper, memory.createWriteStream())
  t.is(memory.read(0, 14).toString(), 'TEXT IN PIECES')
  memory.close()
  const file = MappedFile.openSync(source)
  t.throws(() => file.createWriteStream(), { code: 'EACCES' })
  file.close()
})

guarded('what finds the file shorter says so as all readers do', (t) => {
  const file = scratch.map('line\n'.repeat(10_000))
  const cursor = file.cursor()
  truncateSync(file.path as string, 4096)
  for (const read of [
    () => file.lastLines(3),
    () => file.lastLines(9999),
    () => (cursor.seek(9000), cursor.readLine()),
  ]) {
    const error = t.throws<NodeJS.ErrnoException & { fault: unknown }>(read)
    t.is(error.code, 'ERR_MAPPING_FAULT')
    t.like(error.fault, { kind: 'truncated' })
    t.true(error.message.includes(file.path as string))
  }
})

test('a page that is protected ahead of an iteration is not loaded from', async (t) => {
  const told: unknown[] = []
  const m = AnonymousMemory.create(16 << 20)
  const hear = (message: unknown): void => {
    if ((message as { mapping: Mapping }).mapping === m) told.push(message)
  }
  subscribe('memmap:fault', hear)
  m.protect('none', { offset: 6 << 20, length: Mapping.pageSize })
  let seen = 0
  const iterate = async (): Promise<void> => {
    for await (const chunk of m.chunks({ size: 64 << 10 })) seen += chunk.length
  }
  await t.throwsAsync(iterate, { code: 'EACCES' })
  t.is(seen, 6 << 20)
  await t.throwsAsync(m.countAsync('x'), { code: 'EACCES' })
  t.is(m.fault, null)
  t.throws(() => m.getUint8(6 << 20), { code: 'EACCES' })
  m.close()
  unsubscribe('memmap:fault', hear)
  t.deepEqual(told, [])
})

test('what a listener of a read stream throws is uncaught, and no error of the stream', async (t) => {
  const path = scratch.file(noise(1000))
  const program = `
    const { MappedFile } = require(${JSON.stringify(PACKAGE)})
    const stream = MappedFile.openSync(${JSON.stringify(path)}).createReadStream()
    process.once('uncaughtException', (error) => console.log('uncaught', error.message))
    stream.on('error', (error) => console.log('error', error.message))
    stream.on('data', () => { throw new Error('bug') })`
  const { stdout } = await promisify(execFile)(process.execPath, ['-e', program])
  t.is(stdout, 'uncaught bug\n')
})
