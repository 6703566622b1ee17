// mmap and its kin: what they do. What they refuse is in posix-errno.spec.ts.
import { once } from 'node:events'
import * as fs from 'node:fs'
import { Worker } from 'node:worker_threads'
import { AnonymousMemory, MappedFile, Mapping } from '../index.js'
import * as posix from '../lib/posix.js'
import { bitsOf, linuxOnly } from './helpers'

const { PROT_READ, PROT_WRITE, PROT_NONE, PROT_EXEC, MAP_SHARED, MAP_PRIVATE, MAP_ANONYMOUS } = posix
const RW = bitsOf(PROT_READ, PROT_WRITE)
const ANON = bitsOf(MAP_PRIVATE, MAP_ANONYMOUS)
const PAGE = Mapping.pageSize
const at = (m: Mapping, page: number) => m.address + BigInt(page * PAGE)

/** A memfd of so many pages, each filled with its number + 1; closed by the test's end. */
function pages(count: number): number {
  const fd = posix.memfd_create('memmap-test')
  for (let page = 0; page < count; page++) fs.writeSync(fd, Buffer.alloc(PAGE, page + 1))
  return fd
}

/** The lines of /proc/self/maps that name this memfd or these addresses. */
function maps(): string[] {
  return fs.readFileSync('/proc/self/maps', 'utf8').split('\n')
}

/**
 * An address that nobody has or is given: in the middle of the largest gap. The kernel goes down from the highest one that is free, and other threads
 * of this process map and unmap all the time: whoever cuts what was his a moment ago cuts one of theirs.
 */
function remote(): bigint {
  let [end, largest, middle] = [0n, 0n, 0n]
  for (const line of maps()) {
    const hit = /^([0-9a-f]+)-([0-9a-f]+) /.exec(line)
    if (!hit) continue
    const from = BigInt(`0x${hit[1]}`)
    // A page of the kernel's own, on x86.
    if (from > 2n ** 56n) break
    // Below the program is what only privileged ones get.
    if (end > 0n && from - end > largest) [largest, middle] = [from - end, (from + end) / 2n]
    end = BigInt(`0x${hit[2]}`)
  }
  return middle - (middle % BigInt(PAGE))
}

/** The protection of the page at an address, as the kernel shows it; undefined where nothing is. */
function protectionAt(address: bigint): string | undefined {
  for (const line of maps()) {
    const hit = /^([0-9a-f]+)-([0-9a-f]+) (\S{4})/.exec(line)
    if (hit && BigInt(`0x${hit[1]}`) <= address && address < BigInt(`0x${hit[2]}`)) return hit[3]
  }
  return undefined
}

linuxOnly('the protection and the flags decide the access', (t) => {
  const fd = pages(1)
  const of = (prot: number, flags: number, file = fd) => {
    const m = posix.mmap(null, PAGE, prot, flags, file, 0)
    const { access } = m
    m.close()
    return access
  }
  t.is(of(RW, MAP_SHARED), 'write')
  t.is(of(PROT_READ, MAP_SHARED), 'read')
  t.is(of(RW, MAP_PRIVATE), 'copy')
  t.is(of(PROT_READ, MAP_PRIVATE), 'read')
  t.is(of(PROT_NONE, MAP_SHARED), 'read')
  t.is(of(RW, ANON, -1), 'copy')
  t.is(of(RW, MAP_SHARED | MAP_ANONYMOUS, -1), 'write')
  t.is(of(RW, posix.MAP_SHARED_VALIDATE), 'write')
  fs.closeSync(fd)
})

linuxOnly('a mapping has the length that was asked for, its own page as a whole, and its own descriptor', (t) => {
  const fd = pages(2)
  const m = posix.mmap(null, 100, RW, MAP_SHARED, fd, PAGE)
  t.true(m instanceof Mapping)
  t.is(m.byteLength, 100)
  t.is(m.fileOffset, PAGE)
  t.not(m.fd, fd)
  t.is(m.address % BigInt(PAGE), 0n)
  t.is(m.getUint8(99), 2)
  fs.closeSync(fd)
  m.setUint8(0, 9)
  t.is(m.size(), 2 * PAGE)
  m.flushSync()
  m.close()
  t.throws(() => m.getUint8(0), { code: 'ERR_INVALID_STATE' })
})

