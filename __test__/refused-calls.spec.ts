// Every errno of the contract that these calls can give: provoked for real where that can be done, else by a filter on the system call
// (seccomp), as a container has one.
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, constants, copyFileSync, existsSync, openSync } from 'node:fs'
import { constants as os } from 'node:os'
import test from 'ava'
import { AnonymousMemory, MappedFile, Mapping, SharedMemory } from '../index'
import {
  asRoot,
  counting,
  file,
  folder,
  fresh,
  onLinux,
  page,
  posixOnly,
  sparse,
  unless,
  using,
  wideOnly,
} from './helpers'
import { asNobody, compiled, disk, elsewhere, fails, shmName } from './systems'

const { problem, ...built } = onLinux ? compiled('refuse') : { problem: 'a filter of Linux' }
const refuse = 'program' in built ? (built.program as string) : ''
const filterProblem = ((): string | undefined => {
  if (problem) return problem
  const { status } = spawnSync(refuse, ['openat', '2', '1', '0xffffffff', '--', 'true'])
  return status === 0 ? undefined : 'no filters on system calls here'
})()
const filtered = unless(filterProblem)

/** The command that starts another one for which a call fails. */
function refusing(call: string, errno: keyof typeof os.errno, ...condition: string[]): { by: string[] } {
  return { by: [refuse, call, String(os.errno[errno]), ...condition, '--'] }
}
/** Only our `open`: Node's own has other flags. */
const ours = ['2', String(constants.O_NONBLOCK | constants.O_NOCTTY)]

test('EACCES: a descriptor for reading cannot be mapped for writing', (t) => {
  const fd = openSync(file(counting(10)), 'r')
  fails(t, () => MappedFile.openSync(fd, { access: 'write' }), 'EACCES')
  closeSync(fd)
})

asNobody('EACCES: a file that nobody may read', async (t) => {
  const path = fresh()
  closeSync(openSync(path, 'w', 0o600))
  t.is(await elsewhere(`return code(() => MappedFile.openSync(${JSON.stringify(path)}))`, { nobody: true }), 'EACCES')
})

filtered('EAGAIN: mmap of a file that is locked', async (t) => {
  const path = file(counting(page))
  const body = `return [code(() => MappedFile.openSync(${JSON.stringify(path)}, { access: 'write' })), await MappedFile.open(${JSON.stringify(path)}, { access: 'write' }).catch((error) => [error.code, error.syscall, error.path])]`
  t.deepEqual(await elsewhere(body, refusing('mmap', 'EAGAIN', '3', '1')), ['EAGAIN', ['EAGAIN', 'mmap', path]])
})

posixOnly('EBADF: no such descriptor, or one that is only a path', (t) => {
  fails(t, () => MappedFile.openSync(999_999), 'EBADF')
  if (!onLinux) return
  const O_PATH = 0o10_000_000
  const fd = openSync(file('x'), O_PATH)
  fails(t, () => MappedFile.openSync(fd), 'EBADF')
  closeSync(fd)
})

test('EBUSY: a mapping that is shared keeps its length', (t) => {
  using(AnonymousMemory.create(page), (m) => using(Mapping.from(m.share()), () => fails(t, () => m.resize(1), 'EBUSY')))
})

test('EEXIST, EISDIR, ENOENT: as node:fs has them', (t) => {
  fails(t, () => MappedFile.openSync(file('x'), { access: 'write', create: 'exclusive', length: 1 }), 'EEXIST', 'open')
  const descriptor = openSync(file('x'), 'r+')
  fails(t, () => MappedFile.openSync(descriptor, { access: 'write', create: 'exclusive' }), 'EEXIST', 'open')
  using(MappedFile.openSync(descriptor, { access: 'write', create: true }), (m) => t.is(m.byteLength, 1))
  closeSync(descriptor)
  fails(t, () => MappedFile.openSync(folder), 'EISDIR')
  fails(t, () => MappedFile.openSync(folder, { access: 'write' }), 'EISDIR')
  fails(t, () => MappedFile.openSync(`${folder}/missing`), 'ENOENT', 'open')
})

posixOnly('EINVAL: a device without a length', (t) => {
  fails(t, () => MappedFile.openSync('/dev/zero'), 'EINVAL')
})

