// memmap/log on disks that are full, that fail, and beside other processes.
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync, readdirSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { constants as os } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'

import test from 'ava'

import { MappedLog } from '../lib/log'
import toLog from '../lib/log/pino'
import { asRoot, atOnce, folder, fresh, onLinux, posixOnly, unless } from './helpers'
import { compiled, disk, elsewhere } from './systems'

const texts = (log: MappedLog) => [...log].map(({ data }) => data.toString())
const LOG = JSON.stringify(require.resolve('../lib/log'))

const { problem, ...built } = onLinux ? compiled('refuse') : { problem: 'a filter of Linux' }
const refuse = 'program' in built ? (built.program as string) : ''
const filtered = unless(
  problem ??
    (spawnSync(refuse, ['fsync', '5', '--', 'true']).status === 0 ? undefined : 'no filters on system calls here'),
)

for (const call of ['msync', 'fsync']) {
  filtered(`a ${call} that fails is final: no append, no flush, until the log is opened again`, async (t) => {
    const directory = fresh()
    MappedLog.openSync(directory, { flush: 'never' }).close()
    const body = `
      const { MappedLog } = require(${LOG})
      const log = MappedLog.openSync(${JSON.stringify(directory)}, { flush: 'never' })
      const position = log.append('before')
      const seen = []
      const { code, cause } = await log.flush().catch((error) => error)
      seen.push(code, cause.code)
      seen.push(code === undefined ? '' : (() => { try { log.append('after') } catch (error) { return error.code } })())
      seen.push((() => { try { log.flushSync() } catch (error) { return error.code } })())
      seen.push(await log.flush().catch((error) => error.code))
      seen.push(log.read(position).toString(), log.stats().durable < log.stats().end)
      log.close()
      return seen`
    const seen = await elsewhere(body, { by: [refuse, call, String(os.errno.EIO), '--'] })
    t.deepEqual(seen, ['ERR_LOG_FAILED', 'EIO', 'ERR_LOG_FAILED', 'ERR_LOG_FAILED', 'ERR_LOG_FAILED', 'before', true])
    const log = MappedLog.openSync(directory)
    t.deepEqual(texts(log), ['before'])
    log.append('again')
    await log.flush()
    log.close()
  })
}

filtered('a sync that fails while the log goes on in the next segment is final, too', async (t) => {
  const directory = fresh()
  MappedLog.openSync(directory, { flush: 'never', segmentSize: 4096 }).close()
  const body = `
    const { MappedLog } = require(${LOG})
    const log = MappedLog.openSync(${JSON.stringify(directory)}, { flush: 'never', segmentSize: 4096 })
    log.append('precious')
    const flushed = log.flush()
    // The sync begins and fails; the segment is unmapped before the answer is here.
    for (let turn = 0; turn < 20; turn++) await null
    for (const end = Date.now() + 100; Date.now() < end; );
    for (let count = 0; count < 10; count++) log.append('x'.repeat(1000))
    const { code, cause } = (await flushed.catch((error) => error)) ?? {}
    const seen = [code, cause?.code, log.stats().durable < log.stats().end]
    seen.push((() => { try { return log.append('more') } catch (error) { return error.code } })())
    log.close()
    return seen`
  const seen = await elsewhere(body, { by: [refuse, 'msync', String(os.errno.EIO), '--'] })
  t.deepEqual(seen, ['ERR_LOG_FAILED', 'EIO', true, 'ERR_LOG_FAILED'])
})

