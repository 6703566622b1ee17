// Each documented errno of memmap/posix, provoked. The table is printed.
import { spawn, spawnSync } from 'node:child_process'
import * as fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { getSystemErrorName } from 'node:util'
import test from 'ava'
import { MappedFile, Mapping } from '../index.js'
import * as posix from '../lib/posix.js'
import { bitsOf, onLinux, unless } from './helpers'
import { disk } from './systems'
import { compilerProblem } from './c-headers.js'
import { SEAL, withProgram } from './c-programs.js'

const { PROT_READ, PROT_WRITE, MAP_SHARED, MAP_PRIVATE, MAP_ANONYMOUS } = posix
const RW = bitsOf(PROT_READ, PROT_WRITE)
const ANON = bitsOf(MAP_PRIVATE, MAP_ANONYMOUS)
const PAGE = Mapping.pageSize

interface Row {
  readonly code: string
  readonly call: string
  readonly when: string
  /** Throws it. */
  readonly provoke: () => unknown
  /** The call that the error names, where it is not `call`. */
  readonly syscall?: string
}

const folder = fs.mkdtempSync(join(tmpdir(), 'memmap-errno-'))
const file = join(folder, 'file')
fs.writeFileSync(file, Buffer.alloc(3 * PAGE, 1))
const readable = fs.openSync(file, 'r')
const writable = fs.openSync(file, 'r+')
const writeOnly = fs.openSync(file, fs.constants.O_WRONLY)
const directory = fs.openSync(folder, 'r')

test.after.always(() => {
  for (const fd of [readable, writable, writeOnly, directory]) fs.closeSync(fd)
  fs.rmSync(folder, { recursive: true })
})

const anon = (length = PAGE) => posix.mmap(null, length, RW, ANON, -1, 0)

/** Runs a call on a mapping that is closed afterwards. */
function withMapping(use: (m: ReturnType<typeof anon>) => unknown, length = 3 * PAGE): () => unknown {
  return () => {
    const m = anon(length)
    try {
      return use(m)
    } finally {
      m.close()
    }
  }
}

/** Runs a call on a mapping whose middle page was unmapped. */
const withHole = (use: (m: ReturnType<typeof anon>) => unknown) =>
  withMapping((m) => {
    posix.munmap(m.address + BigInt(PAGE), PAGE)
    return use(m)
  })