linuxOnly('an address is a wish', (t) => {
  const address = remote()
  const wished = posix.mmap(address, PAGE, RW, ANON | posix.MAP_FIXED_NOREPLACE, -1, 0)
  t.is(wished.address, address)
  const other = posix.mmap(address, PAGE, RW, ANON, -1, 0)
  t.not(other.address, address)
  other.close()
  wished.close()
})

linuxOnly('every flag that needs nothing special goes through', (t) => {
  for (const name of [
    'MAP_NORESERVE',
    'MAP_POPULATE',
    'MAP_NONBLOCK',
    'MAP_STACK',
    'MAP_LOCKED',
    'MAP_32BIT',
    'MAP_EXECUTABLE',
  ] as const) {
    const flag: unknown = posix[name]
    if (typeof flag !== 'number') continue
    const m = posix.mmap(null, PAGE, RW, ANON | flag, -1, 0)
    m.setUint8(0, 1)
    if (name === 'MAP_32BIT') t.true(m.address < 2n ** 32n, name)
    if (name === 'MAP_POPULATE' || name === 'MAP_LOCKED') t.is(posix.mincore(m, PAGE)[0]! & 1, 1, name)
    t.is(m.getUint8(0), 1, name)
    m.close()
  }
})

linuxOnly('pages without access are a fault and not the end', (t) => {
  const m = posix.mmap(null, 2 * PAGE, PROT_NONE, ANON, -1, 0)
  t.is(protectionAt(m.address), '---p')
  t.is(m.bytes[PAGE], 0)
  t.deepEqual(m.fault, { kind: 'protected', offset: PAGE })
  m.close()
})

linuxOnly('mprotect commits what was mapped without access, and checked writers follow', (t) => {
  const m = posix.mmap(null, 1 << 20, PROT_NONE, ANON | posix.MAP_NORESERVE, -1, 0)
  t.throws(() => m.setUint8(0, 1), { code: 'EACCES' })
  posix.mprotect(m, 1 << 16, RW)
  m.setUint8(0, 1)
  m.bytes[(1 << 16) - 1] = 2
  t.is(m.fault, null)
  t.is(m.access, 'copy')
  posix.mprotect(m, PAGE, PROT_READ | PROT_EXEC | PROT_WRITE)
  t.is(protectionAt(m.address), 'rwxp')
  posix.mprotect(m, PAGE, PROT_READ)
  m.bytes[8] = 3
  t.deepEqual(m.fault, { kind: 'protected', offset: 8 })
  m.close()
})

linuxOnly('what mprotect did is done again when clearFault maps pages again', (t) => {
  const fd = pages(4)
  const m = posix.mmap(null, 4 * PAGE, RW, MAP_SHARED, fd, 0)
  posix.mprotect(m, 4 * PAGE, PROT_READ)
  fs.ftruncateSync(fd, PAGE)
  t.is(m.bytes[3 * PAGE], 0)
  t.is(m.fault?.kind, 'truncated')
  fs.ftruncateSync(fd, 4 * PAGE)
  m.clearFault()
  t.is(protectionAt(at(m, 3)), 'r--s')
  m.close()
  fs.closeSync(fd)
})