test('a flush whose segment was sealed before it got its thread syncs the file by its name', async (t) => {
  const directory = fresh()
  MappedLog.openSync(directory, { flush: 'never', segmentSize: 4096 }).close()
  const segment = readdirSync(directory).find((name) => name.endsWith('.seg'))
  const body = `
    const { promises } = require('node:fs')
    const { pbkdf2 } = require('node:crypto')
    const { basename } = require('node:path')
    const { MappedLog } = require(${LOG})
    const log = MappedLog.openSync(${JSON.stringify(directory)}, { flush: 'never', segmentSize: 4096 })
    log.append('precious')
    const { open } = promises
    const opened = []
    promises.open = (path, ...rest) => (opened.push(basename(path)), open(path, ...rest))
    // All threads of libuv are busy for a while.
    const busy = [1, 2, 3, 4].map(() => new Promise((done) => pbkdf2('', '', 600_000, 64, 'sha512', done)))
    const flushed = log.flush()
    for (let turn = 0; turn < 20; turn++) await null
    for (let count = 0; count < 10; count++) log.append('x'.repeat(1000))
    for (const end = Date.now() + 50; Date.now() < end; );
    await flushed
    await Promise.all(busy)
    const { durable, end } = log.stats()
    log.close()
    return [...opened, durable < end]`
  const [synced, ...rest] = (await elsewhere(body)) as unknown[]
  t.is(synced, segment)
  // Behind the directory, where directories are synced.
  t.true(rest.at(-1))
})

filtered('a sync in the background that fails is met by the next append', async (t) => {
  const directory = fresh()
  MappedLog.openSync(directory).close()
  const body = `
    const { MappedLog } = require(${LOG})
    const log = MappedLog.openSync(${JSON.stringify(directory)}, { flushMs: 5 })
    const begin = Date.now()
    for (let count = 0; Date.now() - begin < 20_000; count++) {
      try { log.append('x') } catch (error) { return [error.code, error.cause.code, count > 0] }
      await new Promise((resolve) => setTimeout(resolve, 5))
    }`
  const seen = await elsewhere(body, { by: [refuse, 'msync', String(os.errno.EIO), '--'] })
  t.deepEqual(seen, ['ERR_LOG_FAILED', 'EIO', true])
})

/** A file system on a small file of its own. */
function smallDisk(): ReturnType<typeof disk> {
  if (!onLinux || !asRoot) return { problem: 'needs root on Linux, to mount a disk' }
  const image = join(folder, 'small.ext4')
  writeFileSync(image, '')
  truncateSync(image, 24 << 20)
  const { status, error } = spawnSync('mkfs.ext4', ['-q', '-O', '^has_journal', '-m', '0', image])
  return error || status !== 0 ? { problem: 'no mkfs.ext4 here' } : disk('ext4', 'loop', image)
}

const small = smallDisk()
unless(small.problem)('a full ext4: ENOSPC, nothing lost, and the log goes on once there is room', (t) => {
  if (small.problem !== undefined) return
  const directory = join(small.path, 'log')
  let log = MappedLog.openSync(directory, { segmentSize: 1 << 20, flush: 'never' })
  const expected: string[] = []
  const append = () => {
    const text = `${expected.length} ${'-'.repeat(4000)}`
    log.append(text)
    expected.push(text)
  }
  const fill = () => {
    for (let turn = 0; turn < 100_000; turn++) append()
  }
  t.is(t.throws(fill)!.message.slice(0, 6), 'ENOSPC')
  // Again and again: each time it tries to make the next segment.
  for (let turn = 0; turn < 5; turn++) t.is(t.throws<NodeJS.ErrnoException>(append).code, 'ENOSPC')
  t.deepEqual(texts(log), expected)
  const { segments } = log.stats()
  t.true(segments > 15)
  // Room by giving up old records, in the very log.
  const kept = [...log].map(({ position }) => position)
  log.truncateBefore(kept[kept.length >> 1]!)
  for (let turn = 0; turn < 1000; turn++) append()
  t.true(log.stats().segments > 8)
  const left = texts(log)
  t.deepEqual(left, expected.slice(-left.length))
  t.true(left.length > 1000 + kept.length / 3)
  log.flushSync()
  log.close()
  log = MappedLog.openSync(directory, { flush: 'never' })
  t.deepEqual(log.recovery, { recovered: left.length, cut: 0, damaged: [] })
  t.deepEqual(texts(log), left)
  log.close()
})