unless(!onLinux && 'counts descriptors with ulimit')(
  'EMFILE: no descriptor is left, for whatever needs one; the mappings that are there work on',
  async (t) => {
    const path = file(counting(page))
    const answer = await elsewhere(
      `const path = ${JSON.stringify(path)}
    const m = MappedFile.openSync(path, { access: 'write' })
    const fd = fs.openSync(path)
    const open = []
    // Before each call: glibc's malloc opens and closes a file of /proc now and then, on any thread.
    const fill = () => {
      try { for (;;) open.push(fs.openSync(path)) } catch (error) { if (error.code !== 'EMFILE') throw error }
    }
    const codes = [
      () => MappedFile.openSync(path), () => MappedFile.openSync(fd), () => SharedMemory.anonymous(1),
      () => SharedMemory.createSync(${JSON.stringify(shmName())}, 1), () => SharedMemory.fromFd(fd),
    ].map((action) => (fill(), code(action)))
    fill()
    codes.push(await MappedFile.open(path).catch((error) => error.code))
    m.setUint8(0, 7); m.flushSync(); m.resize(10000); AnonymousMemory.create(5).close()
    open.forEach((fd) => fs.closeSync(fd))
    codes.push(code(() => MappedFile.openSync(path).close()))
    return codes`,
      { limits: ['-n 64'] },
    )
    t.deepEqual(answer, [...Array.from({ length: 6 }, () => 'EMFILE'), 'nothing'])
  },
)

for (const errno of ['ENFILE', 'EOVERFLOW', 'ENOMEM', 'EPERM'] as const) {
  filtered(`${errno}: what open says arrives under its name`, async (t) => {
    const path = file(counting(page))
    const body = `
      const tell = (error) => [error.code, require('node:util').getSystemErrorName(error.errno), error.syscall, error.path]
      const answers = []
      try { MappedFile.openSync(${JSON.stringify(path)}) } catch (error) { answers.push(tell(error)) }
      await MappedFile.open(${JSON.stringify(path)}).catch((error) => answers.push(tell(error)))
      return answers`
    const expected = [errno, errno, 'open', path]
    t.deepEqual(await elsewhere(body, refusing('openat', errno, ...ours)), [expected, expected])
  })
}

filtered('ENFILE: memory without a name', async (t) => {
  t.is(await elsewhere('return code(() => SharedMemory.anonymous(1))', refusing('memfd_create', 'ENFILE')), 'ENFILE')
})

posixOnly('ENODEV: what is neither file nor memory', (t) => {
  fails(t, () => MappedFile.openSync('/dev/null', { length: 1 }), 'ENODEV')
})

wideOnly('ENOMEM: more than the address space', (t) => {
  fails(t, () => AnonymousMemory.create(Number.MAX_SAFE_INTEGER), 'ENOMEM', 'mmap')
  fails(t, () => AnonymousMemory.create(2 ** 50), 'ENOMEM', 'mmap')
})

unless(!onLinux && 'limits address space with ulimit')('ENOMEM: more than `ulimit -v` allows', async (t) => {
  const path = sparse(2 ** 32)
  const answer = await elsewhere(
    `process.env.READY = 1
    const { VmSize } = Object.fromEntries(fs.readFileSync('/proc/self/status', 'utf8').split('\\n').map((line) => line.split(/:\\s+/)))
    require('node:child_process').execFileSync('prlimit', ['--pid', String(process.pid), '--as=' + (Number.parseInt(VmSize, 10) * 1024 + 2 ** 30)])
    return [code(() => MappedFile.openSync(${JSON.stringify(path)})), code(() => AnonymousMemory.create(2 ** 32)), code(() => MappedFile.openSync(${JSON.stringify(path)}, { length: 4096 }).close())]`,
  )
  t.deepEqual(answer, ['ENOMEM', 'ENOMEM', 'nothing'])
})

const ram = disk('tmpfs', 'size=64k')
unless(ram.problem, test.serial)('ENOSPC: at open, before anything is mapped', (t) => {
  if (ram.problem !== undefined) return
  fails(
    t,
    () => MappedFile.openSync(`${ram.path}/x`, { access: 'write', create: true, length: 1 << 20 }),
    'ENOSPC',
    'fallocate',
  )
  t.false(existsSync(`${ram.path}/x`))
})

