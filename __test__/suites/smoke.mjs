// The main promises on any engine (Node, Bun, Deno): prints TAP. What is deeper is tested by ava, on Node.
import assert from 'node:assert/strict'
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { open as openHandle } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { AnonymousMemory, MappedFile, Mapping } from '../../index.js'
import * as posix from '../../lib/posix.js'
import { deniedPages, tests } from '../tap.mjs'

const folder = mkdtempSync(join(tmpdir(), 'memmap-smoke-'))
let files = 0

/** A new file with these bytes. */
function file(content) {
  const path = join(folder, `${files++}.bin`)
  writeFileSync(path, content)
  return path
}

/** Runs `work` on a mapping and closes it whatever happens. */
function using(mapping, work) {
  try {
    return work(mapping)
  } finally {
    mapping.close()
  }
}

/** Typed arrays have the order of the processor. */
const littleEndian = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1
const counting = (length) => Uint8Array.from({ length }, (_, i) => i & 0xff)
const code = (expected) => (error) => {
  assert.equal(error.code, expected, error.message)
  return true
}

await tests(
  {
    'require and import give the same classes'() {
      const required = createRequire(import.meta.url)('../../index.js')
      assert.equal(required.MappedFile, MappedFile)
      assert.equal(required.Mapping, Mapping)
    },

    'a file is read through every kind of target'() {
      const content = counting(5000)
      const path = file(content)
      const fd = openSync(path)
      for (const target of [path, Buffer.from(path), pathToFileURL(path), fd]) {
        using(MappedFile.openSync(target), (m) => assert.deepEqual(Buffer.from(m.bytes), Buffer.from(content)))
      }
      // The descriptor is still the caller's.
      closeSync(fd)
    },

    async 'open is openSync as a Promise, for a FileHandle too'() {
      const content = counting(3 * 4096 + 1)
      const handle = await openHandle(file(content))
      const mapping = await MappedFile.open(handle)
      assert.equal(mapping.byteLength, content.length)
      assert.equal(mapping.getUint8(4096), 0)
      assert.equal(mapping.getUint8(4097), 1)
      mapping.close()
      await handle.close()
    },

    'an offset may be any byte'() {
      const path = file(counting(10_000))
      using(MappedFile.openSync(path, { offset: 4099, length: 10n }), (m) => {
        assert.equal(m.byteLength, 10)
        assert.deepEqual([...m.subarray(0, 3)], [3, 4, 5])
        assert.deepEqual([...m.read(8, 2)], [11, 12])
      })
    },

    'an empty file is an empty mapping'() {
      using(MappedFile.openSync(file('')), (m) => {
        assert.equal(m.byteLength, 0)
        assert.equal(m.bytes.length, 0)
      })
    },

    'typed views stand on the file'() {
      const content = new Float64Array([1.5, -2, 1e300])
      const path = file(new Uint8Array(content.buffer))
      using(MappedFile.openSync(path), (m) => {
        assert.deepEqual([...m.view(Float64Array)], [...content])
        assert.equal(m.view(BigUint64Array, 8, 1).length, 1)
        assert.equal(m.dataView(16).getFloat64(0, littleEndian), 1e300)
        assert.throws(() => m.view(Int32Array, 1), RangeError)
      })
    },

    'accessors are those of DataView'() {
      using(AnonymousMemory.create(64), (m) => {
        m.setUint32(1, 0xdeadbeef)
        assert.equal(m.getUint32(1), 0xdeadbeef)
        assert.equal(m.getUint32(1, true), 0xefbeadde)
        m.setBigInt64(9, -5n, true)
        assert.equal(m.getBigInt64(9, true), -5n)
        m.setFloat32(33, 0.5)
        assert.equal(m.getFloat32(33), 0.5)
        assert.throws(() => m.getUint32(61), code('ERR_OUT_OF_RANGE'))
      })
    },

    'a write mapping changes the file, created at its length'() {
      const path = join(folder, 'made.bin')
      using(MappedFile.openSync(path, { access: 'write', create: true, length: 8192 }), (m) => {
        assert.equal(statSync(path).size, 8192)
        m.view(Int32Array)[7] = 42
        m.write('hello', 5000)
        m.fill(0xaa, 100, 104)
        m.copyWithin(200, 5000, 5005)
        m.flushSync()
        const seen = readFileSync(path)
        assert.equal(littleEndian ? seen.readInt32LE(28) : seen.readInt32BE(28), 42)
        assert.equal(seen.toString('latin1', 5000, 5005), 'hello')
        assert.equal(seen.toString('latin1', 200, 205), 'hello')
        assert.deepEqual([...seen.subarray(99, 105)], [0, 0xaa, 0xaa, 0xaa, 0xaa, 0])
      })
    },

    async 'flush resolves'() {
      const mapping = await MappedFile.open(file(counting(4096)), { access: 'write' })
      mapping.setUint8(0, 9)
      assert.equal(await mapping.flush({ offset: 0, length: 1 }), undefined)
      mapping.close()
    },

    'a copy mapping never changes the file'() {
      const path = file('original')
      using(MappedFile.openSync(path, { access: 'copy' }), (m) => {
        m.write('CHANGED!', 0)
        m.bytes[0] = 0x58
        assert.equal(m.read(0, 8).toString(), 'XHANGED!')
        assert.equal(readFileSync(path, 'utf8'), 'original')
      })
    },

    'a read mapping refuses checked writes, and a store through a view never reaches the file'() {
      if (deniedPages) return deniedPages
      const path = file('original')
      using(MappedFile.openSync(path), (m) => {
        assert.throws(() => m.write('x', 0), code('EACCES'))
        m.bytes[0] = 0x58
        assert.equal(readFileSync(path, 'utf8'), 'original')
      })
    },

    'what others write is seen'() {
      const path = file('before..')
      using(MappedFile.openSync(path), (reader) => {
        using(MappedFile.openSync(path, { access: 'write' }), (writer) => writer.write('after', 0))
        assert.equal(reader.bytes.toString(), 'aftere..')
      })
    },

    'compare and readInto'() {
      using(MappedFile.openSync(file('abcdef')), (m) => {
        assert.equal(m.compare(Buffer.from('abcdef')), 0)
        assert.equal(m.compare(Buffer.from('abd')), -1)
        const target = new Uint8Array(3)
        m.readInto(target, 2)
        assert.equal(Buffer.from(target).toString(), 'cde')
      })
    },

    'close empties every view, twice is once, and later calls say so'() {
      const mapping = MappedFile.openSync(file(counting(4096)))
      const views = [mapping.bytes, mapping.subarray(1, 9), mapping.view(Int32Array)]
      mapping.close()
      mapping.close()
      assert.equal(mapping.closed, true)
      assert.deepEqual(
        views.map((view) => view.length),
        [0, 0, 0],
      )
      assert.throws(() => mapping.getUint8(0), code('ERR_INVALID_STATE'))
      assert.throws(() => mapping.bytes, code('ERR_INVALID_STATE'))
    },

    'a view keeps its memory when its mapping is forgotten'() {
      const views = Array.from({ length: 20 }, () =>
        MappedFile.openSync(file(counting(70_000))).subarray(65_000, 65_010),
      )
      globalThis.gc?.()
      for (const view of views) assert.equal(view[0], 65_000 & 0xff)
    },

    async 'errors are those of node:fs'() {
      const missing = join(folder, 'missing')
      const expected = (error) => {
        assert.equal(error.code, 'ENOENT')
        assert.equal(error.path, missing)
        assert.ok(error.errno < 0)
        assert.equal(typeof error.syscall, 'string')
        assert.match(error.message, /^ENOENT: no such file or directory, \w+ '/)
        return true
      }
      assert.throws(() => MappedFile.openSync(missing), expected)
      await assert.rejects(MappedFile.open(missing), expected)
      assert.throws(() => MappedFile.openSync(folder), code('EISDIR'))
      assert.throws(() => MappedFile.openSync(missing, { acess: 'write' }), TypeError)
      assert.throws(() => MappedFile.openSync(file('short'), { length: 6 }), RangeError)
    },

    'a terabyte of nothing is usable'() {
      if (['wine', 'qemu'].includes(process.env.MEMMAP_EMULATOR)) return 'an emulator has no room for such a view'
      const path = file('')
      const length = 2 ** 40
      // Some file systems (and 32-bit address spaces) cannot hold such a file: the smoke of the rest does not depend on it.
      try {
        truncateSync(path, length)
      } catch (error) {
        return `no sparse terabyte here: ${error.code}`
      }
      return using(MappedFile.openSync(path, { access: 'write' }), (m) => {
        m.setUint32(length - 4, 7)
        assert.equal(m.getUint32(length - 4), 7)
        assert.deepEqual([...m.subarray(length - 4)], [0, 0, 0, 7])
        assert.equal(m.byteLength, length)
      })
    },

    'posix constants are numbers of this platform'() {
      if (process.platform === 'win32') return 'Windows has none of them'
      assert.equal(typeof posix.PROT_READ, 'number')
      assert.equal(posix.Prot.PROT_READ, posix.PROT_READ)
      assert.equal(posix.MapFlags.MAP_SHARED, posix.MAP_SHARED)
    },
  },
  () => {
    // Windows keeps what is still mapped; the system's own cleaning finds it.
    try {
      rmSync(folder, { recursive: true, force: true, maxRetries: 3 })
    } catch (error) {
      if (process.platform !== 'win32') throw error
    }
  },
)
