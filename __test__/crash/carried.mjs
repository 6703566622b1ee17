// Views where the engine itself has the memory (MEMMAP_CARRIER, or a test build that refuses external buffers). `carried.mjs <what>`
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import {
  closeSync,
  ftruncateSync,
  openSync,
  readFileSync,
  readSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { endianness } from 'node:os'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { markAsUntransferable, Worker } from 'node:worker_threads'
import { AnonymousMemory, MappedFile, Mapping, SharedMemory } from '../../index.js'
import { PAGE, codeOf, deno, done, file, gc, maps, node, pages, skip, sleep, until, warnings } from './kit.mjs'

const forced = process.env.MEMMAP_CARRIER
const expected = forced ?? 'wasm'
const content = pages(20)

/** Memory of each class that can be written, closed by the caller. */
const classes = {
  MappedFile: (options) => MappedFile.openSync(file(content), { access: 'write', ...options }),
  AnonymousMemory: (options) => AnonymousMemory.create(20 * PAGE, options),
  SharedMemory(options) {
    const name = `/memmap-carried-${process.pid}`
    const memory = SharedMemory.createSync(name, 20 * PAGE, options)
    SharedMemory.unlink(name)
    return memory
  },
}

function writeAt(path, bytes, position) {
  const fd = openSync(path, 'r+')
  writeSync(fd, bytes, 0, bytes.length, position)
  closeSync(fd)
}

/** A view after close: nothing, or zeros where it cannot be emptied. */
function isOver(view, what) {
  if (expected !== 'shared') assert.equal(view.length, 0, what)
  else
    assert.ok(
      view.every((byte) => byte === 0),
      `${what} reads zeros`,
    )
}

function views() {
  let count = 0
  for (const access of ['read', 'write', 'copy']) {
    for (const offset of [0, 5, PAGE + 7]) {
      const path = file(content)
      const mapping = MappedFile.openSync(path, { access, offset })
      const { bytes } = mapping
      assert.equal(mapping.carrier, expected)
      assert.equal(Buffer.compare(bytes, content.subarray(offset)), 0)
      assert.equal(bytes.buffer, mapping.subarray(7, 9).buffer, 'one carrier has all views')
      writeAt(path, Buffer.from('news'), offset + 3 * PAGE)
      assert.equal(mapping.subarray(3 * PAGE, 3 * PAGE + 4).toString(), 'news', 'what others write is seen')
      assert.equal(mapping.read(3 * PAGE, 4).toString(), 'news')
      bytes[9] = 200
      mapping.dataView(16).setUint8(0, 201)
      const onDisk = readFileSync(path)
      const reached = access === 'write'
      assert.equal(onDisk[offset + 9] === 200 && onDisk[offset + 16] === 201, reached, access)
      if (access !== 'read') assert.equal(mapping.getUint8(9), 200, 'checked reads see what views store')
      if (reached) {
        mapping.write('checked', 5 * PAGE)
        assert.equal(
          mapping.subarray(5 * PAGE, 5 * PAGE + 7).toString(),
          'checked',
          'views see what checked writes store',
        )
      }
      const before = readFileSync(path)
      mapping.close()
      assert.equal(maps(path).length, 0, 'close unmaps the file at once')
      isOver(bytes, access)
      if (bytes.length > 0) bytes.fill(1)
      assert.equal(Buffer.compare(readFileSync(path), before), 0)
      count++
    }
  }
  for (const [name, make] of Object.entries(classes)) {
    const mapping = make()
    const view = mapping.view(Int32Array)
    view[7] = 42
    assert.equal(mapping.getInt32(28, endianness() === 'LE'), 42, name)
    mapping.close()
    isOver(view, name)
    count++
  }
  done(`${count} mappings seen through their ${expected}`)
}

/** What a user can do to the buffer that the engine's memory has. */
async function hostile() {
  const tricks = {
    transfer: (buffer) => buffer.transfer(),
    'transfer, however': (buffer) => ArrayBuffer.prototype.transfer.call(buffer),
    'structuredClone with transfer': (buffer) => structuredClone(buffer, { transfer: [buffer] }),
    resize: (buffer) => buffer.resize(0),
    markAsUntransferable: (buffer) => markAsUntransferable(buffer),
    grow: (buffer) => buffer.grow(1 << 20),
  }
  let refused = 0
  for (const [name, trick] of Object.entries(tricks)) {
    for (let round = 0; round < 5; round++) {
      const path = file(content)
      const mapping = MappedFile.openSync(path, { access: 'write' })
      const { bytes } = mapping
      try {
        trick(bytes.buffer)
      } catch {
        refused++
      }
      assert.equal(mapping.getUint8(5 * PAGE), content[5 * PAGE], name)
      assert.equal(mapping.bytes[7], content[7], `${name}: there is a view again`)
      gc()
      await sleep(1)
      mapping.close()
      if (bytes.length > 0) assert.ok(bytes.every((byte) => byte === 0) || bytes.buffer.byteLength === 0, name)
      assert.equal(Buffer.compare(readFileSync(path), content), 0, `${name}: the file was touched`)
    }
  }
  // The resizable one obeys its own prototype, which stores zeros: documented. What is left must be sound.
  const mapping = MappedFile.openSync(file(content), { access: 'write' })
  const { buffer } = mapping.bytes
  codeOf(() => ArrayBuffer.prototype.resize?.call(buffer, 0))
  mapping.close()
  done(`${Object.keys(tricks).length * 5} buffers, ${refused} tricks refused`)
}

/** Who takes a carrier's buffer away has memory then, and nothing of the file after close: in his thread, in another, or nowhere. */
async function taken() {
  const take = (buffer) => {
    try {
      const heir = structuredClone(buffer, { transfer: [buffer] })
      // Node 20 copies what cannot be transferred.
      return buffer.byteLength === 0 ? heir : undefined
    } catch {
      return undefined
    }
  }
  /** Nothing of it is reachable when it returns. */
  const drop = (mapping) => (take(mapping.bytes.buffer) === undefined ? undefined : true)
  const url = new URL('heir-worker.mjs', import.meta.url)
  const writer = new Worker(url, { workerData: {} })
  const untouched = (path, what) => assert.equal(Buffer.compare(readFileSync(path), content), 0, what)
  const counts = { kept: 0, dropped: 0, collected: 0, sent: 0, inherited: 0, refused: 0 }
  const use = {
    kept(mapping, heir) {
      mapping.close()
      const view = new Uint8Array(heir)
      assert.ok(
        view.every((byte) => byte === 0),
        'the file is gone from it',
      )
      view.fill(0xee)
    },
    /** Its addresses are a stranger's when the mapping closes. */
    async dropped(mapping, _heir, _access, path) {
      const before = maps(path).length
      for (let tries = 0; maps(path).length === before && tries < 50; tries++) {
        gc()
        await sleep(5)
      }
      // Sometimes an engine has it in a register, for good.
      if (maps(path).length < before) counts.collected++
      const strangers = Array.from({ length: 8 }, () => AnonymousMemory.create(content.length))
      for (const stranger of strangers) stranger.fill(0xee)
      mapping.close()
      for (const stranger of strangers) {
        assert.ok(stranger.read(0, content.length).every((byte) => byte === 0xee))
        stranger.close()
      }
    },
    /** The other thread stores while this one closes, but never before: it would be the file, by right. */
    async sent(mapping, heir, access) {
      const answer = once(writer, 'message')
      if (access === 'write') mapping.close()
      writer.postMessage(heir, [heir])
      if (access !== 'write') mapping.close()
      assert.equal((await answer)[0], content.length)
    },
  }
  const rounds = process.env.MEMMAP_TEST_LONG === '1' ? 100 : 5
  for (const access of ['read', 'write', 'copy']) {
    for (const [how, after] of Object.entries(use)) {
      for (let round = 0; round < rounds; round++) {
        const path = file(content)
        const mapping = MappedFile.openSync(path, { access })
        const heir = how === 'dropped' ? drop(mapping) : take(mapping.bytes.buffer)
        if (heir instanceof ArrayBuffer) assert.equal(new Uint8Array(heir)[7], content[7])
        counts[heir === undefined ? 'refused' : how]++
        await (heir === undefined ? mapping.close() : after(mapping, heir, access, path))
        assert.equal(maps(path).length, 0, 'close unmaps the file at once')
        untouched(path, `${access}, ${how}: the file was touched`)
      }
    }
    // Deno tells no object of a thread that ends that it does: what was not closed stays mapped.
    for (let round = 0; round < rounds && !deno; round++) {
      const path = file(content)
      const owner = new Worker(url, { workerData: { path, access } })
      const [[heir]] = await Promise.all([once(owner, 'message'), once(owner, 'exit')])
      assert.equal(maps(path).length, 0, 'the end of a thread closes')
      counts[heir === 'refused' ? heir : 'inherited']++
      if (heir !== 'refused') new Uint8Array(heir).fill(0xee)
      untouched(path, `${access}, inherited: the file was touched`)
    }
  }
  await writer.terminate()
  // Where there is a buffer that can be taken, it was.
  if (expected === 'resizable') assert.ok(counts.refused === 0 && counts.collected > 0)
  done(
    Object.entries(counts)
      .map(([how, count]) => `${count} ${how}`)
      .join(', '),
  )
}

/** Faults in pages that the engine owns. */
function faults() {
  const path = file(content)
  const reader = MappedFile.openSync(path)
  const copy = MappedFile.openSync(path, { access: 'copy' })
  const seen = [reader.bytes, copy.bytes]
  truncateSync(path, 4 * PAGE)
  for (const view of seen) assert.equal(view[10 * PAGE], 0)
  for (const mapping of [reader, copy]) assert.deepEqual(mapping.fault, { kind: 'truncated', offset: 10 * PAGE })
  assert.equal(
    codeOf(() => reader.getUint8(0)),
    'ERR_MAPPING_FAULT',
  )
  writeFileSync(path, content)
  reader.clearFault()
  assert.equal(seen[0][10 * PAGE], content[10 * PAGE])
  seen[0][11 * PAGE] = 99
  assert.equal(reader.fault?.kind, 'protected')
  assert.equal(readFileSync(path)[11 * PAGE], content[11 * PAGE])
  assert.equal(seen[0][11 * PAGE], 99)
  // Cut again, and closed in that state.
  truncateSync(path, PAGE)
  assert.equal(seen[1][19 * PAGE], 0)
  for (const mapping of [reader, copy]) mapping.close()
  for (const view of seen) isOver(view, 'after a fault')
  done('truncated twice, stored to once')
}

/** More mappings than the engine has address space for wasm memories, one after the other and at once. */
async function many() {
  const path = file(content)
  for (let i = 0; i < 500; i++) {
    const mapping = MappedFile.openSync(path)
    assert.equal(mapping.bytes[PAGE], content[PAGE])
    mapping.close()
    if (i % 50 === 0) await sleep(0)
  }
  const open = Array.from({ length: 1000 }, () => MappedFile.openSync(path))
  const kinds = {}
  for (const mapping of open) {
    for (let i = 0; i < 20; i++) assert.equal(mapping.getUint8(PAGE), content[PAGE], 'accessors need no view')
    const problem = codeOf(() => assert.equal(mapping.bytes[PAGE], content[PAGE]))
    assert.ok(problem === '' || problem === 'ERR_VIEWS_UNAVAILABLE', problem)
    const kind = problem === '' ? mapping.carrier : 'without views'
    kinds[kind] = (kinds[kind] ?? 0) + 1
  }
  for (const mapping of open) mapping.close()
  const again = MappedFile.openSync(path)
  assert.equal(again.bytes[PAGE], content[PAGE], 'there is room again')
  again.close()
  gc()
  await until(
    () => maps(path).length === 0,
    () => `${maps(path).length} left mapped`,
  )
  const told = Object.entries(kinds).map(([kind, count]) => `${count} ${kind}`)
  done(`500 in turn, 1000 at once: ${told.join(', ')}`)
}

/** The same where the address space ends before them, as it does in a cage: each has another carrier then, or an error for its views. */
function exhausted() {
  if (deno) return skip('Deno ends itself where it gets no memory')
  const args = [...process.execArgv, fileURLToPath(import.meta.url), 'many']
  const limited = ['-c', 'ulimit -v 100000000; exec "$0" "$@"', process.execPath, ...args]
  done(execFileSync('sh', limited, { encoding: 'utf8' }).replace('done: ', '').trim())
}

/** Lengths that only some carriers have. */
function large() {
  const told = []
  for (const length of [2 ** 30, 2 ** 32, 2 ** 32 + PAGE, 6 * 2 ** 30, 20 * 2 ** 30]) {
    const path = file()
    const fd = openSync(path, 'r+')
    ftruncateSync(fd, length)
    writeSync(fd, Buffer.from([77]), 0, 1, length - 1)
    const mapping = MappedFile.openSync(path, { access: 'write' })
    const problem = codeOf(() => assert.equal(mapping.subarray(length - 1)[0], 77))
    const { carrier } = mapping
    assert.ok(problem === '' || problem === 'ERR_VIEWS_UNAVAILABLE', problem)
    for (let i = 0; i < 20; i++) assert.equal(mapping.getUint8(length - 1), 77, 'accessors work at any length')
    mapping.setUint8(length - 2, 78)
    mapping.close()
    const bytes = Buffer.alloc(2)
    assert.equal(readSyncAt(fd, bytes, length - 2), '78,77')
    told.push(`${(length / 2 ** 30).toFixed(0)} GiB ${carrier}`)
  }
  done(told.join(', '))
}

function readSyncAt(fd, bytes, position) {
  readSync(fd, bytes, 0, bytes.length, position)
  return [...bytes].join()
}

async function forgets() {
  if (deno) return skip('Deno runs no FinalizationRegistry before its loop ends')
  const leak = () => void MappedFile.openSync(file(content)).bytes
  for (let i = 0; i < 30; i++) leak()
  await until(
    () => {
      gc()
      return warnings.includes('MEMMAP_NOT_CLOSED')
    },
    () => `a warning: ${warnings}`,
  )
  for (let i = 0; i < 30; i++) leak()
  for (let i = 0; i < 20; i++) {
    gc()
    await sleep(5)
  }
  assert.equal(warnings.filter((code) => code === 'MEMMAP_NOT_CLOSED').length, 1, 'once')
  done('60 forgotten, one warning')
}

/** Threads that end with open mappings on memory of theirs, while others use the same files. */
async function ends() {
  const path = file(content)
  const mine = MappedFile.openSync(path, { access: 'write' })
  const url = new URL('carried-worker.mjs', import.meta.url)
  const rounds = process.env.MEMMAP_TEST_LONG === '1' ? 200 : 12
  for (let round = 0; round < rounds; round++) {
    const worker = new Worker(url, { workerData: { path, handle: mine.share(), how: round % 3 } })
    const ended = once(worker, 'exit')
    await once(worker, 'message')
    if (round % 3 === 2) await ended
    else await worker.terminate()
    gc()
    // Strangers get the addresses.
    const strangers = Array.from({ length: 4 }, () => new Uint8Array(1 << 20).fill(0xee))
    assert.ok(strangers.every((one) => one[1 << 19] === 0xee))
    assert.equal(Buffer.compare(readFileSync(path), content), 0, `round ${round}: the file was touched`)
  }
  assert.equal(mine.getUint8(PAGE), content[PAGE])
  mine.close()
  // Deno tells no object of a thread that ends that it does: what was not closed stays mapped.
  if (deno) return done(`${rounds} threads ended`)
  await until(
    () => {
      gc()
      return maps(path).length === 0
    },
    () => `${maps(path).length} left mapped`,
  )
  done(`${rounds} threads ended`)
}

/** No views at all: everything else works. */
function none() {
  assert.equal(Mapping.isSupported('views'), false)
  for (const [name, make] of Object.entries(classes)) {
    const m = make()
    assert.equal(m.carrier, 'none', name)
    for (const look of [() => m.bytes, () => m.subarray(1, 2), () => m.view(Int8Array), () => m.dataView()])
      assert.equal(codeOf(look), 'ERR_VIEWS_UNAVAILABLE', name)
    for (let i = 0; i < 40; i++) m.setUint32(i * 4, i * i, true)
    for (let i = 0; i < 40; i++) assert.equal(m.getUint32(i * 4, true), i * i)
    m.write('hello', 3000)
    m.copyWithin(4000, 3000, 3005)
    m.fill('ab', 5000, 5004)
    assert.equal(m.read(4000, 5).toString(), 'hello')
    assert.equal(m.read(5000, 4).toString(), 'abab')
    assert.equal(m.readInto(new Uint8Array(4), 5000), undefined)
    assert.equal(m.indexOf('hello'), 3000)
    assert.equal(m.count('hello'), 2)
    assert.equal(m.compare(m), 0)
    m.flushSync()
    m.close()
  }
  done('three classes without a view')
}

const what = process.argv[2]
const needs = { views, hostile, taken, faults, many, exhausted, large, forgets, ends, none }
if (needs[what] === undefined) throw new RangeError(`no such part: ${what}`)
if (node === 0 && !deno && what !== 'none') skip('this engine has no cage')
else await needs[what]()