unless(!onLinux || !asRoot ? 'needs root on Linux, for chattr' : undefined, test.serial)(
  'EPERM: a file that is immutable, and one that may only be appended to',
  (t) => {
    for (const attribute of ['i', 'a']) {
      const path = file(counting(10))
      const { error, status } = spawnSync('chattr', [`+${attribute}`, path])
      if (error || status !== 0) {
        t.log('this file system has no such attribute')
        return
      }
      try {
        fails(t, () => MappedFile.openSync(path, { access: 'write' }), 'EPERM', 'open')
        using(MappedFile.openSync(path), (m) => t.is(m.compare(counting(10)), 0))
      } finally {
        spawnSync('chattr', [`-${attribute}`, path])
      }
    }
  },
)

unless(!Mapping.isSupported('seal') && 'no seals here')('EPERM: what is sealed', (t) => {
  using(SharedMemory.anonymous(page, { seal: ['shrink'] }), (m) => fails(t, () => m.resize(1), 'EPERM'))
})

unless(!onLinux && 'an executable that runs, on Linux')('ETXTBSY: a program that runs', async (t) => {
  const path = fresh('program')
  copyFileSync('/bin/sleep', path)
  const sleeper = spawn(path, ['60'])
  await once(sleeper, 'spawn')
  fails(t, () => MappedFile.openSync(path, { access: 'write' }), 'ETXTBSY', 'open')
  using(MappedFile.openSync(path), (m) => t.true(m.byteLength > 0))
  const ended = once(sleeper, 'exit')
  sleeper.kill()
  await ended
})

for (const errno of ['ENOSYS', 'EPERM'] as const) {
  filtered(
    `an old system or container: ${errno} for what it does not know takes the older way, or is ENOTSUP`,
    async (t) => {
      const path = file(counting(4 * page))
      const body = `
      const path = ${JSON.stringify(path)}
      const m = MappedFile.openSync(path, { access: 'copy', lock: true, populate: true })
      m.lock(); m.unlock()
      return [m.getUint8(0), code(() => SharedMemory.anonymous(1)), Mapping.isSupported('memfd')]`
      t.deepEqual(await elsewhere(body, refusing('memfd_create', errno)), [counting(1)[0], 'ENOTSUP', false])
      t.deepEqual(((await elsewhere(body, refusing('mlock2', errno))) as unknown[]).slice(0, 2), [
        counting(1)[0],
        'nothing',
      ])
    },
  )

  filtered(`fallocate is ${errno}: the file is extended all the same, without its blocks`, async (t) => {
    const path = file(counting(10))
    const body = `
      const m = MappedFile.openSync(${JSON.stringify(path)}, { access: 'write', length: 100000 })
      m.setUint8(99999, 7)
      m.resize(200000)
      return [m.getUint8(99999), fs.statSync(${JSON.stringify(path)}).size]`
    t.deepEqual(await elsewhere(body, refusing('fallocate', errno)), [7, 200_000])
  })
}

filtered('populate without MADV_POPULATE_READ touches the pages', async (t) => {
  const path = sparse(8 * page)
  const body = `
    const m = MappedFile.openSync(${JSON.stringify(path)}, { access: 'copy', populate: true })
    return m.residency().resident`
  // Any advice has this bit or not: 22 is the only one that we give at open with both.
  t.is(await elsewhere(body, refusing('madvise', 'EINVAL', '2', '22')), 8)
})

filtered('anonymous memory is moved by copying where mremap cannot', async (t) => {
  const body = `
    const m = AnonymousMemory.create(10000)
    m.fill(7)
    m.resize(1000000)
    return [m.getUint8(9999), m.getUint8(10000)]`
  t.deepEqual(await elsewhere(body, refusing('mremap', 'EINVAL', '3', '4')), [7, 0])
})

filtered('what msync, mincore and mprotect say arrives with the path', async (t) => {
  const path = file(counting(page))
  const tell = (verb: string) => `
    const m = MappedFile.openSync(${JSON.stringify(path)}, { access: 'write' })
    try { m.${verb} } catch (error) { return [error.code, error.syscall, error.path] }`
  t.deepEqual(await elsewhere(tell('flushSync()'), refusing('msync', 'EIO')), ['EIO', 'msync', path])
  t.deepEqual(await elsewhere(tell('residency()'), refusing('mincore', 'EAGAIN')), ['EAGAIN', 'mincore', path])
})
