import { existsSync, readFileSync } from 'node:fs'
import test from 'ava'
import { AnonymousMemory, MappedFile, Mapping, SharedMemory } from '../index'
import { file, linuxOnly, onLinux, throwsCoded, unless } from './helpers'
import { elsewhere, shmName } from './systems'

import type { Feature } from '../index'

/** Not where system calls are emulated: those answer for another kernel. */
const unless64 = unless((!onLinux || !existsSync('/proc/self/smaps')) && 'another kernel')

/** What each feature promises: what works when it is supported, and throws or says so when not. */
const PROOFS: readonly (readonly [Feature, () => unknown])[] = [
  ['views', () => AnonymousMemory.create(8).bytes[0]],
  ['sharedArrayBuffer', () => AnonymousMemory.create(8, { sharedArrayBuffer: true }).bytes[0]],
  [
    'memfd',
    () => {
      if (SharedMemory.anonymous(8).fd === undefined) throw new Error('no descriptor stands for it')
    },
  ],
  ['seal', () => SharedMemory.anonymous(8, { seal: ['grow'] })],
  [
    'posixShm',
    () => {
      const name = shmName()
      const m = SharedMemory.createSync(name, 8)
      SharedMemory.unlink(name)
      m.close()
    },
  ],
  ['residency', () => AnonymousMemory.create(8).residency()],
  ['lock', () => AnonymousMemory.create(8).lock()],
  [
    'resizeInPlace',
    () => {
      const m = MappedFile.openSync(file('12345678'), { access: 'write', capacity: 1 << 20 })
      const view = m.bytes
      m.resize(1 << 19)
      if (view.length !== 8) throw new Error('the view is gone')
    },
  ],
  ...(
    [
      'normal',
      'random',
      'sequential',
      'willneed',
      'cold',
      'pageout',
      'hugepage',
      'nohugepage',
      'dontdump',
      'dodump',
      'dontfork',
      'dofork',
      'mergeable',
      'unmergeable',
    ] as const
  ).map((advice) => [advice, () => AnonymousMemory.create(8).advise(advice)] as const),
]

for (const [feature, proof] of PROOFS) {
  test(`what isSupported says of '${feature}' is what happens`, (t) => {
    if (Mapping.isSupported(feature)) t.notThrows(proof)
    else t.throws(proof)
    t.is(Mapping.isSupported(feature), Mapping.isSupported(feature))
  })
}

test('every feature has an answer', (t) => {
  const rest: Feature[] = ['faultGuard', 'wait', 'sysvShm', 'hugePages', 'wasm']
  for (const feature of [...PROOFS.map(([name]) => name), ...rest])
    t.is(typeof Mapping.isSupported(feature), 'boolean', feature)
})

linuxOnly('huge pages are there where the kernel has them', (t) => {
  t.is(Mapping.isSupported('hugePages'), readFileSync('/proc/meminfo', 'utf8').includes('Hugepagesize:'))
})

unless64('Linux has what the table of platforms says', (t) => {
  for (const feature of [
    'views',
    'faultGuard',
    'memfd',
    'seal',
    'posixShm',
    'residency',
    'lock',
    'resizeInPlace',
    'normal',
    'random',
    'sequential',
    'willneed',
    'dontdump',
    'dodump',
    'dontfork',
    'dofork',
  ] as const) {
    t.true(Mapping.isSupported(feature), feature)
  }
})

linuxOnly('without the guard it says so', async (t) => {
  t.is(await elsewhere(`return Mapping.isSupported('faultGuard')`, { env: { MEMMAP_FAULT_GUARD: '0' } }), false)
})

test('what is no feature is an error that lists them', (t) => {
  throwsCoded(t, () => Mapping.isSupported('flying' as never), 'ERR_INVALID_ARG_VALUE', 'willneed')
  throwsCoded(t, () => Mapping.isSupported(1 as never), 'ERR_INVALID_ARG_TYPE', 'feature')
  throwsCoded(t, () => Mapping.isSupported('constructor' as never), 'ERR_INVALID_ARG_VALUE')
})

linuxOnly('a no for want of descriptors is forgotten', async (t) => {
  const answers = await elsewhere(
    `const fds = []
     try { for (;;) fds.push(fs.openSync('/', 'r')) } catch {}
     const before = Mapping.isSupported('memfd')
     for (const fd of fds) fs.closeSync(fd)
     return [before, Mapping.isSupported('memfd')]`,
    { limits: ['-n 60'] },
  )
  t.deepEqual(answers, [false, true])
})