const rows: Row[] = [
  {
    code: 'EACCES',
    call: 'mmap',
    when: 'shared and writable, of a read-only descriptor',
    provoke: () => posix.mmap(null, PAGE, RW, MAP_SHARED, readable, 0),
  },
  {
    code: 'EACCES',
    call: 'mmap',
    when: 'a descriptor that cannot be read',
    provoke: () => posix.mmap(null, PAGE, PROT_READ, MAP_PRIVATE, writeOnly, 0),
  },
  {
    code: 'EACCES',
    call: 'mprotect',
    when: 'PROT_WRITE on a shared mapping of a read-only descriptor',
    provoke: () => {
      const m = posix.mmap(null, PAGE, PROT_READ, MAP_SHARED, readable, 0)
      try {
        posix.mprotect(m, PAGE, RW)
      } finally {
        m.close()
      }
    },
  },
  {
    code: 'EBADF',
    call: 'mmap',
    when: 'no such descriptor',
    provoke: () => posix.mmap(null, PAGE, PROT_READ, MAP_SHARED, 999_999, 0),
  },
  {
    code: 'EBADF',
    call: 'mmap',
    when: 'fd -1 without MAP_ANONYMOUS',
    provoke: () => posix.mmap(null, PAGE, PROT_READ, MAP_PRIVATE, -1, 0),
  },
  { code: 'EINVAL', call: 'mmap', when: 'length 0', provoke: () => posix.mmap(null, 0, RW, ANON, -1, 0) },
  {
    code: 'EINVAL',
    call: 'mmap',
    when: 'an offset inside of a page',
    provoke: () => posix.mmap(null, PAGE, PROT_READ, MAP_SHARED, readable, 100),
  },
  {
    code: 'EINVAL',
    call: 'mmap',
    when: 'neither MAP_SHARED nor MAP_PRIVATE',
    provoke: () => posix.mmap(null, PAGE, RW, MAP_ANONYMOUS, -1, 0),
  },
  {
    code: 'EINVAL',
    call: 'mmap',
    when: 'MAP_FIXED outside of a Reservation',
    provoke: withMapping((m) => posix.mmap(m.address, PAGE, RW, ANON | posix.MAP_FIXED, -1, 0)),
  },
  {
    code: 'EEXIST',
    call: 'mmap',
    when: 'MAP_FIXED_NOREPLACE where something is',
    provoke: withMapping((m) => posix.mmap(m.address, PAGE, RW, ANON | posix.MAP_FIXED_NOREPLACE, -1, 0)),
  },
  {
    code: 'ENODEV',
    call: 'mmap',
    when: 'a directory',
    provoke: () => posix.mmap(null, PAGE, PROT_READ, MAP_PRIVATE, directory, 0),
  },
  {
    code: 'ENOMEM',
    call: 'mmap',
    when: 'more than the address space',
    provoke: () => posix.mmap(null, 2n ** 60n, RW, ANON, -1, 0),
  },
  {
    code: 'EOVERFLOW',
    call: 'mmap',
    when: 'offset + length past the largest file',
    provoke: () => posix.mmap(null, PAGE, PROT_READ, MAP_SHARED, readable, 2n ** 63n - BigInt(PAGE)),
  },
  {
    code: 'ENOTSUP',
    call: 'mmap',
    when: 'MAP_SYNC of a file that is not persistent memory',
    provoke: () => posix.mmap(null, PAGE, RW, posix.MAP_SHARED_VALIDATE | posix.MAP_SYNC, writable, 0),
  },
  { code: 'EINVAL', call: 'munmap', when: 'length 0', provoke: withMapping((m) => posix.munmap(m, 0)) },
  {
    code: 'EINVAL',
    call: 'munmap',
    when: 'an address inside of a page',
    provoke: withMapping((m) => posix.munmap(m.address + 1n, PAGE)),
  },
  { code: 'EINVAL', call: 'munmap', when: 'an address of nobody', provoke: () => posix.munmap(0x10000n, PAGE) },
  {
    code: 'EINVAL',
    call: 'munmap',
    when: 'more than what is ours',
    provoke: withMapping((m) => posix.munmap(m, 1 << 30)),
  },
  {
    code: 'EINVAL',
    call: 'mprotect',
    when: 'an address of nobody',
    provoke: () => posix.mprotect(0x10000n, PAGE, PROT_READ),
  },
  {
    code: 'EINVAL',
    call: 'mprotect',
    when: 'bits that no protection has',
    provoke: withMapping((m) => posix.mprotect(m, PAGE, 0x4000_0000)),
  },
  {
    code: 'ENOMEM',
    call: 'mprotect',
    when: 'a range with a hole',
    provoke: withHole((m) => posix.mprotect(m, 3 * PAGE, PROT_READ)),
  },
  {
    code: 'EINVAL',
    call: 'msync',
    when: 'MS_SYNC and MS_ASYNC together',
    provoke: withMapping((m) => posix.msync(m, PAGE, posix.MS_SYNC | posix.MS_ASYNC)),
  },
  {
    code: 'EINVAL',
    call: 'msync',
    when: 'an address inside of a page',
    provoke: withMapping((m) => posix.msync(m.address + 8n, PAGE, posix.MS_SYNC)),
  },
  {
    code: 'ENOMEM',
    call: 'msync',
    when: 'a range with a hole',
    provoke: withHole((m) => posix.msync(m, 3 * PAGE, posix.MS_SYNC)),
  },
  {
    code: 'EBUSY',
    call: 'msync',
    when: 'MS_INVALIDATE of locked pages',
    provoke: withMapping((m) => {
      posix.mlock(m, PAGE)
      posix.msync(m, PAGE, posix.MS_SYNC | posix.MS_INVALIDATE)
    }),
  },
  {
    code: 'EINVAL',
    call: 'madvise',
    when: 'a number that no advice has',
    provoke: withMapping((m) => posix.madvise(m, PAGE, 9999)),
  },
  {
    code: 'ENOMEM',
    call: 'madvise',
    when: 'a range with a hole',
    provoke: withHole((m) => posix.madvise(m, 3 * PAGE, posix.MADV_WILLNEED)),
  },
  { code: 'ENOMEM', call: 'mlock', when: 'a range with a hole', provoke: withHole((m) => posix.mlock(m, 3 * PAGE)) },
  {
    code: 'ENOMEM',
    call: 'munlock',
    when: 'a range with a hole',
    provoke: withHole((m) => posix.munlock(m, 3 * PAGE)),
  },
  {
    code: 'ENOMEM',
    call: 'mincore',
    when: 'a range with a hole',
    provoke: withHole((m) => posix.mincore(m, 3 * PAGE)),
  },
  {
    code: 'EINVAL',
    call: 'mincore',
    when: 'an address inside of a page',
    provoke: withMapping((m) => posix.mincore(m.address + 1n, PAGE)),
  },
  {
    code: 'EINVAL',
    call: 'mremap',
    when: 'bits that no flag has',
    provoke: withMapping((m) => posix.mremap(m, 3 * PAGE, PAGE, 64)),
  },
  {
    code: 'EINVAL',
    call: 'mremap',
    when: 'new size 0',
    provoke: withMapping((m) => posix.mremap(m, 3 * PAGE, 0, posix.MREMAP_MAYMOVE)),
  },
  {
    code: 'EINVAL',
    call: 'mremap',
    when: 'old size 0 of private memory',
    provoke: withMapping((m) => posix.mremap(m, 0, PAGE, posix.MREMAP_MAYMOVE)),
  },
  {
    code: 'EINVAL',
    call: 'mremap',
    when: 'MREMAP_FIXED outside of a Reservation',
    provoke: withMapping((m) => posix.mremap(m, 3 * PAGE, PAGE, posix.MREMAP_MAYMOVE | posix.MREMAP_FIXED, m.address)),
  },
  {
    code: 'EFAULT',
    call: 'mremap',
    when: 'a mapping with a hole',
    provoke: withHole((m) => posix.mremap(m, 3 * PAGE, 4 * PAGE, posix.MREMAP_MAYMOVE)),
  },
  {
    code: 'ENOENT',
    call: 'shm_open',
    when: 'no object of that name',
    provoke: () => posix.shm_open('/memmap-nobody-made-this', posix.O_RDONLY),
  },
  {
    code: 'EEXIST',
    call: 'shm_open',
    when: 'O_EXCL, and it is there',
    provoke: () => {
      const name = `/memmap-errno-${process.pid}`
      const flags = posix.O_RDWR | posix.O_CREAT | posix.O_EXCL
      fs.closeSync(posix.shm_open(name, flags))
      try {
        posix.shm_open(name, flags)
      } finally {
        posix.shm_unlink(name)
      }
    },
  },
  {
    code: 'ENOENT',
    call: 'shm_unlink',
    when: 'no object of that name',
    provoke: () => posix.shm_unlink('/memmap-nobody-made-this'),
  },
  {
    code: 'EINVAL',
    call: 'memfd_create',
    when: 'bits that no flag has',
    provoke: () => posix.memfd_create('x', 1 << 20),
  },
  { code: 'ENOENT', call: 'ftok', when: 'no such file', provoke: () => posix.ftok('/memmap/nobody', 1) },
  {
    code: 'EINVAL',
    call: 'shmget',
    when: 'length 0 of a new segment',
    provoke: () => posix.shmget(posix.IPC_PRIVATE, 0, posix.IPC_CREAT | 0o600),
  },
  {
    code: 'ENOENT',
    call: 'shmget',
    when: 'no segment with that key',
    provoke: () => posix.shmget(0x6d6d_6170, PAGE, 0),
  },
  { code: 'EINVAL', call: 'shmat', when: 'no segment with that id', provoke: () => posix.shmat(-1) },
  {
    code: 'EINVAL',
    call: 'shmdt',
    when: 'a mapping that shmat did not make',
    provoke: withMapping((m) => posix.shmdt(m)),
  },
  { code: 'EINVAL', call: 'shmctl', when: 'no segment with that id', provoke: () => posix.shmctl(-1, posix.IPC_STAT) },
  { code: 'EINVAL', call: 'sysconf', when: 'a number that no name has', provoke: () => posix.sysconf(1_000_000) },
  {
    code: 'ETXTBSY',
    call: 'MappedFile.openSync',
    syscall: 'open',
    when: 'for writing, of a program that runs',
    provoke: () => writeRunning(),
  },
]

