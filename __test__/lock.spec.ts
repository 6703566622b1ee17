import { chmodSync, truncateSync } from 'node:fs'
import { setTimeout } from 'node:timers/promises'
import test from 'ava'
import { AnonymousMemory, MappedFile, SharedMemory } from '../index'
import { counting, file, linuxOnly, onWindows, page, throwsCoded, unless, using } from './helpers'
import { asNobody, books, elsewhere, sealWriting, withBooks } from './systems'

import type { ExecutionContext } from 'ava'
import type { Mapping } from '../index'

const size = 4 * page + 9
const all = 5 * page

withBooks('locked pages are in memory, all or those that a range touches', (t) => {
  using(MappedFile.openSync(file(counting(size))), (m) => {
    t.is(books(m).sizes['Locked'], 0)
    t.is(m.lock({ offset: page + 1, length: 1 }), undefined)
    t.is(books(m).sizes['Locked'], page)
    m.lock()
    t.is(books(m).sizes['Locked'], all)
    t.true(books(m).flags.has('lo'))
    m.unlock({ offset: 0, length: page })
    t.is(books(m).sizes['Locked'], all - page)
    t.is(m.unlock(), undefined)
    t.is(books(m).sizes['Locked'], 0)
    t.is(m.compare(counting(size)), 0)
  })
})

withBooks('private pages are locked without being copied, by lock and by the option', async (t) => {
  const path = file(counting(size))
  const own = MappedFile.openSync(path, { access: 'copy' })
  own.setUint8(0, 1)
  own.lock()
  await isLocked(t, own, all, 'with a copy of one')
  t.is(books(own).sizes['Anonymous'], page, 'only the page that was written is a copy')
  own.close()
  for (const access of ['copy', 'read', 'write'] as const) {
    using(MappedFile.openSync(path, { access, lock: true }), (m) => {
      t.true(books(m).flags.has('lo'))
      t.is(books(m).sizes['Locked'], all)
      t.is(books(m).sizes['Anonymous'], 0)
      t.is(m.compare(counting(size)), 0)
    })
  }
})

withBooks('the twin of open locks, too', async (t) => {
  using(await MappedFile.open(file(counting(size)), { lock: true }), (m) => t.is(books(m).sizes['Locked'], all))
})

withBooks('memory without a file is locked', async (t) => {
  for (const m of [AnonymousMemory.create(size), SharedMemory.anonymous(size)]) {
    m.lock()
    await isLocked(t, m, all, 'locked')
    m.unlock()
    t.is(books(m).sizes['Locked'], 0)
    m.close()
  }
})

const LIMITED = `
  const path = process.env.TARGET
  const answers = []
  const tell = (action) => { try { action(); answers.push('nothing') } catch (error) { answers.push([error.code, error.syscall, /RLIMIT_MEMLOCK/.test(error.message)]) } }
  const big = 1 << 20
  for (const access of ['read', 'copy']) {
    const m = MappedFile.openSync(path, { access })
    tell(() => m.lock())
    tell(() => m.lock({ offset: 0, length: 1 }))
    m.close()
    tell(() => MappedFile.openSync(path, { access, lock: true }))
  }
  const memory = AnonymousMemory.create(big)
  tell(() => memory.lock())
  return answers`

asNobody('more than `ulimit -l` allows is ENOMEM, and the message names the limit', async (t) => {
  const path = file(counting(1 << 20))
  const answers = await elsewhere(LIMITED, { nobody: true, limits: ['-l 64'], env: { TARGET: path } })
  const refused = (syscall: string) => ['ENOMEM', syscall, true]
  t.deepEqual(answers, [
    refused('mlock'), 'nothing', refused('mlock'), refused('mlock2'), 'nothing', refused('mlock2'), refused('mlock'),
  ]) // prettier-ignore
})

asNobody('who may lock nothing gets EPERM, and the message names the limit', async (t) => {
  const path = file(counting(1 << 20))
  const answers = await elsewhere(LIMITED, { nobody: true, limits: ['-l 0'], env: { TARGET: path } })
  t.deepEqual(
    answers,
    Array.from({ length: 7 }, () => ['EPERM', 'mlock', true]),
  )
})

unless(onWindows && 'VirtualLock works otherwise')('a second lock and a second unlock do nothing', (t) => {
  using(AnonymousMemory.create(page), (m) => {
    m.lock()
    m.lock()
    m.unlock()
    t.is(m.unlock(), undefined)
    m.fill(3)
    t.is(m.getUint8(page - 1), 3)
  })
})

test('nothing to lock in an empty mapping or an empty range', (t) => {
  using(MappedFile.openSync(file(''), { lock: true }), (m) => {
    m.lock()
    t.is(m.unlock(), undefined)
  })
  using(AnonymousMemory.create(page), (m) => {
    m.lock({ offset: page })
    t.is(m.unlock({ offset: 3, length: 0 }), undefined)
  })
})

