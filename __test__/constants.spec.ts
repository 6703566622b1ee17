import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { getSystemErrorName } from 'node:util'
import test from 'ava'
import * as posix from '../lib/posix.js'
import { compilerProblem, readHeaders } from './c-headers.js'
import { launched, unless } from './helpers'

const enums = ['Prot', 'MapFlags', 'MsyncFlags', 'Advice', 'MremapFlags', 'MemfdFlags', 'ShmFlags'] as const
const exported = posix as unknown as Readonly<Record<string, unknown>>
const names = Object.keys(exported).filter((name) => /^[A-Z_][A-Z0-9_]*$/.test(name) && name !== '__esModule')
// Compiled, this file lies where its source does.
const typings = (file: string) => readFileSync(join(__dirname, '..', 'lib', file), 'utf8')

/** Newer than the headers of some distribution: the Linux version that brought each. */
const since: Readonly<Record<string, readonly [number, number]>> = {
  MAP_DROPPABLE: [6, 11],
  MADV_GUARD_INSTALL: [6, 13],
  MADV_GUARD_REMOVE: [6, 13],
  MFD_NOEXEC_SEAL: [6, 3],
  MFD_EXEC: [6, 3],
  F_SEAL_EXEC: [6, 3],
}

/** In the headers, not among ours, and why. */
const leftOut: Readonly<Record<string, string>> = {
  MAP_FAILED: 'a pointer; here mmap throws',
  MAP_INHERIT: 'accepted and ignored by old programs only',
  MAP_RESERVED0080: 'reserved (macOS)',
  MAP_ALIGNMENT_MASK: 'for MAP_ALIGNED(n), a macro with an argument (FreeBSD)',
  MAP_ABOVE4G: 'for shadow stacks of the C library (Linux on x86)',
  IPC_OWN: 'of semaphores and message queues in the kernel (Linux)',
  IPC_DIPC: 'the kernel’s own bit (Linux)',
  IPC_OLD: 'version of the kernel interface, not of the call',
  IPC_64: 'version of the kernel interface, not of the call',
  IPC_R: 'the kernel’s own name of S_IRUSR (BSD)',
  IPC_W: 'the kernel’s own name of S_IWUSR (BSD)',
  IPC_M: 'the kernel’s own bit (BSD)',
  SHM_ANON: 'a pointer (FreeBSD)',
  SHM_ALLOCATED: 'the kernel’s own bit (FreeBSD)',
  SHM_LARGEPAGE_ALLOC_DEFAULT: 'of shm_create_largepage(3), which is not offered (FreeBSD)',
  SHM_LARGEPAGE_ALLOC_NOWAIT: 'of shm_create_largepage(3), which is not offered (FreeBSD)',
  SHM_LARGEPAGE_ALLOC_HARD: 'of shm_create_largepage(3), which is not offered (FreeBSD)',
  SHM_RENAME_NOREPLACE: 'of shm_rename(2), which is not offered (FreeBSD)',
  SHM_RENAME_EXCHANGE: 'of shm_rename(2), which is not offered (FreeBSD)',
}

const families = /^(?:PROT|MAP|MS|MADV|POSIX_MADV|MREMAP|MFD|MLOCK|MCL|MINCORE|IPC|SHM|F_SEAL)_/

/** The C library's headers and the kernel's: the second have newer names, and the two cannot be included together. */
function readAll() {
  const library = readHeaders(
    ['sys/types.h', 'sys/mman.h', 'sys/ipc.h', 'sys/shm.h', 'sys/stat.h', 'fcntl.h', 'unistd.h'],
    names,
  )
  if (process.platform !== 'linux' && process.platform !== 'android') return { sets: [library], version: undefined }
  const kernel = ['linux/mman.h', 'linux/shm.h', 'linux/memfd.h', 'linux/fcntl.h', 'linux/version.h']
  const sets = [library, readHeaders(kernel, names)]
  return { sets, version: readHeaders(['linux/version.h'], ['LINUX_VERSION_CODE']).values.get('LINUX_VERSION_CODE') }
}

const problem = compilerProblem()
const withCompiler = problem === undefined ? test : test.skip
const because = problem === undefined ? '' : ` (skipped: ${problem})`

withCompiler(`every constant has the value of the C headers, and is offered where they have it${because}`, (t) => {
  const { sets, version } = readAll()
  const wrong: string[] = []
  let compared = 0
  for (const name of names) {
    const ours = exported[name]
    const theirs = sets.map(({ values }) => values.get(name)).filter((value) => value !== undefined)
    for (const value of theirs) {
      compared++
      // As the unsigned number that the kernel reads: some headers shift into the sign bit.
      if (typeof ours !== 'number') wrong.push(`${name} is ${value} in C and not offered`)
      else if (ours !== value >>> 0) wrong.push(`${name} is ${ours}, in C ${value}`)
    }
    if (theirs.length === 0 && typeof ours === 'number') {
      const born = since[name]
      const older = born && version !== undefined && version < (born[0] << 16) + (born[1] << 8)
      if (!older) wrong.push(`${name} is ${ours}, and no header has it`)
    }
  }
  t.deepEqual(wrong, [])
  t.log(`${compared} values compared, of ${names.length} names`)
  t.true(compared > 100)
})

