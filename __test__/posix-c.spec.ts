import { spawnSync } from 'node:child_process'
import * as fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import { Mapping } from '../index.js'
import * as posix from '../lib/posix.js'
import { compilerProblem } from './c-headers.js'
import { FORK, SHM, SYSV, withProgram } from './c-programs.js'

const { SysvSharedMemory } = posix
const PAGE = Mapping.pageSize
const linux = process.platform === 'linux' ? test.serial : test.serial.skip
const problem = compilerProblem()
const withC = process.platform === 'linux' && problem === undefined ? test.serial : test.serial.skip
const because = problem === undefined ? '' : ` (skipped: ${problem})`

const folder = fs.mkdtempSync(join(tmpdir(), 'memmap-sysv-'))
test.after.always(() => fs.rmSync(folder, { recursive: true }))

/** The segments that the system lists, by the numbers of `ipcs -m`. */
function listed(): Set<number> {
  const rows = fs.readFileSync('/proc/sysvipc/shm', 'utf8').trim().split('\n').slice(1)
  return new Set(rows.map((row) => Number(row.trim().split(/\s+/)[1])))
}

/**
 * Asks until the answer is yes, or for two seconds: another test of this process may be starting a child, which has every attachment until its
 * exec(2).
 */
function soon(answer: () => boolean): boolean {
  const end = Date.now() + 2000
  while (!answer()) {
    if (Date.now() > end) return false
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5)
  }
  return true
}

const hasIpcs = spawnSync('ipcs', ['-m']).status === 0

linux('a segment is found by its key, attached twice, and gone after remove and the last close', (t) => {
  const key = SysvSharedMemory.ftok(folder, 1)
  const made = SysvSharedMemory.create(key, 5000, { mode: 0o640 })
  try {
    t.deepEqual([made.byteLength, made.access, made.path, made.fd], [5000, 'write', undefined, undefined])
    made.write('shared', 100)
    const found = SysvSharedMemory.open(key)
    t.is(found.id, made.id)
    t.is(found.access, 'read')
    t.is(found.read(100, 6).toString(), 'shared')
    t.throws(() => found.write('x', 0), { code: 'EACCES' })
    const { attached, mode, creatorPid, length, attachTime, detachTime } = made.stat()
    t.deepEqual([mode & 0o777, creatorPid, length], [0o640, process.pid, 5000])
    t.true(attached >= 2 && soon(() => made.stat().attached === 2))
    t.true(attachTime instanceof Date)
    t.is(detachTime, null)
    t.throws(() => SysvSharedMemory.create(key, 5000), { code: 'EEXIST' })
    const again = SysvSharedMemory.create(key, 100, { exclusive: false })
    t.is(again.id, made.id)
    again.close()
    found.close()
    t.true(soon(() => made.stat().attached === 1))
    t.is(made.size(), 5000)
    made.flushSync()
  } finally {
    made.remove()
    made.close()
  }
  t.true(soon(() => !listed().has(made.id)))
  t.throws(() => made.stat(), { code: 'EINVAL' })
  t.throws(() => SysvSharedMemory.open(key), { code: 'ENOENT' })
})

linux('the attachment ends at close, though views are there', (t) => {
  const made = SysvSharedMemory.create(posix.IPC_PRIVATE, 2 * PAGE)
  try {
    const other = SysvSharedMemory.attach(made.id, { access: 'write' })
    const view = other.bytes
    view[PAGE] = 5
    t.is(made.getUint8(PAGE), 5)
    t.true(soon(() => made.stat().attached === 2))
    other.close()
    t.is(view.length, 0)
    t.true(soon(() => made.stat().attached === 1))
  } finally {
    made.remove()
    made.close()
  }
})

linux('a store to a segment that was attached for reading is a fault, and reaches nobody', (t) => {
  const made = SysvSharedMemory.create(posix.IPC_PRIVATE, 2 * PAGE)
  try {
    made.fill(7)
    const reader = SysvSharedMemory.attach(made.id)
    reader.bytes[5] = 99
    t.deepEqual(reader.fault, { kind: 'protected', offset: 5 })
    t.deepEqual([reader.bytes[5], reader.bytes[6], made.getUint8(5)], [99, 7, 7])
    made.setUint8(PAGE, 8)
    t.is(reader.bytes[PAGE], 8)
    // Nothing leads to the segment's page any more.
    t.throws(() => reader.clearFault(), { code: 'ENOTSUP', message: /attach it again/ })
    t.is(reader.fault!.kind, 'protected')
    reader.close()
    const again = SysvSharedMemory.attach(made.id)
    t.is(again.bytes[5], 7)
    again.close()
  } finally {
    made.remove()
    made.close()
  }
})