linuxOnly('a partial munmap leaves the rest, and pages without access that nothing else can take', (t) => {
  const fd = pages(5)
  const m = posix.mmap(null, 5 * PAGE, RW, MAP_SHARED, fd, 0)
  const view = m.bytes
  posix.munmap(at(m, 1), PAGE)
  posix.munmap(at(m, 3), 10)
  t.is(protectionAt(at(m, 1)), '---p')
  t.is(protectionAt(at(m, 3)), '---p')
  t.deepEqual([view[0], view[2 * PAGE], view[4 * PAGE]], [1, 3, 5])
  t.is(m.fault, null)
  for (const [syscall, call] of [
    ['mlock', () => m.lock()],
    ['munlock', () => m.unlock()],
    ['madvise', () => m.advise('random')],
    ['mprotect', () => m.protect('read')],
  ] as const)
    t.throws(call, { code: 'ENOMEM', message: new RegExp(`, ${syscall} `) })
  t.throws(() => posix.mmap(at(m, 1), PAGE, RW, ANON | posix.MAP_FIXED_NOREPLACE, -1, 0), { code: 'EEXIST' })

  // Too late: zeros, said so, and the file untouched.
  t.is(view[3 * PAGE + 5], 0)
  t.deepEqual(m.fault, { kind: 'protected', offset: 3 * PAGE + 5 })
  view[3 * PAGE + 5] = 77
  const byte = Buffer.alloc(1)
  fs.readSync(fd, byte, 0, 1, 3 * PAGE + 5)
  t.is(byte[0], 4)

  // The parts have stories of their own: the file goes away behind its third page.
  fs.ftruncateSync(fd, 3 * PAGE)
  t.is(view[4 * PAGE], 0)
  t.deepEqual(m.fault, { kind: 'truncated', offset: 4 * PAGE })
  t.is(view[2 * PAGE], 3)
  fs.ftruncateSync(fd, 5 * PAGE)
  m.clearFault()
  view[4 * PAGE] = 55
  fs.readSync(fd, byte, 0, 1, 4 * PAGE)
  t.is(byte[0], 55)
  m.close()
  t.is(view.length, 0)
  fs.closeSync(fd)
})

linuxOnly('munmap of everything closes, in one go or page by page, and gives the address space back', (t) => {
  const fd = pages(2)
  const { ino } = fs.fstatSync(fd)
  const mapped = () =>
    fs.readFileSync('/proc/self/maps', 'utf8').match(new RegExp(` ${ino} +/memfd:`, 'gm'))?.length ?? 0
  const one = posix.mmap(null, 2 * PAGE, RW, posix.MAP_SHARED, fd, 0)
  t.is(mapped(), 1)
  posix.munmap(one)
  t.true(one.closed)
  t.is(mapped(), 0)
  const place = remote()
  const two = posix.mmap(place, 2 * PAGE, RW, bitsOf(MAP_SHARED, posix.MAP_FIXED_NOREPLACE), fd, 0)
  posix.munmap(place + BigInt(PAGE), PAGE)
  t.false(two.closed)
  posix.munmap(place, 2 * PAGE)
  t.true(two.closed)
  t.is(mapped(), 0)
  t.throws(() => posix.munmap(place, PAGE), { code: 'EINVAL' })
  fs.closeSync(fd)
})

linuxOnly('the calls take the mappings of the other classes, too', (t) => {
  const memory = AnonymousMemory.create(4 * PAGE)
  posix.madvise(memory, 4 * PAGE, posix.MADV_RANDOM)
  posix.munmap(at(memory, 1), PAGE)
  memory.setUint8(2 * PAGE, 3)
  t.throws(() => memory.read(PAGE, 1), { code: 'EACCES' })
  t.throws(() => memory.setUint8(2 * PAGE - 1, 1), { code: 'EACCES' })
  t.is(memory.bytes[PAGE], 0)
  t.is(memory.fault!.kind, 'protected')
  const fd = pages(2)
  const file = MappedFile.openSync(fd, { access: 'write' })
  file.setUint8(0, 8)
  posix.msync(file, 2 * PAGE, posix.MS_SYNC)
  posix.munmap(file.address, 2 * PAGE)
  t.true(file.closed)
  memory.close()
  fs.closeSync(fd)
})

