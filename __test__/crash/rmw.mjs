// A store through a view of a 'read' mapping: never in the file, never a death, and reported; which operations are stores.
import assert from 'node:assert/strict'
import { closeSync, openSync, readFileSync, writeSync } from 'node:fs'
import { MappedFile } from '../../index.js'
import { PAGE, bun, codeOf, done, file, guarded, news, pages, until, wine } from './kit.mjs'

const content = pages(4)
const N = 1_000_000

const stores = {
  plain: (v) => (v[3] = 9),
  add: (v) => Atomics.add(v, 3, 0),
  // x86 writes the old value back. Processors that link a load to a store (ARM, POWER, RISC-V) store nothing then, or may.
  ...(['x64', 'ia32'].includes(process.arch) && {
    'failed compareExchange': (v) => Atomics.compareExchange(v, 3, -77, 0),
  }),
  store: (v) => Atomics.store(v, 3, 5),
  fill: (v) => v.fill(1, 3, 4),
  dataView: (v) => new DataView(v.buffer, v.byteOffset).setInt8(12, 1),
}
const loads = {
  plain(v) {
    let sum = 0
    for (let i = 0; i < N; i++) sum += v[3]
    return sum
  },
  notify: (v) => Atomics.notify(v, 3),
  slice: (v) => v.slice(0, 100),
  // Optimised by Bun it is a read-modify-write, so readers of memory that others write use plain loads there.
  'Atomics.load'(v) {
    let sum = 0
    for (let i = 0; i < (bun ? 1 : N); i++) sum += Atomics.load(v, 3)
    return sum
  },
}

/** What another process would do. */
function overwrite(path, at, byte) {
  const fd = openSync(path, 'r+')
  writeSync(fd, Buffer.from([byte]), 0, 1, at)
  closeSync(fd)
}

let cleared = 0
for (const [name, store] of Object.entries(stores)) {
  const path = file(content)
  const mapping = MappedFile.openSync(path)
  const view = mapping.view(Int32Array)
  store(view)
  assert.equal(Buffer.compare(readFileSync(path), content), 0, `${name} never reaches the file`)
  assert.equal(mapping.fault?.kind, guarded ? 'protected' : undefined, name)
  // The page is a private copy: what others write there is not seen any more, elsewhere it is.
  overwrite(path, 100, 0xee)
  overwrite(path, PAGE + 100, 0xee)
  assert.equal(mapping.bytes[100], content[100], `${name}: a private page`)
  assert.equal(mapping.bytes[PAGE + 100], 0xee, `${name}: the next page is the file's`)
  mapping.throwIfFaulted()
  assert.equal(mapping.getUint8(PAGE + 100), 0xee, 'checked methods go on')
  if (guarded) {
    // The kernel of s390x tells the page alone.
    assert.equal(mapping.fault.offset, process.arch === 's390x' ? 0 : 12)
    const refused = codeOf(() => mapping.clearFault())
    // Debian 12's wine can neither drop a private copy nor hold the addresses while the file is mapped again.
    assert.ok(refused === '' || (wine && refused === 'ENOTSUP'), refused)
    cleared += refused === '' ? 1 : 0
    assert.equal(mapping.fault?.kind, refused === '' ? undefined : 'protected')
    assert.equal(mapping.bytes[100], refused === '' ? 0xee : content[100], 'the page is the file again')
    if (refused === '') assert.equal(mapping.getInt32(12, true), content.readInt32LE(12), 'without what was stored')
  }
  mapping.close()
}
for (const [name, load] of Object.entries(loads)) {
  const path = file(content)
  const mapping = MappedFile.openSync(path)
  load(mapping.view(Int32Array))
  assert.equal(mapping.fault, null, `${name} is no store`)
  overwrite(path, 100, 0xee)
  assert.equal(mapping.bytes[100], 0xee, `${name} leaves the page the file's`)
  mapping.close()
}
if (guarded) {
  await until(
    () => news.length >= Object.keys(stores).length,
    () => `${news.length} news`,
  )
  assert.ok(news.every(({ kind }) => kind === 'protected'))
}
done(
  `${Object.keys(stores).length} kinds of stores kept out of the file, ${cleared} times cleared; ${Object.keys(loads).length} kinds of loads are none`,
)
