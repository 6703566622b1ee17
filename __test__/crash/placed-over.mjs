// What was placed over a part of a mapping goes, in every way: the addresses are still the mapping's, and whoever goes there lives.
import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { AnonymousMemory, MappedFile } from '../../index.js'
import * as posix from '../../lib/posix.js'
import { done, file as fileOf } from './kit.mjs'

const { MAP_ANONYMOUS, MAP_FIXED, MAP_PRIVATE, PROT_READ, PROT_WRITE, Reservation } = posix
const P = MappedFile.pageSize
const path = fileOf(Buffer.alloc(4 * P, 5))

const RW = PROT_READ | PROT_WRITE
const ways = {
  replace: (room, at) => room.replace(at, null, { length: P }).close(),
  'replace by a file': (room, at) => room.replace(at, path, { access: 'write', length: P }).close(),
  'release, place': (room, at) => {
    room.release(at, P)
    room.place(at, null, { length: P }).close()
  },
  'twice, the last one first': (room, at) => {
    const first = room.replace(at, null, { length: P })
    room.replace(at, null, { length: P }).close()
    first.close()
  },
  'twice, the first one first': (room, at) => {
    const first = room.replace(at, null, { length: P })
    const second = room.replace(at, null, { length: P })
    first.close()
    second.close()
  },
  MAP_FIXED: (room, at) =>
    posix.mmap(room.address + BigInt(at), P, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0).close(),
  munmap: (room, at) => {
    room.replace(at, null, { length: P })
    posix.munmap(room.address + BigInt(at), P)
  },
}
if (process.platform === 'linux') {
  ways.MREMAP_FIXED = (room, at) => {
    const other = posix.mmap(null, P, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
    posix.mremap(other, P, P, posix.MREMAP_MAYMOVE | posix.MREMAP_FIXED, room.address + BigInt(at)).close()
  }
}

let looked = 0
for (const [what, way] of Object.entries(ways)) {
  for (const page of [0, 1, 3]) {
    for (const isFile of [false, true]) {
      const room = Reservation.reserve(64 * P)
      const at = 8 * P
      const mapping = isFile
        ? room.place(at, path, { access: 'write', length: 4 * P })
        : room.place(at, null, { length: 4 * P })
      const { bytes } = mapping
      mapping.fill(9)
      way(room, at + page * P)
      const place = `${what}, page ${page}`
      // Checked methods say so.
      for (const use of [
        () => mapping.getUint8(page * P),
        () => mapping.setUint8(page * P + 1, 1),
        () => mapping.read(0, 4 * P),
        () => mapping.fill(1),
        () => mapping.discard({ offset: 0, length: 4 * P }),
        () => mapping.indexOf('x'),
      ])
        assert.throws(use, (error) => ['EACCES', 'ENOMEM'].includes(error.code), place)
      // Views find zeros.
      assert.equal(bytes[page * P], 0, place)
      bytes[page * P] = 3
      for (const other of [0, 1, 2, 3]) if (other !== page) assert.equal(mapping.getUint8(other * P), 9, place)
      looked++
      mapping.close()
      room.place(0, null, { length: 64 * P }).fill(1)
      room.close()
    }
  }
}
// Whatever is there, nobody else's checked methods write into it.
{
  const room = Reservation.reserve(16 * P)
  const below = room.place(0, null, { length: 4 * P }).fill(1)
  for (let turn = 0; turn < 40; turn++) below.getUint8(P + turn)
  writeFileSync(path, Buffer.alloc(P, 5))
  const file = room.replace(P, path, { access: 'write', length: P })
  const memory = room.replace(2 * P, null, { length: P }).fill(7)
  for (const use of [
    () => below.fill(0xee),
    () => below.setUint8(P, 0xee),
    () => below.getUint8(P + 3),
    () => below.write('text', 2 * P - 2),
    () => below.copyWithin(P, 0, P),
    () => below.discard({ offset: 0, length: 4 * P }),
    () => below.compare(Buffer.alloc(4 * P)),
    () => below.count('x'),
  ])
    assert.throws(use, { code: 'ENOMEM' }, String(use))
  below.write('text', 0)
  below.fill(3, 3 * P)
  assert.equal(readFileSync(path).compare(Buffer.alloc(P, 5)), 0)
  assert.equal(memory.count(7), P)
  memory.close()
  file.close()
  assert.throws(() => below.getUint8(P), { code: 'EACCES' })
  // A gap of munmap is one of its own.
  const plain = AnonymousMemory.create(4 * P).fill(5)
  posix.munmap(plain.address + BigInt(P), P)
  assert.throws(() => plain.write('lost', P), { code: 'EACCES' })
  assert.throws(() => plain.read(0, 2 * P), { code: 'EACCES' })
  assert.equal(plain.read(0, P).length, P)
  room.close()
}
done(`${looked} places were looked at`)
