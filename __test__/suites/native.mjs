// The native core without the facade, on any engine: what tells first that a binary is wrong for a system. Prints TAP.
import assert from 'node:assert/strict'
import { mkdtempSync, openSync, closeSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { endianness, tmpdir } from 'node:os'
import { join } from 'node:path'

const require = createRequire(import.meta.url)
const { NativeMapping, allocationGranularity, detach, pageSize } = require('../../binding.js')

const write = 1
const create = 4
const folder = mkdtempSync(join(tmpdir(), 'memmap-native-'))
const path = join(folder, 'file name with spaces and ü')
const page = pageSize()

const describe = (mapping) => {
  const out = new Float64Array(8)
  mapping.describe(out)
  const [byteLength, delta, fileOffset, fd, ownPage, mapped, mapLength] = out
  return { byteLength, delta, fileOffset, fd, ownPage, mapped, mapLength }
}

const tests = {
  'the page is a power of two, and offsets may begin at each granule'() {
    assert.ok(page >= 4096 && (page & (page - 1)) === 0)
    assert.equal(allocationGranularity() % page, 0)
  },
  'anonymous memory is zero, writable and read back'() {
    const memory = NativeMapping.anonymous(page + 1)
    const bytes = new Uint8Array(page + 1).fill(255)
    memory.readInto(bytes, 0)
    assert.ok(bytes.every((byte) => byte === 0))
    memory.writeFrom(new Uint8Array([7]), page)
    memory.readInto(bytes, 0)
    assert.equal(bytes[page], 7)
    memory.close()
    memory.release(false)
  },
  'a view is the memory itself'() {
    const memory = NativeMapping.anonymous(64)
    const buffer = memory.exportBuffer(0, 64)
    if (buffer === undefined) return 'this engine refuses external buffers'
    new Uint32Array(buffer)[3] = 0x01020304
    const bytes = new Uint8Array(4)
    memory.readInto(bytes, 12)
    assert.deepEqual([...bytes], endianness() === 'LE' ? [4, 3, 2, 1] : [1, 2, 3, 4])
    // Node 20 has no transfer, and newer ones end the process in napi_detach_arraybuffer under conditions that transfer reports.
    if (buffer.transfer) buffer.transfer(0)
    else detach(buffer)
    assert.equal(buffer.byteLength, 0)
    memory.close()
    memory.release(false)
  },
  'a file is created with its length, written through the mapping and flushed'() {
    const mapping = NativeMapping.openSync(path, write | create, 0, page * 2, 0o600)
    assert.equal(statSync(path).size, page * 2)
    mapping.writeFrom(new TextEncoder().encode('over the border'), page - 4)
    mapping.flushSync(0, page * 2, 0)
    assert.equal(readFileSync(path).toString('latin1', page - 4, page + 11), 'over the border')
    mapping.close()
    mapping.release(false)
  },
  'an offset inside a page begins at its byte'() {
    const mapping = NativeMapping.openSync(path, 0, page - 4, 15, 0)
    const facts = describe(mapping)
    assert.equal(facts.byteLength, 15)
    assert.equal(facts.fileOffset, page - 4)
    const bytes = new Uint8Array(15)
    mapping.readInto(bytes, 0)
    assert.equal(new TextDecoder().decode(bytes), 'over the border')
    mapping.close()
    mapping.release(false)
  },
  'a missing file is ENOENT, as Node says it'() {
    assert.throws(() => NativeMapping.openSync(join(folder, 'missing'), 0, 0, -1, 0), {
      code: 'ENOENT',
      syscall: 'open',
    })
  },
  'a descriptor is duplicated and stays the caller s'() {
    const file = join(folder, 'by descriptor')
    writeFileSync(file, 'bytes')
    const fd = openSync(file, 'r')
    const mapping = NativeMapping.openSync(fd, 0, 0, -1, 0)
    closeSync(fd)
    const bytes = new Uint8Array(5)
    mapping.readInto(bytes, 0)
    assert.equal(new TextDecoder().decode(bytes), 'bytes')
    mapping.close()
    mapping.release(false)
  },
  'a closed mapping lets its file go'() {
    rmSync(folder, { recursive: true })
    assert.throws(() => statSync(folder), { code: 'ENOENT' })
  },
}

let number = 0
console.log(`TAP version 13\n1..${Object.keys(tests).length}`)
for (const [name, test] of Object.entries(tests)) {
  number++
  try {
    const skip = test()
    console.log(`ok ${number} - ${name}${skip ? ` # SKIP ${skip}` : ''}`)
  } catch (error) {
    console.log(`not ok ${number} - ${name}\n  ---\n  ${error.stack.replaceAll('\n', '\n  ')}\n  ...`)
    process.exitCode = 1
  }
}
