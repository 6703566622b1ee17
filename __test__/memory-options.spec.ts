// noReserve and hugePages, which `open` and `AnonymousMemory.create` have in common.
import { readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import test from 'ava'
import { AnonymousMemory, MappedFile, Mapping } from '../index'
import * as posix from '../lib/posix'
import { asRoot, bitsOf, counting, file, narrow, onLinux, onWindows, page, throwsCoded, unless, using } from './helpers'
import { books, booksProblem, disk, elsewhere, fails, withBooks } from './systems'

const MiB = 1 << 20

withBooks('noReserve asks for no reservation of swap', async (t) => {
  const path = file(counting(page))
  using(AnonymousMemory.create(page, { noReserve: true }), (m) => t.true(books(m).flags.has('nr')))
  using(AnonymousMemory.create(page), (m) => t.false(books(m).flags.has('nr')))
  using(MappedFile.openSync(path, { access: 'copy', noReserve: true }), (m) => t.true(books(m).flags.has('nr')))
  using(await MappedFile.open(path, { access: 'copy' }), (m) => t.false(books(m).flags.has('nr')))
  using(MappedFile.openSync(path, { access: 'write', noReserve: true }), (m) => t.is(m.compare(counting(page)), 0))
})

unless(narrow ? 'the address space has 32 bits' : onWindows && 'Windows charges all of it to the page file')(
  'with it 1 TiB is memory like any other, page by page',
  (t) => {
    using(AnonymousMemory.create(2 ** 40, { noReserve: true }), (m) => {
      m.setUint8(2 ** 39, 7)
      t.is(m.getUint8(2 ** 39), 7)
      t.is(m.getUint8(2 ** 40 - 1), 0)
    })
  },
)

unless(onLinux && 'the kernel says whether it has huge pages')(
  'where there are no huge pages asking for them is ENOTSUP',
  (t) => {
    for (const length of [0, 2 * MiB])
      fails(t, () => AnonymousMemory.create(length, { hugePages: true }), 'ENOTSUP', 'mmap')
  },
)

/** Takes pages for the pool and gives them back; why there are none, if so. */
const POOL = '/proc/sys/vm/nr_hugepages'
const meminfo = (name: string): number => {
  const line = readFileSync('/proc/meminfo', 'utf8')
    .split('\n')
    .find((each) => each.startsWith(`${name}:`))
  return Number.parseInt(line?.split(':')[1] ?? '0', 10)
}
let before: number | undefined
const poolProblem = ((): string | undefined => {
  if (!onLinux || !asRoot) return 'needs root on Linux, to fill the pool of huge pages'
  if (!Mapping.isSupported('hugePages')) return 'no huge pages here'
  try {
    before = Number(readFileSync(POOL, 'utf8'))
    writeFileSync(POOL, String(before + 8))
    return meminfo('HugePages_Free') >= 6 ? undefined : 'memory is too scattered for huge pages'
  } catch (error) {
    return `the pool cannot be filled: ${(error as Error).message}`
  }
})()
test.after.always('the pool is as it was', () => {
  if (before !== undefined) writeFileSync(POOL, String(before))
})
const pooled = unless(poolProblem, test.serial)
const huge = onLinux ? meminfo('Hugepagesize') * 1024 : 0

pooled('hugePages: true stands on huge pages, of any length', (t) => {
  for (const length of [1, huge, huge + 1]) {
    using(AnonymousMemory.create(length, { hugePages: true }), (m) => {
      t.is(m.byteLength, length)
      t.is(m.pageSize, huge)
      t.is(m.address % BigInt(huge), 0n)
      m.setUint8(length - 1, 5)
      t.is(m.bytes[length - 1], 5)
      t.true(books(m).flags.has('ht'))
      const { pages, resident, bitmap, pageSize } = m.residency()
      t.is(pageSize, huge)
      t.is(pages, Math.ceil(length / huge))
      t.true(resident >= 1 && resident <= pages)
      t.is(bitmap.length, 1)
      m.discard({ offset: 0, length })
      t.is(m.getUint8(length - 1), 0)
      m.protect('read')
      fails(t, () => m.setUint8(0, 1), 'EACCES')
      m.protect('write')
      m.lock()
      m.unlock()
      m.setUint8(0, 3)
      m.resize(2 * huge)
      t.is(m.pageSize, huge)
      t.is(m.getUint8(0), 3)
      m.resize(10)
      t.is(m.getUint8(0), 3)
    })
  }
})

pooled('the pool has its pages back after close', (t) => {
  const free = meminfo('HugePages_Free')
  for (let i = 0; i < 50; i++) {
    const m = AnonymousMemory.create(2 * huge, { hugePages: true })
    m.fill(1)
    if (i % 2 === 0) t.is(m.bytes[5], 1)
    m.close()
  }
  t.true(meminfo('HugePages_Free') >= free - 1)
})

const pool = disk('hugetlbfs', 'mode=700')
unless(poolProblem ?? pool.problem, test.serial)(
  'a file on a hugetlbfs is mapped in its own pages, at any offset',
  (t) => {
    if (pool.problem !== undefined) return
    const path = `${pool.path}/file`
    using(MappedFile.openSync(path, { access: 'write', create: true, length: 2 * huge, hugePages: true }), (m) => {
      t.is(m.pageSize, huge)
      t.is(statSync(path).size, 2 * huge)
      m.setUint32(huge + 100, 0x01020304)
      m.setUint8(10, 9)
      t.is(m.residency().pages, 2)
    })
    for (const offset of [0, 10, page, huge, huge + 100, huge + page + 1]) {
      using(MappedFile.openSync(path, { offset, length: 4 }), (m) => {
        t.is(m.byteLength, 4)
        t.is(m.getUint32(0), offset === huge + 100 ? 0x01020304 : offset === 10 ? 0x09000000 : 0)
        t.is(m.bytes[0], offset === huge + 100 ? 1 : offset === 10 ? 9 : 0)
      })
    }
    using(MappedFile.openSync(path, { access: 'copy', offset: 5 }), (m) => {
      m.setUint8(5, 1)
      t.is(m.getUint8(5), 1)
    })
    using(MappedFile.openSync(path), (m) => t.is(m.getUint8(10), 9))
    t.true(readdirSync(pool.path).includes('file'))
  },
)

unless(!Mapping.isSupported('hugePages') && 'no huge pages here')(
  'an empty pool is ENOMEM, and the message says where to look',
  async (t) => {
    const answer = (await elsewhere(
      `try { AnonymousMemory.create(2 ** 40, { hugePages: true }); return 'nothing' } catch (error) { return [error.code, error.syscall, error.message] }`,
    )) as string[]
    t.deepEqual(answer.slice(0, 2), ['ENOMEM', 'mmap'])
    t.true(answer[2]!.includes('/proc/sys/vm/nr_hugepages'), answer[2])
  },
)

unless(!onLinux && 'hugetlbfs is of Linux')(
  'a file elsewhere cannot have them: ENOTSUP, naming the advice that may help',
  (t) => {
    const path = file(counting(4 * MiB))
    const error = fails(t, () => MappedFile.openSync(path, { hugePages: true }), 'ENOTSUP', 'mmap')
    t.true(error.message.includes('hugepage'), error.message)
  },
)

unless(booksProblem ?? (Mapping.isSupported('hugepage') ? undefined : 'this kernel has none'))(
  'transparent huge pages are asked for by advice',
  (t) => {
    using(AnonymousMemory.create(8 * MiB), (m) => {
      m.advise('hugepage')
      t.true(books(m).flags.has('hg'))
      m.advise('nohugepage')
      t.true(books(m).flags.has('nh'))
    })
  },
)

test('wrong arguments', (t) => {
  for (const name of ['noReserve', 'hugePages', 'populate', 'lock', 'exec', 'sparse']) {
    throwsCoded(
      t,
      () => MappedFile.openSync(file('x'), { access: 'write', [name]: 1 } as never),
      'ERR_INVALID_ARG_TYPE',
      name,
    )
  }
  for (const name of ['noReserve', 'hugePages', 'sharedArrayBuffer']) {
    throwsCoded(t, () => AnonymousMemory.create(1, { [name]: 'yes' } as never), 'ERR_INVALID_ARG_TYPE', name)
  }
  throwsCoded(t, () => AnonymousMemory.create(1, { hugepages: true } as never), 'ERR_INVALID_ARG_VALUE', 'hugePages')
})

pooled('huge pages are placed in a reservation as whole ones: they would cover what lies behind', (t) => {
  const { MAP_ANONYMOUS, MAP_FIXED, MAP_HUGETLB, MAP_PRIVATE, PROT_READ, PROT_WRITE } = posix
  const flags = bitsOf(MAP_PRIVATE, MAP_ANONYMOUS, MAP_HUGETLB, MAP_FIXED)
  const room = posix.Reservation.reserve(3 * huge)
  const first = huge - Number(room.address % BigInt(huge))
  const place = (length: number): Mapping =>
    posix.mmap(room.address + BigInt(first), length, bitsOf(PROT_READ, PROT_WRITE), flags, -1, 0)
  try {
    const neighbour = room.place(first + 2 * page, null, { length: page })
    neighbour.fill(1)
    fails(t, () => place(page), 'EINVAL', 'mmap')
    neighbour.subarray(0, 1)[0]!++
    t.is(neighbour.getUint8(0), 2)
    const m = place(huge)
    m.fill(3)
    t.deepEqual([m.byteLength, m.getUint8(huge - 1), neighbour.closed], [huge, 3, true])
  } finally {
    room.close()
  }
})
