// 65,000 pages fault one by one, far apart. A process may have 65,530 mappings, and each lone page costs two.
import assert from 'node:assert/strict'
import { closeSync, openSync, readSync, truncateSync } from 'node:fs'
import { MappedFile } from '../../index.js'
import { PAGE, done, file, maps, pages } from './kit.mjs'

const FAULTS = 65_000
const before = maps().length
let most = 0
const look = () => (most = Math.max(most, maps().length - before))

// Stores to every second page of a read-only file.
{
  const path = file()
  truncateSync(path, 2 * FAULTS * PAGE)
  const mapping = MappedFile.openSync(path)
  const view = mapping.bytes
  for (let i = 0; i < FAULTS; i++) {
    // In an order that a run cannot follow.
    view[((i * 40_503) % FAULTS) * 2 * PAGE] = 1
    if (i % 5000 === 0) look()
  }
  look()
  for (let i = 0; i < FAULTS; i++) assert.equal(view[i * 2 * PAGE], 1)
  assert.equal(mapping.fault.kind, 'protected')
  const fd = openSync(path, 'r')
  const bytes = Buffer.alloc(1)
  for (let i = 0; i < FAULTS; i += 7) {
    readSync(fd, bytes, 0, 1, i * 2 * PAGE)
    assert.equal(bytes[0], 0, 'nothing reached the file')
  }
  closeSync(fd)
  mapping.close()
}

// The missing end of one file, touched from the back to the front.
{
  const path = file()
  truncateSync(path, FAULTS * PAGE)
  const mapping = MappedFile.openSync(path, { access: 'write' })
  const view = mapping.bytes
  truncateSync(path, 0)
  for (let i = FAULTS - 1; i >= 0; i--) view[i * PAGE] += 1
  look()
  for (let i = 0; i < FAULTS; i++) assert.equal(view[i * PAGE], 1)
  mapping.close()
}

// Many small mappings at once.
const many = 3000
const open = []
for (let i = 0; i < many; i++) {
  const path = file(pages(3))
  const mapping = MappedFile.openSync(path)
  const view = mapping.bytes
  view[PAGE] = 3
  truncateSync(path, 2 * PAGE)
  assert.equal(view[2 * PAGE], 0)
  assert.equal(mapping.fault.kind, 'truncated')
  open.push(mapping)
}
look()
for (const mapping of open) mapping.close()
assert.ok(most < 32_000, `${most} mappings`)
done(
  `${FAULTS} scattered stores, ${FAULTS} pages behind the end, ${many} faulting mappings at once; at most ${most} more mappings than before`,
)
