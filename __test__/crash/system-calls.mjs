// The kernel and native libraries over the missing pages of a truncated file: an error, or fewer bytes, and never a death.
import assert from 'node:assert/strict'
import { createHash, createHmac, pbkdf2, randomFillSync, randomFill } from 'node:crypto'
import fs from 'node:fs'
import { promisify } from 'node:util'
import zlib from 'node:zlib'
import { MappedFile } from '../../index.js'
import { PAGE, done, file, pages } from './kit.mjs'

const content = pages(32)
const LEFT = 8 * PAGE

const other = file(Buffer.alloc(content.length, 0x55))
const out = fs.openSync(file(), 'w+')
const source = fs.openSync(other, 'r')

/** Each may fail in an ordinary way. */
const calls = {
  'fs.writeSync': (view) => fs.writeSync(out, view, 0, view.length, 0),
  'fs.writeSync of the missing part': (view) => fs.writeSync(out, view, LEFT, PAGE, 0),
  'fs.readSync': (view) => fs.readSync(source, view, 0, view.length, 0),
  'fs.readSync into the missing part': (view) => fs.readSync(source, view, LEFT, PAGE, 0),
  'fs.write': (view) => promisify(fs.write)(out, view, 0, view.length, 0),
  'fs.read': (view) => promisify(fs.read)(source, view, 0, view.length, 0),
  'fs.promises.writeFile': (view) => fs.promises.writeFile(other + '.copy', view),
  'fs.writeFileSync': (view) => fs.writeFileSync(other + '.copy2', view),
  deflateSync: (view) => zlib.deflateSync(view),
  deflate: (view) => promisify(zlib.deflate)(view),
  gunzip: (view) => promisify(zlib.gunzip)(view),
  hash: (view) => createHash('sha256').update(view).digest('hex'),
  hmac: (view) => createHmac('sha1', view.subarray(LEFT)).update(view).digest(),
  pbkdf2: (view) => promisify(pbkdf2)(view, 'salt', 1, 32, 'sha256'),
  randomFillSync: (view) => randomFillSync(view),
  randomFill: (view) => promisify(randomFill)(view),
}

let worked = 0
const refused = []
for (const [name, call] of Object.entries(calls)) {
  const path = file(content)
  const mapping = MappedFile.openSync(path, { access: 'write' })
  const view = mapping.bytes
  fs.truncateSync(path, LEFT)
  try {
    const result = await call(view)
    worked++
    if (typeof result === 'number') assert.ok(result <= view.length)
  } catch (error) {
    // EFAULT from the kernel; what a library makes of zeros or of EFAULT is its own business.
    assert.ok(error instanceof Error, name)
    refused.push(`${name}: ${error.code}`)
  }
  // Touched or not: JavaScript sees zeros there, and the fault.
  assert.equal(view.length, content.length)
  void view[31 * PAGE]
  assert.equal(view[0] === undefined, false)
  const { fault } = mapping
  if (fault !== null) assert.equal(fault.kind, 'truncated', name)
  assert.equal(fs.statSync(path).size, LEFT, `${name} does not make the file longer`)
  mapping.close()
}
const after = fs.readFileSync(other)
assert.ok(after.every((byte) => byte === 0x55))
done(`${worked} of ${Object.keys(calls).length} calls worked, refused: ${refused.join(', ')}`)