test('wrong arguments lock nothing', (t) => {
  using(AnonymousMemory.create(page), (m) => {
    for (const verb of ['lock', 'unlock'] as const) {
      throwsCoded(t, () => m[verb]({ offset: page + 1 }), 'ERR_OUT_OF_RANGE')
      throwsCoded(t, () => m[verb]({ length: page + 1 }), 'ERR_OUT_OF_RANGE')
      throwsCoded(t, () => m[verb]({ size: 1 } as never), 'ERR_INVALID_ARG_VALUE', 'size')
      throwsCoded(t, () => m[verb](1 as never), 'ERR_INVALID_ARG_TYPE')
    }
  })
  throwsCoded(t, () => MappedFile.openSync(file('x'), { lock: 'yes' as never }), 'ERR_INVALID_ARG_TYPE', 'lock')
})

test('after close there is nothing to lock', (t) => {
  const m = AnonymousMemory.create(page)
  m.close()
  throwsCoded(t, () => m.lock(), 'ERR_INVALID_STATE')
  throwsCoded(t, () => m.unlock(), 'ERR_INVALID_STATE')
})

/** The kernel shares what is locked among all who have the pages: while another test's child is between fork and exec, that is two. */
async function isLocked(t: ExecutionContext, m: Mapping, bytes: number, when: string): Promise<void> {
  // What is asserted is what was seen: a second look may meet the next child.
  let locked = books(m).sizes['Locked']
  for (let tries = 0; tries < 100 && locked !== bytes; tries++) {
    await setTimeout(20)
    locked = books(m).sizes['Locked']
  }
  t.is(locked, bytes, when)
}

withBooks('what is locked stays so when its pages are mapped anew', async (t) => {
  const sealed = SharedMemory.anonymous(4 * page)
  sealed.lock({ offset: page, length: 2 * page })
  sealWriting(sealed)
  await isLocked(t, sealed, 2 * page, 'sealed')
  sealed.close()
  const path = file(counting(4 * page))
  const moving = MappedFile.openSync(path, { access: 'write', lock: true })
  truncateSync(path, page)
  t.is(moving.bytes[2 * page], 0)
  truncateSync(path, 4 * page)
  moving.clearFault()
  // The kernel takes the pages of a file that is cut out of the table, and reads them in when they are used.
  moving.getUint8(0)
  await isLocked(t, moving, 4 * page, 'cleared')
  moving.resize(400 * page)
  await isLocked(t, moving, 400 * page, 'moved')
  moving.unlock()
  moving.lock({ offset: 0, length: page })
  moving.resize(500 * page)
  await isLocked(t, moving, page, 'only what was locked')
  moving.close()
  const staying = MappedFile.openSync(path, { access: 'write', lock: true, capacity: 600 * page })
  staying.resize(600 * page)
  await isLocked(t, staying, 600 * page, 'in place')
  staying.resize(page)
  staying.getUint8(0)
  await isLocked(t, staying, page, 'shorter')
  staying.resize(2 * page)
  await isLocked(t, staying, 2 * page, 'longer again')
  staying.close()
  const memory = AnonymousMemory.create(4 * page)
  memory.lock({ offset: page, length: page })
  memory.resize(64 * page)
  await isLocked(t, memory, page, 'memory')
  memory.close()
})

const GROWING = `
  const path = process.env.TARGET
  const answers = []
  for (const capacity of [undefined, 1 << 20]) {
    const m = MappedFile.openSync(path, { access: 'write', lock: true, capacity })
    const length = m.byteLength
    answers.push(code(() => m.resize(48 << 10)), code(() => m.resize(1 << 20)), m.byteLength, fs.statSync(path).size, m.bytes.length)
    m.resize(length)
    m.close()
  }
  return answers`

asNobody('a mapping that is locked does not grow past `ulimit -l`, and stays as it was', async (t) => {
  const path = file(counting(32 << 10))
  chmodSync(path, 0o666)
  const answers = await elsewhere(GROWING, { nobody: true, limits: ['-l 64'], env: { TARGET: path } })
  const grown = 48 << 10
  const each = ['nothing', 'ENOMEM', grown, grown, grown]
  t.deepEqual(answers, [...each, ...each])
})

linuxOnly('clearFault of a locked copy, of a file that is still too short, is no end of the process', async (t) => {
  const path = file(counting(4 * page))
  const found = await elsewhere(`
    const m = MappedFile.openSync(${JSON.stringify(path)}, { access: 'copy', lock: true })
    const page = Mapping.pageSize
    fs.truncateSync(m.path, page)
    const zero = m.bytes[2 * page]
    m.clearFault()
    return [zero, code(() => m.getUint8(2 * page)), m.fault.kind]`)
  t.deepEqual(found, [0, 'ERR_MAPPING_FAULT', 'truncated'])
})