linuxOnly('msync, madvise, mlock, munlock and mincore reach the kernel', (t) => {
  const m = posix.mmap(null, 4 * PAGE, RW, ANON, -1, 0)
  t.deepEqual(
    [...posix.mincore(m, 4 * PAGE)].map((state) => state & 1),
    [0, 0, 0, 0],
  )
  m.setUint8(2 * PAGE, 1)
  t.deepEqual(
    [...posix.mincore(m, 4 * PAGE)].map((state) => state & 1),
    [0, 0, 1, 0],
  )
  posix.mlock(at(m, 0) + 5n, PAGE)
  t.is(posix.mincore(m, PAGE)[0]! & 1, 1)
  posix.munlock(m, 2 * PAGE)
  posix.madvise(at(m, 2), PAGE, posix.MADV_DONTNEED)
  t.is(m.getUint8(2 * PAGE), 0)
  for (const flags of [posix.MS_SYNC, posix.MS_ASYNC, posix.MS_ASYNC | posix.MS_INVALIDATE, 0])
    posix.msync(m, 4 * PAGE, flags)
  t.is(posix.mincore(m, 1).length, 1)
  t.is(posix.mincore(m, 0).length, 0)
  m.close()
})

linuxOnly('mremap grows and shrinks shared memory, moves it, and maps it twice', (t) => {
  const fd = pages(8)
  const old = posix.mmap(null, 2 * PAGE, RW, MAP_SHARED, fd, 0)
  const view = old.bytes
  const grown = posix.mremap(old, 2 * PAGE, 8 * PAGE, posix.MREMAP_MAYMOVE)
  t.true(old.closed)
  t.is(view.length, 0)
  t.is(grown.byteLength, 8 * PAGE)
  t.is(grown.getUint8(7 * PAGE), 8)
  const twice = posix.mremap(grown, 0, 8 * PAGE, posix.MREMAP_MAYMOVE)
  t.false(grown.closed)
  t.not(twice.address, grown.address)
  twice.setUint8(5, 55)
  t.is(grown.getUint8(5), 55)
  twice.close()

  const { address } = grown
  const shrunk = posix.mremap(address, 8 * PAGE, PAGE, 0)
  t.is(shrunk.address, address)
  t.is(shrunk.getUint8(5), 55)
  t.true(grown.closed)
  shrunk.close()
  fs.closeSync(fd)
})

linuxOnly('mremap moves private memory with its contents, and a late view of the old place finds nothing', (t) => {
  const old = posix.mmap(null, 4 * PAGE, RW, ANON, -1, 0)
  const view = old.bytes
  view.fill(7)
  // In the way, so that it has to move.
  const moved = posix.mremap(old, 4 * PAGE, 4096 * PAGE, posix.MREMAP_MAYMOVE)
  t.is(view.length, 0)
  t.deepEqual([moved.getUint8(0), moved.getUint8(4 * PAGE - 1), moved.getUint8(4 * PAGE)], [7, 7, 0])
  const kept = posix.mremap(moved, 4096 * PAGE, 4096 * PAGE, posix.MREMAP_MAYMOVE | posix.MREMAP_DONTUNMAP)
  t.false(moved.closed)
  t.deepEqual([moved.getUint8(0), kept.getUint8(0)], [0, 7])
  moved.close()
  kept.close()

  const fd = pages(2)
  const copy = posix.mmap(null, 2 * PAGE, RW, MAP_PRIVATE, fd, 0)
  copy.bytes[0] = 99
  const elsewhere = posix.mremap(copy, 2 * PAGE, 3 * PAGE, posix.MREMAP_MAYMOVE)
  t.deepEqual([elsewhere.getUint8(0), elsewhere.getUint8(PAGE), elsewhere.access], [99, 2, 'copy'])
  elsewhere.close()
  fs.closeSync(fd)
})

linuxOnly('mremap without MREMAP_MAYMOVE grows where it is, or not at all', (t) => {
  const address = remote()
  const low = posix.mmap(address, 2 * PAGE, RW, ANON | posix.MAP_FIXED_NOREPLACE, -1, 0)
  low.bytes.fill(5)
  const stop = posix.mmap(address + BigInt(8 * PAGE), PAGE, RW, ANON | posix.MAP_FIXED_NOREPLACE, -1, 0)
  const more = posix.mremap(low, 2 * PAGE, 8 * PAGE, 0)
  t.is(more.address, address)
  t.deepEqual([more.getUint8(0), more.getUint8(7 * PAGE)], [5, 0])
  t.throws(() => posix.mremap(more, 8 * PAGE, 9 * PAGE, 0), { code: 'ENOMEM' })
  t.false(more.closed)
  more.close()
  stop.close()
})