/** MAP_DENYWRITE is ignored (see the test below): this is where ETXTBSY is still given. */
function writeRunning(): void {
  const program = join(folder, 'sleep')
  fs.copyFileSync(spawnSync('which', ['sleep'], { encoding: 'utf8' }).stdout.trim(), program)
  const child = spawn(program, ['60'], { stdio: 'ignore' })
  try {
    MappedFile.openSync(program, { access: 'write' }).close()
  } finally {
    child.kill('SIGKILL')
  }
}

const table: string[] = []
const note = (code: string, call: string, when: string) => table.push(`${code.padEnd(10)} ${call.padEnd(20)} ${when}`)

const linux = unless(!onLinux && 'these are the answers of Linux')

for (const row of rows) {
  linux(`${row.code}: ${row.call}: ${row.when}`, (t) => {
    const error = t.throws(row.provoke, { code: row.code }) as NodeJS.ErrnoException
    t.is(getSystemErrorName(error.errno!), row.code)
    t.is(error.syscall, row.syscall ?? row.call)
    t.true(error.message.startsWith(`${row.code}: `))
    note(row.code, row.call, row.when)
  })
}

/** Runs a script in a child with limits of the shell; it prints the code and the call of the error that it met. */
function child(limits: string, script: string): string {
  const file = JSON.stringify(require.resolve('../lib/posix.js'))
  const source = `const posix = require(${file}); const fs = require('fs'); try { ${script}; console.log('nothing') } catch (e) { console.log(e.code, e.syscall) }`
  const { stdout, stderr } = spawnSync('sh', ['-c', `${limits} && exec "$0" -e "$1"`, process.execPath, source], {
    encoding: 'utf8',
  })
  return stdout.trim() || stderr
}

