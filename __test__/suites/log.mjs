// memmap/log where it matters: killed writers, readers and waiters in other processes. MEMMAP_LOG_ROUNDS is how often it kills (default 5).
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { MappedFile, Mapping } from '../../index.js'
import { MappedLog } from '../../lib/log/index.js'
import { numberOf, payload } from '../log/records.mjs'
import { tests } from '../tap.mjs'

const folder = mkdtempSync(join(tmpdir(), 'memmap-log-'))
const rounds = Number(process.env.MEMMAP_LOG_ROUNDS ?? 5)
const program = fileURLToPath(new URL('../log/child.mjs', import.meta.url))
const waiter = fileURLToPath(new URL('../log/waiter.mjs', import.meta.url))
const flags = typeof Deno === 'undefined' ? [] : ['run', '--allow-all', '--no-lock', '--cached-only']
let names = 0
const fresh = () => join(folder, String(names++))

const start = (...args) => startProgram(program, args)

function startProgram(name, args) {
  const child = spawn(process.execPath, [...flags, name, ...args.map(String)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  child.lines = []
  let text = ''
  child.stdout.on('data', (chunk) => {
    const parts = (text + chunk).split('\n')
    text = parts.pop()
    child.lines.push(...parts)
    child.emit('line')
  })
  return child
}

async function until(condition, child, what) {
  const end = Date.now() + 30_000
  while (!condition()) {
    if (Date.now() > end) throw new Error(`in vain: ${what}`)
    if (child?.exitCode !== null && child?.exitCode !== undefined && !condition()) {
      throw new Error(`the child left with ${child.exitCode} before: ${what}`)
    }
    await new Promise((resolve) => setTimeout(resolve, 2))
  }
}

await tests(
  {
    async [`a writer is killed ${rounds} times: no record for which append returned is lost, and no other one is there`]() {
      const directory = fresh()
      const path = fresh()
      const ack = MappedFile.openSync(path, { access: 'write', create: true, length: 4096 })
      const acknowledged = ack.view(Int32Array)
      let next = 0
      let total = 0
      for (let round = 0; round < rounds; round++) {
        Atomics.store(acknowledged, 0, next)
        const child = start('append', directory, path, next)
        await until(() => Atomics.load(acknowledged, 0) > next, child, 'a first record')
        await new Promise((resolve) => setTimeout(resolve, Math.random() * 60))
        child.kill('SIGKILL')
        await once(child, 'exit')
        const least = Atomics.load(acknowledged, 0)
        const log = MappedLog.openSync(directory, { segmentSize: 65_536, flush: 'never' })
        assert.deepEqual(log.recovery.damaged, [])
        let number = next
        for (const { data } of log) assert.equal(numberOf(data), number++)
        assert.ok(number === least || number === least + 1, `${number} records, ${least} acknowledged`)
        total += number - next
        next = number
        log.truncateBefore(log.stats().end)
        assert.deepEqual([...log], [])
        log.close()
      }
      assert.ok(total > rounds)
      ack.close()
      console.log(`# ${total} records in ${rounds} rounds, 0 lost`)
    },

    async 'a reader in another process sees every record once, in order, as it comes'() {
      const directory = fresh()
      const log = MappedLog.openSync(directory, { segmentSize: 65_536 })
      const before = Array.from({ length: 300 }, (_, number) => log.append(payload(number)))
      const child = start('tail', directory, before[100], 1200)
      await until(() => child.lines.includes('ready'), child, 'a reader')
      const after = []
      for (let number = 300; number < 1300; number++) {
        after.push(log.append(payload(number)))
        if (number % 100 === 0) await new Promise((resolve) => setTimeout(resolve, 5))
      }
      await until(() => child.lines.length >= 1201, child, '1,200 records')
      const expected = [...before.slice(100), ...after]
        .slice(0, 1200)
        .map((position, at) => `${position} ${payload(at + 100).length}`)
      assert.deepEqual(child.lines.slice(1, 1201), expected)
      if (child.exitCode === null) await once(child, 'exit')
      log.close()
    },

    async 'a reader in another process follows a log that forgets: what it sees is right, in order, and ends with the last record'() {
      const directory = fresh()
      const log = MappedLog.openSync(directory, { segmentSize: 16_384, retain: { segments: 3 }, flush: 'never' })
      log.append(payload(0))
      const child = start('follow', directory, 6000)
      await until(() => child.lines.includes('ready'), child, 'a reader')
      // Bursts, so that whole segments are deleted before the reader has seen them.
      for (let number = 1; number <= 6000; number++) {
        log.append(payload(number))
        if (number % 500 === 0) await new Promise((resolve) => setTimeout(resolve, 1))
      }
      await until(() => child.lines.length === 2, child, 'the last record')
      const { seen, last } = JSON.parse(child.lines[1])
      assert.equal(last, 6000)
      assert.ok(seen > 20 && seen <= 6001, `${seen} records`)
      if (child.exitCode === null) await once(child, 'exit')
      log.close()
    },

    async 'a second writer is refused while the first lives, and let in when it was killed'() {
      const directory = fresh()
      const path = fresh()
      const ack = MappedFile.openSync(path, { access: 'write', create: true, length: 4096 })
      const child = start('append', directory, path, 0)
      await until(() => ack.getInt32(0, true) > 0, child, 'a first record')
      assert.throws(() => MappedLog.openSync(directory), { code: 'EBUSY' })
      child.kill('SIGKILL')
      await once(child, 'exit')
      MappedLog.openSync(directory).close()
      ack.close()
    },

    // On Bun an optimised Atomics.load is a store: over read-only pages it calls the guard, and the page is a stale copy from then on.
    async 'a reader never stores: its pages stay those of the file, however hot it runs'() {
      const directory = fresh()
      const log = MappedLog.openSync(directory, { segmentSize: 65_536 })
      for (let number = 0; number < 500; number++) log.append(String(number))
      const child = start('read', directory, 700)
      await until(() => child.lines.includes('ready'), child, 'a reader')
      // Into pages that it has read 40 times.
      for (let number = 500; number < 700; number++) log.append(String(number))
      await until(() => child.lines.length === 2, child, '700 records')
      assert.deepEqual(JSON.parse(child.lines[1]), { faults: 0, copied: 0 })
      if (child.exitCode === null) await once(child, 'exit')
      log.close()
    },

    async 'a sleeping reader is woken within milliseconds'() {
      if (!Mapping.isSupported('wait')) return 'no waits across processes on this system'
      const directory = fresh()
      const log = MappedLog.openSync(directory)
      const times = []
      const controller = new AbortController()
      const reading = (async () => {
        for await (const { data } of log.tail({ signal: controller.signal }))
          times.push(performance.now() - Number(data.toString()))
      })()
      for (let turn = 0; turn < 20; turn++) {
        await new Promise((resolve) => setTimeout(resolve, 10))
        log.append(String(performance.now()))
      }
      await until(() => times.length === 20, undefined, '20 records')
      controller.abort()
      await assert.rejects(reading, { name: 'AbortError' })
      times.sort((a, b) => a - b)
      // Who was not woken looks again after a second.
      assert.ok(times[10] < 500, `${times[10]} ms`)
      log.close()
    },

    async 'hundreds of waits and a sleeping worker hold up nobody: not close, not an abort, not the exit'() {
      if (!Mapping.isSupported('wait')) return 'no waits across processes on this system'
      const ends = {
        idle: [0, ''],
        exit: [7, ''],
        terminate: [0, 'terminated'],
        'exit over a worker': [7, ''],
        abort: [0, 'ABORT_ERR enough'],
        close: [0, 'ERR_INVALID_STATE'],
        'time out': [0, 'timed-out'],
      }
      for (const [how, [code, text]] of Object.entries(ends)) {
        const path = fresh()
        MappedFile.openSync(path, { access: 'write', create: true, length: 4096 }).close()
        const child = startProgram(waiter, [path, how])
        const late = setTimeout(() => child.kill('SIGKILL'), 30_000)
        const [status, signal] = await once(child, 'close')
        clearTimeout(late)
        assert.deepEqual([how, status, signal, child.lines.join()], [how, code, null, text])
      }
    },

    async 'waits and wakes cross processes, blocking and not'() {
      if (!Mapping.isSupported('wait')) return 'no waits across processes on this system'
      for (const mode of ['sync', 'async']) {
        const path = fresh()
        const mapping = MappedFile.openSync(path, { access: 'write', create: true, length: 8192 })
        const words = mapping.view(Int32Array)
        const child = start('wait', path, mode)
        await until(() => child.lines.includes('ready'), child, 'a waiter')
        for (let turn = 0; turn < 100; turn++) {
          Atomics.store(words, 0, turn + 1)
          mapping.notify(0)
          while (Atomics.load(words, 1) === turn) {
            if (mode === 'sync') assert.notEqual(mapping.wait(4, turn, 30_000), 'timed-out')
            else assert.notEqual(await mapping.waitAsync(4, turn, { timeoutMs: 30_000 }), 'timed-out')
          }
        }
        if (child.exitCode === null) await once(child, 'exit')
        assert.equal(child.exitCode, 0)
        mapping.close()
      }
    },
  },
  () => rmSync(folder, { recursive: true, force: true }),
)