linux('what protect closes of a segment, no store of this process reaches', (t) => {
  const made = SysvSharedMemory.create(posix.IPC_PRIVATE, 4 * PAGE)
  const other = SysvSharedMemory.attach(made.id, { access: 'write' })
  try {
    made.fill(7)
    made.protect('read', { offset: 0, length: 2 * PAGE })
    made.bytes[5] = 99
    made.bytes[PAGE] = 98
    t.deepEqual(made.fault, { kind: 'protected', offset: 5 })
    t.deepEqual([made.getUint8(5), made.getUint8(PAGE), made.getUint8(6)], [99, 98, 7])
    t.deepEqual([other.getUint8(5), other.getUint8(PAGE)], [7, 7])
    // What is stored there from now on would be this process's own, unseen.
    t.throws(() => made.protect('write'), { code: 'ENOTSUP', message: /attach it again/ })
    other.setUint8(2 * PAGE, 3)
    t.is(made.bytes[2 * PAGE], 3)
    // As madvise(2) does with MADV_REMOVE.
    other.discard({ offset: 3 * PAGE, length: PAGE })
    t.is(made.getUint8(3 * PAGE), 0)
    t.is(made.getUint8(3 * PAGE - 1), 7)
  } finally {
    made.remove()
    other.close()
    made.close()
  }
})

linux('the raw calls: shmget, shmat, shmctl, shmdt', (t) => {
  const id = posix.shmget(posix.IPC_PRIVATE, 3 * PAGE, posix.IPC_CREAT | 0o600)
  try {
    const m = posix.shmat(id)
    const reader = posix.shmat(id, null, posix.SHM_RDONLY)
    t.deepEqual([m.access, reader.access, m.byteLength], ['write', 'read', 3 * PAGE])
    m.setInt32(0, 42)
    t.is(reader.getInt32(0), 42)
    t.true(soon(() => posix.shmctl(id, posix.IPC_STAT)!.shm_nattch === 2))
    posix.shmdt(reader.address)
    t.true(reader.closed)
    posix.shmctl(id, posix.IPC_SET, { mode: 0o644 })
    const status = posix.shmctl(id, posix.IPC_STAT)!
    t.deepEqual([status.shm_perm.mode & 0o777, status.shm_segsz], [0o644, 3 * PAGE])
    t.true(soon(() => posix.shmctl(id, posix.IPC_STAT)!.shm_nattch === 1))
    t.is(posix.shmctl(id, posix.SHM_LOCK), undefined)
    t.is(posix.shmctl(id, posix.IPC_STAT)!.shm_perm.mode & posix.SHM_LOCKED, posix.SHM_LOCKED)
    posix.shmctl(id, posix.SHM_UNLOCK)
    t.throws(() => posix.shmctl(id, posix.IPC_SET), { code: 'ERR_INVALID_ARG_TYPE' })
    t.throws(() => posix.shmctl(id, 12_345), { code: 'EINVAL' })

    const room = posix.Reservation.reserve(8 * PAGE)
    const at = room.address + BigInt(PAGE)
    t.throws(() => posix.shmat(id, m.address, posix.SHM_REMAP), { code: 'EINVAL' })
    const placed = posix.shmat(id, at, posix.SHM_REMAP)
    t.is(placed.address, at)
    t.is(placed.getInt32(0), 42)
    t.true(soon(() => posix.shmctl(id, posix.IPC_STAT)!.shm_nattch === 2))
    room.close()
    t.true(placed.closed)
    t.true(soon(() => posix.shmctl(id, posix.IPC_STAT)!.shm_nattch === 1))
    posix.shmdt(m)
  } finally {
    posix.shmctl(id, posix.IPC_RMID)
  }
  t.true(soon(() => !listed().has(id)))
})