/** Root may lock what it likes; nobody may not. */
const asNobody = 'if (process.getuid() === 0) { process.setgroups([]); process.setgid(65534); process.setuid(65534) }'
const memory = 'posix.PROT_READ | posix.PROT_WRITE, posix.MAP_PRIVATE | posix.MAP_ANONYMOUS'

linux('EAGAIN: mmap: MAP_LOCKED past the limit of locked memory', (t) => {
  t.is(
    child('ulimit -l 64', `${asNobody}; posix.mmap(null, 1 << 20, ${memory} | posix.MAP_LOCKED, -1, 0)`),
    'EAGAIN mmap',
  )
  note('EAGAIN', 'mmap', 'MAP_LOCKED past the limit of locked memory')
})

linux('ENOMEM: mlock: past the limit of locked memory', (t) => {
  t.is(
    child('ulimit -l 64', `${asNobody}; posix.mlock(posix.mmap(null, 1 << 20, ${memory}, -1, 0), 1 << 20)`),
    'ENOMEM mlock',
  )
  note('ENOMEM', 'mlock', 'past the limit of locked memory')
})

const limiting = unless(
  onLinux ? spawnSync('prlimit', ['--version']).status !== 0 && 'no prlimit here' : 'limits of Linux',
)
limiting('ENOMEM: mmap: past the limit of address space', (t) => {
  // In the child, so that the limit holds from the script on and not while Node starts.
  const size = "Number(/VmSize:\\s+(\\d+)/.exec(fs.readFileSync('/proc/self/status', 'utf8'))[1]) * 1024 + (1 << 28)"
  const limit = `require('child_process').execFileSync('prlimit', ['--pid', String(process.pid), '--as=' + (${size})])`
  t.is(child('true', `${limit}; posix.mmap(null, 1 << 30, ${memory}, -1, 0)`), 'ENOMEM mmap')
  note('ENOMEM', 'mmap', 'past the limit of address space')
})

linux('EMFILE: memfd_create, shm_open, mmap: the process has no descriptor left', (t) => {
  const fill =
    'const all = []; try { for (;;) all.push(posix.memfd_create("x")) } catch (e) { if (e.code !== "EMFILE") throw e }'
  t.is(child('ulimit -n 100', 'for (;;) posix.memfd_create("x")'), 'EMFILE memfd_create')
  t.is(
    child('ulimit -n 100', `${fill}; posix.mmap(null, 4096, posix.PROT_READ, posix.MAP_SHARED, all[0], 0)`),
    'EMFILE mmap',
  )
  t.is(
    child('ulimit -n 100', `${fill}; posix.shm_open("/memmap-never", posix.O_RDWR | posix.O_CREAT)`),
    'EMFILE shm_open',
  )
  note('EMFILE', 'memfd_create', 'the process has no descriptor left')
  note('EMFILE', 'shm_open', 'the process has no descriptor left')
  note('EMFILE', 'mmap', 'no descriptor is left for the guard’s duplicate')
})

