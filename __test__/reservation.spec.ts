import * as fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { MappedFile, Mapping } from '../index.js'
import * as posix from '../lib/posix.js'
import { bitsOf, deniedPages, linuxOnly, missingPages, narrow, underQemu, unless } from './helpers'

const { Reservation, PROT_READ, PROT_WRITE, MAP_PRIVATE, MAP_SHARED, MAP_ANONYMOUS } = posix
const RW = bitsOf(PROT_READ, PROT_WRITE)
const PAGE = Mapping.pageSize

function memory(pages: number): number {
  const fd = posix.memfd_create('memmap-place')
  for (let page = 0; page < pages; page++) fs.writeSync(fd, Buffer.alloc(PAGE, page + 1))
  return fd
}

function lineOf(address: bigint): string {
  for (const line of fs.readFileSync('/proc/self/maps', 'utf8').split('\n')) {
    const hit = /^([0-9a-f]+)-([0-9a-f]+) /.exec(line)
    if (hit && BigInt(`0x${hit[1]}`) <= address && address < BigInt(`0x${hit[2]}`)) return line
  }
  return ''
}

unless((process.platform !== 'linux' && 'Linux has reservations') || (narrow && 'the address space has 32 bits'))(
  'a terabyte is reserved, costs nothing, and goes at close',
  (t) => {
    const room = Reservation.reserve(2 ** 40)
    const { address } = room
    t.is(room.byteLength, 2 ** 40)
    // qemu makes the list up, and does not tell neighbours apart there.
    if (!underQemu) t.regex(lineOf(address), / ---p /)
    room.close()
    t.true(room.closed)
    t.deepEqual([room.address, room.byteLength], [0n, 0])
    t.is(lineOf(address), '')
    room.close()
    t.throws(() => room.place(0, null, { length: 1 }), { code: 'ERR_INVALID_STATE' })
    t.throws(() => room.release(0, 1), { code: 'ERR_INVALID_STATE' })
  },
)

linuxOnly('files, mappings and memory lie where they were placed', (t) => {
  const file = join(fs.mkdtempSync(join(tmpdir(), 'memmap-place-')), 'file')
  fs.writeFileSync(file, 'in a file')
  const fd = memory(3)
  const mapped = MappedFile.openSync(fd, { access: 'write', offset: PAGE, length: PAGE })
  const room = Reservation.reserve(64 * PAGE)
  const one = room.place(0, file)
  const two = room.place(PAGE, mapped)
  const three = room.place(2 * PAGE, null, { length: 100 })
  const four = room.place(63 * PAGE, fd, { access: 'copy', offset: 2 * PAGE })
  t.deepEqual(
    [one, two, three, four].map((m) => Number(m.address - room.address)),
    [0, PAGE, 2 * PAGE, 63 * PAGE],
  )
  t.is(one.bytes.toString(), 'in a file')
  t.is(one.path, file)
  t.deepEqual([one.access, two.access, three.access, four.access], ['read', 'write', 'write', 'copy'])
  two.setUint8(0, 77)
  t.is(mapped.getUint8(0), 77)
  t.is(three.byteLength, 100)
  three.fill(1)
  t.is(four.getUint8(0), 3)
  room.close()
  t.true([one, two, three, four].every((m) => m.closed))
  mapped.close()
  fs.closeSync(fd)
  fs.rmSync(join(file, '..'), { recursive: true })
})

linuxOnly('a place is taken until its mapping is closed or released', (t) => {
  const fd = memory(4)
  const room = Reservation.reserve(8 * PAGE)
  const m = room.place(0, fd, { access: 'write' })
  const view = m.bytes
  t.throws(() => room.place(3 * PAGE, null, { length: 1 }), { code: 'EEXIST' })
  room.release(3 * PAGE, PAGE)
  if (!deniedPages) {
    t.is(view[3 * PAGE], 0)
    t.is(m.fault?.kind, 'protected')
  }
  const behind = room.place(3 * PAGE, null, { length: PAGE })
  behind.setUint8(0, 33)
  t.is(view[3 * PAGE], 33)
  m.close()
  t.is(view.length, 0)
  t.is(behind.getUint8(0), 33)
  // qemu makes the list up, and does not tell neighbours apart there.
  if (!underQemu) t.regex(lineOf(room.address), / ---p /)
  const again = room.place(0, fd, { length: 3 * PAGE })
  t.is(again.getUint8(2 * PAGE), 3)
  room.close()
  fs.closeSync(fd)
})