linux('wrong arguments are refused before a segment is made', (t) => {
  t.throws(() => SysvSharedMemory.create(0, 0), { code: 'ERR_OUT_OF_RANGE' })
  t.throws(() => SysvSharedMemory.create(0, PAGE, { modus: 1 } as never), { code: 'ERR_INVALID_ARG_VALUE' })
  t.throws(() => SysvSharedMemory.open(1, { access: 'copy' } as never), { code: 'ERR_INVALID_ARG_VALUE' })
  t.throws(() => SysvSharedMemory.attach('1' as never), { code: 'ERR_INVALID_ARG_TYPE' })
  t.throws(() => new (SysvSharedMemory as never as new () => unknown)(), { code: 'ERR_ILLEGAL_CONSTRUCTOR' })
})

withC(`a C program makes a segment, this one finds it by ftok; and the other way round${because}`, (t) => {
  withProgram(SYSV, (program) => {
    const run = (...args: string[]) => spawnSync(program, args, { encoding: 'utf8' })
    const id = Number(run('make', folder, '7').stdout)
    const found = SysvSharedMemory.open(SysvSharedMemory.ftok(folder, 7), { access: 'write' })
    t.is(found.id, id)
    t.is(found.byteLength, 10_000)
    t.is(found.view(Int32Array, 0, 1)[0], 21)
    found.remove()
    found.close()

    const made = SysvSharedMemory.create(posix.IPC_PRIVATE, PAGE)
    made.view(Int32Array)[0] = 21
    t.is(run('answer', String(made.id)).status, 0)
    t.is(made.view(Int32Array)[1], 42)
    made.remove()
    made.close()
    t.true(soon(() => !listed().has(id) && !listed().has(made.id)))
  })
})

;(hasIpcs ? linux : test.serial.skip)('ipcs lists a segment and ipcrm removes it', (t) => {
  const made = SysvSharedMemory.create(SysvSharedMemory.ftok(folder, 9), 12_345)
  const row = () =>
    spawnSync('ipcs', ['-m'], { encoding: 'utf8' })
      .stdout.split('\n')
      .find((line) => line.split(/\s+/)[1] === String(made.id))
  t.regex(row() ?? '', /12345/)
  t.is(Number(row()!.split(/\s+/)[0]), made.stat().key)
  t.is(spawnSync('ipcrm', ['-m', String(made.id)]).status, 0)
  // Still attached: it lives, under nobody's key.
  t.regex(row() ?? '', /dest/)
  t.is(made.stat().mode & posix.SHM_DEST, posix.SHM_DEST)
  made.setUint8(0, 1)
  made.close()
  t.true(soon(() => row() === undefined))
})

withC(`a C program opens a POSIX object by its name${because}`, (t) => {
  const name = `/memmap-c-${process.pid}`
  const fd = posix.shm_open(name, posix.O_RDWR | posix.O_CREAT | posix.O_EXCL)
  try {
    fs.ftruncateSync(fd, PAGE)
    const m = posix.mmap(null, PAGE, posix.PROT_READ | posix.PROT_WRITE, posix.MAP_SHARED, fd, 0)
    m.view(Int32Array)[0] = 21
    const { status, stderr } = withProgram(SHM, (program) => spawnSync(program, [name], { encoding: 'utf8' }))
    t.is(status, 0, stderr)
    t.is(m.view(Int32Array)[1], 42)
    m.close()
  } finally {
    posix.shm_unlink(name)
    fs.closeSync(fd)
  }
})

withC(`fork: a C program inherits the memory, and its child’s stores are seen here${because}`, (t) => {
  const fd = posix.memfd_create('memmap-fork')
  fs.ftruncateSync(fd, PAGE)
  const m = posix.mmap(null, PAGE, posix.PROT_READ | posix.PROT_WRITE, posix.MAP_SHARED, fd, 0)
  m.view(Int32Array)[0] = 40
  const { status } = withProgram(FORK, (program) =>
    spawnSync(program, [], { stdio: ['ignore', 'ignore', 'ignore', fd] }),
  )
  t.is(status, 0)
  t.deepEqual([...m.view(Int32Array, 0, 3)], [40, 41, 42])
  m.close()
  fs.closeSync(fd)
})