withCompiler(`the headers have no constant of these families that we never heard of${because}`, (t) => {
  const known = new Set([...names, ...Object.keys(leftOut)])
  for (const { macros } of readAll().sets) {
    t.true(macros.has('MAP_SHARED'))
    t.deepEqual(
      [...macros].filter((name) => families.test(name) && !known.has(name)),
      [],
    )
  }
})

test('what API.md promises is there, and on Windows none of it is a number', (t) => {
  const promised = `PROT_READ PROT_WRITE PROT_EXEC PROT_NONE MAP_SHARED MAP_PRIVATE MAP_SHARED_VALIDATE MAP_FIXED
    MAP_FIXED_NOREPLACE MAP_ANONYMOUS MAP_ANON MAP_FILE MAP_DENYWRITE MAP_EXECUTABLE MAP_GROWSDOWN MAP_LOCKED MAP_NORESERVE
    MAP_POPULATE MAP_NONBLOCK MAP_STACK MAP_HUGETLB MAP_SYNC MAP_32BIT`.split(/\s+/)
  for (const name of promised) {
    const type = typeof exported[name]
    if (process.platform === 'win32') t.is(type, 'object', name)
    else if (process.platform === 'linux' && name !== 'MAP_32BIT') t.is(type, 'number', name)
    else t.true(type === 'number' || type === 'object', name)
  }
  t.deepEqual(
    promised.filter((name) => !(name in posix.Prot) && !(name in posix.MapFlags)),
    [],
  )
  t.is(
    names.some((name) => typeof exported[name] === 'number'),
    process.platform !== 'win32',
  )
})

test('a constant that this system lacks throws ENOTSUP wherever it is used as a number', (t) => {
  const absent = names.filter((name) => typeof exported[name] !== 'number')
  t.true(absent.length > 0, 'no system has all of them')
  for (const name of absent) {
    const value = exported[name] as number
    const uses = [() => 1 | value, () => value & 1, () => +value, () => value + 1, () => value < 1, () => `${value}`]
    for (const use of uses) {
      const error = t.throws(use, { code: 'ENOTSUP' }) as NodeJS.ErrnoException
      t.is(error.message, `ENOTSUP: ${name} is not offered by ${process.platform}`)
      t.is(getSystemErrorName(error.errno!), 'ENOTSUP')
    }
    t.throws(() => ((value as unknown as { name: string }).name = 'MAP_SHARED'), { instanceOf: TypeError })
  }
})

for (const name of enums) {
  test(`${name} is frozen and has the members of its typings, each the same as the flat constant`, (t) => {
    const members = posix[name] as unknown as Readonly<Record<string, unknown>>
    const declared = typings('posix/enums.d.ts').match(new RegExp(`export declare enum ${name} \\{([^}]*)\\}`))
    t.truthy(declared, 'declared, and not const')
    const declaredNames = declared![1]!.split(',').map((member) => member.trim())
    t.notRegex(declared![1]!, /=/, 'a value in the typings would be inlined into programs for other systems')
    t.deepEqual(Object.keys(members), declaredNames)
    t.true(Object.isFrozen(members))
    for (const member of declaredNames) t.is(members[member], exported[member], member)
  })
}

test('no value is in the typings of the flat constants, and each is there', (t) => {
  const declared = [...typings('posix.d.ts').matchAll(/^export declare const (\w+): number;$/gm)].map((hit) => hit[1]!)
  t.deepEqual(declared.toSorted(), names.toSorted())
})

test('every name can be imported from an ES module', async (t) => {
  const module: Readonly<Record<string, unknown>> = await import('../lib/posix.js')
  for (const name of [...names, ...enums]) t.is(module[name], exported[name], name)
})

unless(launched && 'an emulator is slow, and a launcher costs time of its own')(
  'loading it costs less than 15 ms of processor time more than the package itself, which its calls bring along',
  (t) => {
    const time = (path: string) => {
      const file = JSON.stringify(require.resolve(path))
      // Processor time: by the clock, a busy machine would fail a program that is fast enough.
      const script = `const t = process.cpuUsage(); require(${file}); const { user, system } = process.cpuUsage(t); console.log((user + system) / 1000)`
      const times = Array.from({ length: 7 }, () =>
        Number(execFileSync(process.execPath, ['-e', script], { encoding: 'utf8' })),
      )
      t.log(path, times.map((one) => one.toFixed(1)).join(' '))
      return Math.min(...times)
    }
    t.true(time('../lib/posix.js') - time('../index.js') < 15)
  },
)