unless(process.platform !== 'linux' ? 'Linux has reservations' : missingPages)(
  'a mapping that is placed has its own slot of the guard',
  (t) => {
    const fd = memory(4)
    const room = Reservation.reserve(16 * PAGE)
    const low = room.place(0, null, { length: 4 * PAGE })
    const m = room.place(4 * PAGE, fd, { access: 'write' })
    const high = room.place(8 * PAGE, null, { length: PAGE })
    low.fill(1)
    high.fill(2)
    fs.ftruncateSync(fd, PAGE)
    t.is(m.bytes[2 * PAGE], 0)
    t.deepEqual(m.fault, { kind: 'truncated', offset: 2 * PAGE })
    t.deepEqual([low.fault, high.fault, high.getUint8(0)], [null, null, 2])
    fs.ftruncateSync(fd, 4 * PAGE)
    m.clearFault()
    m.setUint8(2 * PAGE, 9)
    t.is(m.fault, null)
    room.close()
    fs.closeSync(fd)
  },
)

linuxOnly('discard of a ring drops the bytes that it shows there, and no others of the file', (t) => {
  const fd = memory(8)
  const first = () => Array.from({ length: 8 }, (_, page) => fs.readSync(fd, byte, 0, 1, page * PAGE) && byte[0])
  const byte = Buffer.alloc(1)
  const room = Reservation.reserve(16 * PAGE)
  const ring = room.mirror(fd, { length: 2 * PAGE, offset: PAGE, at: BigInt(4 * PAGE) })
  t.is(ring.address, room.address + BigInt(4 * PAGE))
  t.deepEqual(first(), [1, 2, 3, 4, 5, 6, 7, 8])
  // The second time that page 1 is shown.
  ring.discard({ offset: 2 * PAGE, length: PAGE })
  t.deepEqual(
    [0, 1, 2, 3].map((page) => ring.getUint8(page * PAGE)),
    [0, 3, 0, 3],
  )
  t.deepEqual(first(), [1, 0, 3, 4, 5, 6, 7, 8])
  ring.fill(9)
  // Over the seam.
  ring.discard({ offset: PAGE, length: 2 * PAGE })
  t.deepEqual(first(), [1, 0, 0, 4, 5, 6, 7, 8])
  ring.fill(9)
  ring.discard({})
  t.deepEqual(first(), [1, 0, 0, 4, 5, 6, 7, 8])
  ring.evict()
  room.close()
  fs.closeSync(fd)
})

linuxOnly('replace closes what it covers and takes its part of the rest', (t) => {
  const fd = memory(4)
  const room = Reservation.reserve(16 * PAGE)
  const small = room.place(PAGE, null, { length: PAGE })
  const large = room.place(2 * PAGE, fd, { access: 'write' })
  const view = large.bytes
  const over = room.replace(PAGE, null, { length: 2 * PAGE })
  t.true(small.closed)
  t.false(large.closed)
  over.fill(200)
  t.deepEqual([view[0], view[PAGE]], [200, 2])
  // The part that was taken is another mapping's now: a fault there is its own.
  large.close()
  t.is(over.getUint8(PAGE), 200)
  t.throws(() => room.replace(PAGE, join(tmpdir(), 'memmap-nobody')), { code: 'ENOENT' })
  t.is(over.getUint8(0), 200)
  room.close()
  fs.closeSync(fd)
})

