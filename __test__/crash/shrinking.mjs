// Mappings that become shorter while somebody is at work on them: nothing outside of them is touched, and nobody dies.
import assert from 'node:assert/strict'
import { closeSync, fsyncSync, openSync, writeFileSync } from 'node:fs'
import { AnonymousMemory, MappedFile } from '../../index.js'
import { codeOf, done, file, sleep } from './kit.mjs'

const path = file()
const { pageSize } = MappedFile

/** Memory that the kernel may put where the mapping has just ended. */
const strangers = () => Array.from({ length: 24 }, () => AnonymousMemory.create(1 << 19).fill(7))
function checkStrangers(all, what) {
  for (const one of all) {
    assert.equal(one.count(7), one.byteLength, `${what} wiped a stranger's memory`)
    one.close()
  }
}

const errors = {}
// A getter of the options that makes the mapping shorter.
const calls = {
  advise: (mapping, range) => mapping.advise('normal', range),
  discard: (mapping, range) => mapping.discard(range),
  evict: (mapping, range) => mapping.evict(range),
  flush: (mapping, range) => mapping.flushSync(range),
  lock: (mapping, range) => mapping.lock(range),
  protect: (mapping, range) => mapping.protect('none', range),
  residency: (mapping, range) => mapping.residency(range),
  unlock: (mapping, range) => mapping.unlock(range),
  count: (mapping, range) => mapping.count('x', range),
}
for (const [what, call] of Object.entries(calls)) {
  for (const name of ['offset', 'length']) {
    for (const make of [
      () => AnonymousMemory.create(1 << 20),
      () => {
        writeFileSync(path, Buffer.alloc(1 << 20))
        return MappedFile.openSync(path, { access: 'write' })
      },
    ]) {
      const mapping = make()
      let others
      const shrink = (value) => {
        mapping.resize(pageSize)
        others = strangers()
        return value
      }
      const range =
        name === 'length'
          ? {
              offset: 1 << 18,
              get length() {
                return shrink(1 << 18)
              },
            }
          : {
              length: 1 << 18,
              get offset() {
                return shrink(1 << 18)
              },
            }
      errors[`${what}, ${name}`] = codeOf(() => call(mapping, range))
      checkStrangers(others, what)
      mapping.close()
    }
  }
}

// Those that work ahead of who asks.
const length = 32 << 20
const uses = {
  chunks: async (mapping) => {
    const chunks = mapping.chunks()
    await chunks.next()
    await sleep(100)
    return async () => {
      let left = 0
      for await (const chunk of chunks) left += chunk.length
      assert.ok(left <= pageSize)
    }
  },
  'chunks, left': async (mapping) => {
    const chunks = mapping.chunks()
    await chunks.next()
    await sleep(100)
    return () => chunks.return()
  },
  lines: async (mapping) => {
    const lines = mapping.lines()[Symbol.asyncIterator]()
    await lines.next()
    await sleep(100)
    return () => lines.return()
  },
  stream: async (mapping) => {
    const stream = mapping.createReadStream()
    await new Promise((resolve) => stream.once('readable', resolve))
    stream.read(1)
    await sleep(100)
    return async () => {
      stream.destroy()
      await sleep(10)
    }
  },
  'stream to its end': async (mapping) => {
    const stream = mapping.createReadStream()
    await new Promise((resolve) => stream.once('readable', resolve))
    await sleep(100)
    return async () => {
      for await (const chunk of stream) assert.ok(chunk.length > 0)
    }
  },
}
for (const [what, use] of Object.entries(uses)) {
  for (const access of ['write', 'read']) {
    writeFileSync(path, Buffer.alloc(length, 'a line\n'))
    const fd = openSync(path, 'r+')
    fsyncSync(fd)
    const mapping = MappedFile.openSync(path, { access })
    // From the disk, so that what is behind is dropped.
    mapping.evict()
    const finish = await use(mapping)
    for (let turn = 0; ; turn++) {
      try {
        mapping.resize(pageSize)
        break
      } catch (error) {
        // Something is being loaded still.
        if (error.code !== 'EBUSY' || turn > 200) throw error
        await sleep(10)
      }
    }
    const others = strangers()
    await finish()
    checkStrangers(others, what)
    mapping.close()
    closeSync(fd)
  }
}
assert.deepEqual(new Set(Object.values(errors)), new Set(['ERR_OUT_OF_RANGE']))
done(`${Object.keys(errors).length} calls, ${2 * Object.keys(uses).length} iterations`)