linuxOnly('10,000 mappings made, cut and closed leave nothing behind', async (t) => {
  const fd = pages(3)
  const count = () => maps().filter((line) => line.includes('memfd:memmap-test')).length
  const before = maps().length
  const files = fs.readdirSync('/proc/self/fd').length
  for (let i = 0; i < 10_000; i++) {
    const m = posix.mmap(null, 3 * PAGE, RW, MAP_SHARED, fd, 0)
    if (i % 4 === 0) m.bytes[1] = i
    if (i % 3 === 0) posix.munmap(at(m, 1), PAGE)
    m.close()
  }
  // Views are finalized a tick after they were detached.
  for (let i = 0; i < 20; i++) await new Promise((resolve) => setTimeout(resolve, 5))
  t.is(count(), 0)
  // Other threads map and unmap meanwhile; a third of 10,000 left would be more.
  t.true(maps().length < before + 1000, `${maps().length} mappings, ${before} before`)
  // Descriptors likewise.
  t.true(fs.readdirSync('/proc/self/fd').length <= files + 32)
  fs.closeSync(fd)
})

linuxOnly('descriptors are the caller’s: shm_open, memfd_create', (t) => {
  const name = `/memmap-posix-${process.pid}`
  const fd = posix.shm_open(name, posix.O_RDWR | posix.O_CREAT | posix.O_EXCL, 0o640)
  try {
    fs.ftruncateSync(fd, PAGE)
    t.is(fs.fstatSync(fd).mode & 0o777, 0o640)
    const m = posix.mmap(null, PAGE, RW, MAP_SHARED, fd, 0)
    const again = posix.shm_open(name, posix.O_RDONLY)
    m.setUint8(0, 5)
    const byte = Buffer.alloc(1)
    fs.readSync(again, byte, 0, 1, 0)
    t.is(byte[0], 5)
    fs.closeSync(again)
    m.close()
  } finally {
    posix.shm_unlink(name)
    fs.closeSync(fd)
  }
  t.false(fs.existsSync(`/dev/shm${name}`))
})

linuxOnly('sysconf knows the page and says -1 where there is no limit', (t) => {
  t.is(posix.sysconf(posix._SC_PAGESIZE), Mapping.pageSize)
  t.true(posix.sysconf(posix._SC_NPROCESSORS_ONLN) >= 1)
  const values = Array.from({ length: 200 }, (_, name) => {
    try {
      return posix.sysconf(name)
    } catch {
      return undefined
    }
  })
  t.true(values.includes(-1))
})

linuxOnly('munmap of neighbours that different threads have mapped takes both', async (t) => {
  const place = remote()
  const fixed = bitsOf(ANON, posix.MAP_FIXED_NOREPLACE)
  const mine = posix.mmap(place, PAGE, RW, fixed, -1, 0)
  const body = `
    const { parentPort, workerData } = require('node:worker_threads')
    const posix = require(${JSON.stringify(require.resolve('../lib/posix.js'))})
    const { address, length, rights, flags } = workerData
    const m = posix.mmap(address, length, rights, flags, -1, 0)
    m.setUint8(0, 7)
    parentPort.once('message', () => {
      let code
      try { m.getUint8(0) } catch (error) { code = error.code }
      parentPort.postMessage(code)
    })
    parentPort.postMessage('mapped')`
  const workerData = { address: place + BigInt(PAGE), length: PAGE, rights: RW, flags: fixed }
  const worker = new Worker(body, { eval: true, workerData })
  t.deepEqual(await once(worker, 'message'), ['mapped'])
  posix.munmap(place, 2 * PAGE)
  t.true(mine.closed)
  t.regex(protectionAt(place + BigInt(PAGE)) ?? 'gone', /^(---p|gone)$/)
  worker.postMessage('look')
  t.deepEqual(await once(worker, 'message'), ['EACCES'])
  await worker.terminate()
})