unless(small.problem)('the transport of pino waits while the disk is full, and loses no line', async (t) => {
  if (small.problem !== undefined) return
  const dir = join(small.path, 'pino')
  const stopgap = join(small.path, 'stopgap')
  const transport = toLog({ dir, segmentSize: 1 << 20, flush: 'never' })
  // All that is left, but for what has been made.
  t.throws(() => writeFileSync(stopgap, Buffer.alloc(64 << 20)), { code: 'ENOSPC' })
  const lines = Array.from({ length: 1500 }, (_, number) => `${number} ${'-'.repeat(2000)}`)
  for (const line of lines) transport.write(`${line}\n`)
  let closed = false
  transport.end()
  const end = once(transport, 'close').then(() => (closed = true))
  await pause(300)
  t.false(closed)
  t.true(transport.writableLength > 0)
  rmSync(stopgap)
  await end
  const log = MappedLog.openSync(dir, { readOnly: true })
  t.deepEqual(texts(log), lines)
  log.close()
})

posixOnly('a second writer is refused from another process too, and let in when the first is killed', async (t) => {
  const directory = fresh()
  const source = `
    const { MappedLog } = require(${LOG})
    const log = MappedLog.openSync(${JSON.stringify(directory)})
    log.append('by the child')
    console.log('open')
    setInterval(() => {}, 1000)`
  const child = spawn(process.execPath, ['-e', source], { stdio: ['ignore', 'pipe', 'inherit'] })
  await once(child.stdout!, 'data')
  const error = t.throws<NodeJS.ErrnoException>(() => MappedLog.openSync(directory), { code: 'EBUSY' })
  t.regex(error.message, /another writer/)
  await t.throwsAsync(MappedLog.open(directory), { code: 'EBUSY' })
  // The pid is for people: whatever stands there, the kernel's lock is what counts.
  t.is(readFileSync(join(directory, 'lock'), 'utf8'), `${child.pid}\n`)
  writeFileSync(join(directory, 'lock'), '1\n')
  t.throws(() => MappedLog.openSync(directory), { code: 'EBUSY' })
  const reader = MappedLog.openSync(directory, { readOnly: true })
  t.deepEqual(texts(reader), ['by the child'])
  child.kill('SIGKILL')
  await once(child, 'exit')
  writeFileSync(join(directory, 'lock'), `${process.pid}\n`)
  const log = MappedLog.openSync(directory)
  t.deepEqual(texts(log), ['by the child'])
  log.append('and by the next')
  t.deepEqual(texts(reader), ['by the child', 'and by the next'])
  reader.close()
  log.close()
})

test('one process that has a log open as a writer gives its lock to no child', async (t) => {
  const directory = fresh()
  const log = MappedLog.openSync(directory)
  const child = spawn(process.execPath, ['-e', 'setTimeout(() => {}, 60_000)'], { stdio: 'ignore' })
  await once(child, 'spawn')
  log.close()
  const again = MappedLog.openSync(directory)
  again.close()
  child.kill('SIGKILL')
  t.true(existsSync(join(directory, 'lock')))
})

atOnce('retention keeps to its limits on the disk, while the log is written as fast as it can', (t) => {
  const directory = fresh()
  const log = MappedLog.openSync(directory, { segmentSize: 1 << 20, retain: { bytes: 8 << 20 }, flush: 'never' })
  const record = Buffer.alloc(2000, 1)
  let most = 0
  for (let turn = 0; turn < 40_000; turn++) {
    log.append(record)
    if (turn % 500 !== 0) continue
    const names = readdirSync(directory).filter((name) => name.endsWith('.seg'))
    most = Math.max(most, names.length)
  }
  // Eight that are kept, and what is made ahead.
  t.true(most <= 8 + 3, `${most} files`)
  t.is(log.stats().segments, 8)
  t.is(log.stats().bytes, 8 << 20)
  const records = [...log]
  t.is(records[0]!.position >= log.stats().start, true)
  t.true(records.length > 3500)
  log.close()
  const sizes = readdirSync(directory).map((name) => statSync(join(directory, name)).size)
  t.true(sizes.reduce((sum, size) => sum + size, 0) <= (8 << 20) + 8192)
  rmSync(directory, { recursive: true })
})