unless(onLinux ? compilerProblem() : 'seals are of Linux')(
  'EPERM: mmap: shared and writable, of a memfd sealed against it',
  (t) => {
    const fd = posix.memfd_create('sealed', posix.MFD_ALLOW_SEALING)
    fs.ftruncateSync(fd, PAGE)
    const seal = withProgram(SEAL, (program) =>
      spawnSync(program, [String(posix.F_SEAL_WRITE)], { stdio: ['ignore', 'ignore', 'ignore', fd] }),
    )
    t.is(seal.status, 0)
    const error = t.throws(() => posix.mmap(null, PAGE, RW, MAP_SHARED, fd, 0), {
      code: 'EPERM',
    }) as NodeJS.ErrnoException
    t.is(error.syscall, 'mmap')
    const m = posix.mmap(null, PAGE, PROT_READ, MAP_SHARED, fd, 0)
    t.is(m.getUint8(0), 0)
    m.close()
    fs.closeSync(fd)
    note('EPERM', 'mmap', 'shared and writable, of a sealed memfd')
  },
)

const noexec = disk('tmpfs', 'size=64k,noexec')
unless(noexec.problem, test.serial)('EPERM: mmap: PROT_EXEC of a file on a noexec mount', (t) => {
  if (noexec.problem !== undefined) return
  const path = join(noexec.path, 'file')
  fs.writeFileSync(path, Buffer.alloc(PAGE))
  const fd = fs.openSync(path, 'r')
  const error = t.throws(() => posix.mmap(null, PAGE, bitsOf(PROT_READ, posix.PROT_EXEC), MAP_PRIVATE, fd, 0), {
    code: 'EPERM',
  }) as NodeJS.ErrnoException
  t.is(error.syscall, 'mmap')
  fs.closeSync(fd)
  note('EPERM', 'mmap', 'PROT_EXEC of a file on a noexec mount')
})

linux('MAP_DENYWRITE and MAP_EXECUTABLE are passed on, and ignored: no ETXTBSY', (t) => {
  const m = posix.mmap(null, PAGE, PROT_READ, MAP_PRIVATE | posix.MAP_DENYWRITE | posix.MAP_EXECUTABLE, writable, 0)
  t.is(m.getUint8(0), 1)
  fs.writeSync(writable, Buffer.of(1), 0, 1, 0)
  m.close()
})

test.serial('arguments of the wrong type are refused before anything is called', (t) => {
  const wrong = [
    () => posix.mmap(4096 as never, PAGE, RW, ANON, -1, 0),
    () => posix.mmap(null, '1' as never, RW, ANON, -1, 0),
    () => posix.munmap(null as never, PAGE),
    () => posix.msync({} as never, PAGE, 0),
    () => posix.shm_open(7 as never, 0),
  ]
  for (const call of wrong) t.throws(call, { code: 'ERR_INVALID_ARG_TYPE' })
  t.throws(() => posix.mmap(null, -1, RW, ANON, -1, 0), { code: 'ERR_OUT_OF_RANGE' })
  t.throws(() => posix.mmap(null, 1.5, RW, ANON, -1, 0), { code: 'ERR_OUT_OF_RANGE' })
  t.throws(() => posix.memfd_create('a\0b'), { code: 'ERR_INVALID_ARG_VALUE' })
  const absent = Object.values(posix).find((value) => typeof value === 'object' && Symbol.toPrimitive in value)
  t.throws(() => posix.mmap(null, PAGE, RW, absent as never, -1, 0), { code: 'ENOTSUP' })
  const closed = onLinux ? anon() : undefined
  closed?.close()
  if (closed) t.throws(() => posix.msync(closed, PAGE, posix.MS_SYNC), { code: 'ERR_INVALID_STATE' })
})

test.after('the table', (t) => {
  t.log(['errno      call                 when', ...table.toSorted()].join('\n'))
  if (onLinux) t.true(table.length >= rows.length)
})