linuxOnly('an array grows in its reservation without moving', (t) => {
  const fd = posix.memfd_create('memmap-array')
  const room = Reservation.reserve(1 << 24)
  let array: Mapping = room.place(0, fd, { access: 'write', length: PAGE })
  const { address } = array
  for (let length = PAGE; length <= 1 << 22; length *= 2) {
    const old = array
    if (length > PAGE) {
      array = room.replace(0, fd, { access: 'write', length })
      t.true(old.closed)
    }
    t.is(array.address, address)
    array.view(Int32Array).fill(length, length / 8)
  }
  for (let length = 2 * PAGE; length <= 1 << 22; length *= 2) t.is(array.view(Int32Array)[length / 8], length)
  room.close()
  fs.closeSync(fd)
})

linuxOnly('MAP_FIXED and MREMAP_FIXED work inside of a reservation', (t) => {
  const fd = memory(2)
  const room = Reservation.reserve(16 * PAGE)
  const place = room.address + BigInt(4 * PAGE)
  const first = posix.mmap(place, 2 * PAGE, RW, MAP_SHARED | posix.MAP_FIXED, fd, 0)
  t.is(first.address, place)
  t.is(first.getUint8(PAGE), 2)
  const second = posix.mmap(place, 2 * PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS | posix.MAP_FIXED, -1, 0)
  t.true(first.closed)
  second.bytes.fill(6)
  t.throws(() => posix.mmap(place, PAGE, RW, MAP_SHARED | posix.MAP_FIXED, 999_999, 0), { code: 'EBADF' })
  t.is(second.getUint8(0), 6)
  t.throws(() => posix.mmap(room.address + BigInt(15 * PAGE), 2 * PAGE, RW, MAP_SHARED | posix.MAP_FIXED, fd, 0), {
    code: 'EINVAL',
  })

  const outside = posix.mmap(null, 2 * PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
  outside.bytes.fill(8)
  const inside = posix.mremap(outside, 2 * PAGE, 3 * PAGE, posix.MREMAP_MAYMOVE | posix.MREMAP_FIXED, place)
  t.true(outside.closed)
  t.true(second.closed)
  t.is(inside.address, place)
  t.deepEqual([inside.getUint8(PAGE), inside.getUint8(2 * PAGE)], [8, 0])
  posix.munmap(place, PAGE)
  t.is(inside.getUint8(PAGE), 8)
  room.close()
  t.true(inside.closed)
  fs.closeSync(fd)
})

linuxOnly('a mirrored ring never wraps: what is written across the seam comes out at the start', (t) => {
  const fd = posix.memfd_create('memmap-ring')
  const size = 4 * PAGE
  fs.ftruncateSync(fd, size)
  const room = Reservation.reserve(4 * size)
  const ring = room.mirror(fd)
  t.is(ring.byteLength, 2 * size)
  const view = ring.bytes
  const text = Buffer.from('a record of some length across the seam')
  for (let at = 0, i = 0; i < 1000; i++, at = (at + text.length) % size) {
    text.copy(view, at)
    t.is(Buffer.compare(view.subarray(at, at + text.length), text), 0)
    if (at + text.length > size)
      t.is(Buffer.compare(view.subarray(0, at + text.length - size), text.subarray(size - at)), 0)
  }
  const second = room.mirror(MappedFile.openSync(fd, { access: 'write' }))
  t.is(second.address, room.address + BigInt(2 * size))
  ring.setUint8(size - 1, 123)
  t.is(second.getUint8(2 * size - 1), 123)
  t.throws(() => room.mirror(fd), { code: 'ENOMEM' })
  t.throws(() => room.mirror(fd, { at: 0 }), { code: 'EEXIST' })

  // Each half is guarded for itself, and both show the same file again.
  if (missingPages) return room.close()
  fs.ftruncateSync(fd, PAGE)
  t.is(view[size + 2 * PAGE], 0)
  t.deepEqual(ring.fault, { kind: 'truncated', offset: size + 2 * PAGE })
  t.is(view[2 * PAGE], 0)
  fs.ftruncateSync(fd, size)
  ring.clearFault()
  view[2 * PAGE] = 21
  t.is(view[size + 2 * PAGE], 21)
  room.close()
  t.is(view.length, 0)
  fs.closeSync(fd)
})

linuxOnly('what cannot be mirrored or placed is refused', (t) => {
  const fd = memory(1)
  fs.ftruncateSync(fd, 100)
  const room = Reservation.reserve(16 * PAGE)
  t.throws(() => room.mirror(fd), { code: 'EINVAL' })
  t.throws(() => room.mirror(fd, { access: 'copy', length: 100 }), { code: 'ERR_INVALID_ARG_VALUE' })
  t.throws(() => room.mirror(fd, { acces: 'read' } as never), { code: 'ERR_INVALID_ARG_VALUE' })
  const anonymous = room.place(0, null, { length: PAGE })
  t.throws(() => room.place(PAGE, anonymous), { code: 'ERR_INVALID_ARG_VALUE' })
  t.throws(() => room.place(1, fd), { code: 'ERR_OUT_OF_RANGE' })
  t.throws(() => room.place(-PAGE, fd), { code: 'ERR_OUT_OF_RANGE' })
  t.throws(() => room.place(15 * PAGE, null, { length: 2 * PAGE }), { code: 'ERR_OUT_OF_RANGE', message: /"at"/ })
  t.throws(() => room.place(PAGE, null, {} as never), { code: 'ERR_INVALID_ARG_TYPE' })
  t.throws(() => room.place(PAGE, fd, { offset: 10 }), { code: 'EINVAL' })
  t.throws(() => Reservation.reserve(0), { code: 'ERR_OUT_OF_RANGE' })
  t.throws(() => Reservation.reserve('1' as never), { code: 'ERR_INVALID_ARG_TYPE' })
  t.throws(() => Reservation.reserve(2 ** 52), { code: 'ENOMEM' })
  room.close()
  fs.closeSync(fd)
})

linuxOnly('random placements, releases and closes agree with a model', (t) => {
  const pages = 32
  const fd = memory(pages)
  const room = Reservation.reserve(pages * PAGE)
  const model: (Mapping | undefined)[] = Array.from({ length: pages })
  let seed = 12_345
  const random = (below: number) => (seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31) % below
  for (let step = 0; step < 3000; step++) {
    const at = random(pages)
    const count = 1 + random(Math.min(6, pages - at))
    const range = Array.from({ length: count }, (_, i) => at + i)
    const free = range.every((page) => model[page] === undefined)
    switch (random(4)) {
      case 0:
      case 1: {
        const over = random(2) === 1
        const place = () =>
          room[over ? 'replace' : 'place'](at * PAGE, fd, { access: 'write', offset: at * PAGE, length: count * PAGE })
        if (!over && !free) t.throws(place, { code: 'EEXIST' })
        else {
          const m = place()
          if (random(2)) t.is(m.bytes[0], at + 1)
          for (const page of range) model[page] = m
        }
        break
      }
      case 2:
        room.release(at * PAGE, count * PAGE)
        for (const page of range) model[page] = undefined
        break
      default: {
        const m = model[at]
        m?.close()
        if (m) model.forEach((other, page) => other === m && (model[page] = undefined))
      }
    }
    for (const [page, m] of model.entries()) {
      const kernel = lineOfPage(room.address, page)
      if ((m !== undefined) !== kernel) t.fail(`step ${step}, page ${page}: the kernel says ${kernel}`)
      if (m?.closed) t.fail(`step ${step}: the mapping of page ${page} is closed`)
    }
  }
  room.close()
  fs.closeSync(fd)
  t.pass()
})

let cached: { text: string; ranges: [bigint, bigint][] } = { text: '', ranges: [] }

/** Whether the memfd is mapped at a page, by the kernel's own list. */
function lineOfPage(base: bigint, page: number): boolean {
  if (page === 0) {
    const text = fs.readFileSync('/proc/self/maps', 'utf8')
    const ranges = [...text.matchAll(/^([0-9a-f]+)-([0-9a-f]+) .*memmap-place/gm)].map((hit): [bigint, bigint] => [
      BigInt(`0x${hit[1]}`),
      BigInt(`0x${hit[2]}`),
    ])
    cached = { text, ranges }
  }
  const address = base + BigInt(page * PAGE)
  return cached.ranges.some(([from, to]) => from <= address && address < to)
}
