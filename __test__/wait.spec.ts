import { mkdtempSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import { spawn } from 'node:child_process'
import { once } from 'node:events'

import test from 'ava'

import { AnonymousMemory, MappedFile, Mapping } from '../index'
import { missingPages, onLinux, onWindows, page, remove, unless } from './helpers'

const folder = mkdtempSync(join(tmpdir(), 'memmap-wait-'))
test.after.always(() => remove(folder))

let files = 0
const create = (length = 8192) =>
  MappedFile.openSync(join(folder, `${files++}`), { access: 'write', create: true, length })
const reopen = (mapping: Mapping) => MappedFile.openSync(mapping.path as string, { access: 'write' })

const waits = unless(!Mapping.isSupported('wait') && 'this system has no wait for a word that processes share')

waits('wait returns at once when the word has another value, signed or unsigned', (t) => {
  const mapping = create()
  mapping.setUint32(8, 0xffff_ffff, true)
  t.is(mapping.wait(8, 0), 'not-equal')
  t.is(mapping.wait(8, -1, 1), 'timed-out')
  t.is(mapping.wait(8, 0xffff_ffff, 1), 'timed-out')
  mapping.close()
})

waits('wait keeps to its time, past one slice too', (t) => {
  const mapping = create()
  const begin = performance.now()
  t.is(mapping.wait(0, 0, 130), 'timed-out')
  const took = performance.now() - begin
  t.true(took >= 129 && took < 1000, `${took}`)
  t.is(mapping.wait(0, 0, -5), 'timed-out')
  mapping.close()
})

waits('a waiter is woken by another mapping of the file, and notify says how many there were', async (t) => {
  const mapping = create()
  const other = reopen(mapping)
  const woken = mapping.waitAsync(4096, 0, { timeoutMs: 30_000 })
  let count = 0
  while (count === 0) {
    await pause(1)
    count = other.notify(4096)
  }
  t.is(count, 1)
  t.is(await woken, 'ok')
  t.is(other.notify(4096), 0)
  mapping.close()
  other.close()
})

waits('notify right after waitAsync finds the waiter, though the kernel may not know it yet', async (t) => {
  const mapping = create()
  for (let turn = 0; turn < 200; turn++) {
    const woken = mapping.waitAsync(0, 0)
    t.is(mapping.notify(0), 1)
    t.is(await woken, 'ok')
  }
  mapping.close()
})

waits(
  'so does notify by any other mapping of the file, with another offset or access, and counts each wait once',
  async (t) => {
    for (let round = 0; round < 20; round++) {
      const mapping = create(2 * Mapping.allocationGranularity)
      const offset = Mapping.allocationGranularity
      const others = [
        reopen(mapping),
        MappedFile.openSync(mapping.path as string, { access: 'write', offset }),
        MappedFile.openSync(mapping.path as string),
      ]
      const places = [offset + 64, 64, offset + 64]
      const begun = [mapping, ...others].flatMap((one, at) => {
        const place = at === 0 ? offset + 64 : places[at - 1]!
        return [0, 1].map(() => one.waitAsync(place, 0, { timeoutMs: 10_000 }))
      })
      const elsewhere = mapping.waitAsync(64, 0, { timeoutMs: 10_000 })
      t.is(others[1]!.notify(64, 3), 3)
      t.is(others[0]!.notify(offset + 64), 5)
      t.deepEqual(
        await Promise.all(begun),
        Array.from({ length: 8 }, () => 'ok'),
      )
      t.is(others[0]!.notify(offset + 64), 0)
      t.is(others[0]!.notify(64), 1)
      t.is(await elsewhere, 'ok')
      for (const one of [mapping, ...others]) one.close()
    }
  },
)

waits('notify wakes as many as it is told', async (t) => {
  const mapping = create()
  const results: string[] = []
  const all = Array.from({ length: 5 }, () => mapping.waitAsync(0, 0).then((result) => results.push(result)))
  t.is(mapping.notify(0, 0), 0)
  t.is(mapping.notify(0, 2), 2)
  await pause(20)
  t.is(results.length, 2)
  t.is(mapping.notify(0), 3)
  await Promise.all(all)
  mapping.close()
})

waits('hundreds of waits at once, on many words, are all woken and none twice', async (t) => {
  const mapping = create()
  const other = reopen(mapping)
  const all = Array.from({ length: 400 }, (_, at) => mapping.waitAsync(4 * (at % 200), 0, { timeoutMs: 60_000 }))
  await pause(100)
  let count = 0
  for (let at = 0; at < 200; at++) count += (at % 2 === 0 ? mapping : other).notify(4 * at)
  t.is(count, 400)
  t.deepEqual(new Set(await Promise.all(all)), new Set(['ok']))
  mapping.close()
  other.close()
})

waits('close rejects pending waits, an abort signal its own, and the others stay', async (t) => {
  const mapping = create()
  const other = reopen(mapping)
  const controller = new AbortController()
  const aborted = mapping.waitAsync(0, 0, { signal: controller.signal })
  const closed = other.waitAsync(0, 0)
  const stays = mapping.waitAsync(0, 0)
  controller.abort(new Error('enough'))
  const enough = await t.throwsAsync(aborted, { name: 'AbortError', code: 'ABORT_ERR' })
  t.is((enough!.cause as Error).message, 'enough')
  other.close()
  await t.throwsAsync(closed, { code: 'ERR_INVALID_STATE' })
  t.is(mapping.notify(0), 1)
  t.is(await stays, 'ok')
  const signal = AbortSignal.abort(new Error('before'))
  const before = await t.throwsAsync(mapping.waitAsync(0, 0, { signal }), { name: 'AbortError', code: 'ABORT_ERR' })
  t.is((before!.cause as Error).message, 'before')
  mapping.close()
  await t.throwsAsync(mapping.waitAsync(0, 0), { code: 'ERR_INVALID_STATE' })
  t.throws(() => mapping.wait(0, 0), { code: 'ERR_INVALID_STATE' })
  t.throws(() => mapping.notify(0), { code: 'ERR_INVALID_STATE' })
})

waits('who waited by another mapping of the file, and closed it, is not counted any more', async (t) => {
  const mapping = create()
  for (let round = 0; round < 200; round++) {
    const other = reopen(mapping)
    const closed = other.waitAsync(0, 0)
    const stays = mapping.waitAsync(0, 0)
    // Long enough for both to be in the kernel.
    if (round % 3 !== 0) await pause(1)
    other.close()
    await t.throwsAsync(closed, { code: 'ERR_INVALID_STATE' })
    t.is(mapping.notify(0), 1)
    t.is(await stays, 'ok')
  }
  mapping.close()
})

waits('a read-only mapping waits for a writer, and keeps seeing its stores', async (t) => {
  const mapping = create()
  const reader = MappedFile.openSync(mapping.path as string)
  const woken = reader.waitAsync(0, 0, { timeoutMs: 30_000 })
  await pause(30)
  mapping.setInt32(0, 7, true)
  t.is(mapping.notify(0), 1)
  t.is(await woken, 'ok')
  t.is(reader.wait(0, 7, 1), 'timed-out')
  mapping.setInt32(0, 8, true)
  t.is(reader.getInt32(0, true), 8)
  t.is(reader.fault, null)
  mapping.close()
  reader.close()
})

unless(onWindows ? 'Windows cuts no file that another mapping has' : !Mapping.isSupported('wait') && 'no waits here')(
  'wait and notify mean the pages that the mapping has now, after resize too',
  async (t) => {
    const mapping = create()
    const other = reopen(mapping)
    for (const length of [8192, 1 << 20, 4096, 1 << 16]) {
      mapping.resize(length)
      t.is(mapping.byteLength, length)
      t.is(mapping.wait(0, 1), 'not-equal')
      t.is(mapping.wait(0, 0, 1), 'timed-out')
      const woken = other.waitAsync(0, 0, { timeoutMs: 30_000 })
      let count = 0
      while ((count = mapping.notify(0)) === 0) await pause(1)
      t.is(count, 1)
      t.is(await woken, 'ok')
    }
    const shared = Mapping.from(mapping.share())
    t.is(shared.wait(0, 0, 1), 'timed-out')
    mapping.close()
    t.is(shared.wait(0, 0, 1), 'timed-out')
    t.is(shared.notify(0), 0)
    shared.close()
    t.throws(() => shared.wait(0, 0, 1), { code: 'ERR_INVALID_STATE' })
    other.close()
  },
)

waits("waiting on a private copy leaves its page the file's, and on anonymous memory works too", async (t) => {
  const mapping = create()
  const copy = MappedFile.openSync(mapping.path as string, { access: 'copy' })
  t.is(copy.wait(0, 0, 1), 'timed-out')
  const woken = copy.waitAsync(4, 0)
  t.is(copy.notify(4), 1)
  t.is(await woken, 'ok')
  mapping.setInt32(0, 5, true)
  t.is(copy.getInt32(0, true), 5)
  const memory = AnonymousMemory.create(4096)
  const again = memory.waitAsync(0, 0)
  t.is(memory.notify(0), 1)
  t.is(await again, 'ok')
  for (const one of [mapping, copy, memory]) one.close()
})

waits('wrong arguments are refused before anything happens', async (t) => {
  const mapping = create()
  t.throws(() => mapping.wait(1, 0), { code: 'ERR_OUT_OF_RANGE', instanceOf: RangeError })
  t.throws(() => mapping.wait(8190, 0), { code: 'ERR_OUT_OF_RANGE' })
  t.throws(() => mapping.wait(0, 2 ** 32), { code: 'ERR_OUT_OF_RANGE' })
  t.throws(() => mapping.wait(0, '1' as unknown as number), { code: 'ERR_INVALID_ARG_TYPE' })
  t.throws(() => mapping.notify(0, 'x' as unknown as number), { code: 'ERR_INVALID_ARG_TYPE' })
  await t.throwsAsync(mapping.waitAsync(0, 0, { timeout: 5 } as object), { instanceOf: TypeError })
  await t.throwsAsync(mapping.waitAsync(0, 0, { signal: 1 } as object), { code: 'ERR_INVALID_ARG_TYPE' })
  const shifted = MappedFile.openSync(mapping.path as string, { access: 'write', offset: 2 })
  t.throws(() => shifted.wait(0, 0), { code: 'ERR_OUT_OF_RANGE' })
  t.is(shifted.wait(2, 0, 1), 'timed-out')
  shifted.close()
  mapping.close()
})

waits('a worker that waits for ever can be terminated, and a process with waits exits', async (t) => {
  const mapping = create()
  const source = `const { MappedFile } = require(${JSON.stringify(require.resolve('../index'))})
    const mapping = MappedFile.openSync(${JSON.stringify(mapping.path)}, { access: 'write' })
    mapping.waitAsync(4, 0).catch(() => {})
    mapping.setInt32(8, 1, true)
    mapping.wait(0, 0)`
  const worker = new Worker(source, { eval: true })
  while (mapping.getInt32(8, true) === 0) await pause(1)
  const begin = performance.now()
  await worker.terminate()
  t.true(performance.now() - begin < 20_000)
  const program = `const { Worker } = require('node:worker_threads')
    new Worker(${JSON.stringify(source)}, { eval: true })
    setTimeout(() => process.exit(7), 200)`
  const child = spawn(process.execPath, ['-e', program])
  t.deepEqual(await once(child, 'exit'), [7, null])
  const idle = spawn(process.execPath, ['-e', source.replace('mapping.wait(0, 0)', '')])
  t.deepEqual(await once(idle, 'exit'), [0, null])
  mapping.close()
})

const programOf = (
  mapping: Mapping,
  body: string,
) => `const { MappedFile } = require(${JSON.stringify(require.resolve('../index'))})
  const mapping = MappedFile.openSync(${JSON.stringify(mapping.path)}, { access: 'write' })
  ${body}`

waits('another process wakes this one, and this one another', async (t) => {
  const mapping = create()
  const woken = mapping.waitAsync(4, 0, { timeoutMs: 60_000 })
  const child = spawn(
    process.execPath,
    [
      '-e',
      programOf(
        mapping,
        `mapping.setInt32(4, 5, true)
        let count = 0
        while ((count = mapping.notify(4)) === 0);
        mapping.setInt32(12, count, true)
        process.exitCode = mapping.wait(8, 0, 60_000) === 'ok' ? 7 : 8`,
      ),
    ],
    { stdio: ['ignore', 'ignore', 'inherit'] },
  )
  const ended = once(child, 'exit')
  t.is(await woken, 'ok')
  t.is(mapping.getInt32(4, true), 5)
  let count = 0
  while (count === 0 && child.exitCode === null) {
    count = mapping.notify(8)
    await pause(5)
  }
  t.is(count, 1)
  t.deepEqual(await ended, [7, null])
  t.is(mapping.getInt32(12, true), 1)
  mapping.close()
})

waits('a process that is killed while it waits is no waiter any more', async (t) => {
  const mapping = create()
  const child = spawn(
    process.execPath,
    ['-e', programOf(mapping, `mapping.setInt32(8, 1, true); mapping.wait(0, 0)`)],
    { stdio: ['ignore', 'ignore', 'inherit'] },
  )
  while (mapping.getInt32(8, true) === 0) await pause(5)
  await pause(50)
  const ended = once(child, 'exit')
  child.kill('SIGKILL')
  await ended
  t.is(mapping.notify(0), 0)
  const woken = mapping.waitAsync(0, 0)
  t.is(mapping.notify(0), 1)
  t.is(await woken, 'ok')
  mapping.close()
})

const cutting = unless(missingPages || (!onLinux && "what is said of a missing page is the system's business"))
cutting('a word whose page the file has lost is a fault, and a protected one EACCES, whoever asks', async (t) => {
  for (const access of ['read', 'write', 'copy'] as const) {
    const asks: ((mapping: Mapping) => unknown)[] = [
      (mapping) => mapping.wait(2 * page, 0, 50),
      (mapping) => mapping.waitAsync(2 * page, 0, { timeoutMs: 50 }),
    ]
    if (access !== 'copy') asks.push((mapping) => mapping.notify(2 * page))
    for (const ask of asks) {
      const path = join(folder, `${files++}`)
      writeFileSync(path, Buffer.alloc(3 * page))
      const mapping = MappedFile.openSync(path, { access })
      truncateSync(path, page)
      await t.throwsAsync(async () => ask(mapping), { code: 'ERR_MAPPING_FAULT' }, `${access} ${String(ask)}`)
      t.is(mapping.fault!.kind, 'truncated')
      mapping.close()
    }
    const path = join(folder, `${files++}`)
    writeFileSync(path, Buffer.alloc(3 * page))
    const mapping = MappedFile.openSync(path, { access })
    mapping.protect('none', { offset: 2 * page, length: page })
    for (const ask of asks) {
      await t.throwsAsync(async () => ask(mapping), { code: 'EACCES' }, `${access} ${String(ask)}`)
    }
    mapping.close()
  }
})

/** `notify` in another thread, while this one has no turn for the news; `begin` is called at the last moment before. */
async function wokenMeanwhile(mapping: Mapping, begin: () => void): Promise<number> {
  const worker = new Worker(
    `const { parentPort, workerData } = require('node:worker_threads')
     const { Mapping } = require(workerData.index)
     const mapping = Mapping.from(workerData.handle)
     parentPort.once('message', () => {
       mapping.setInt32(8, 1 + mapping.notify(0, 1), true)
       mapping.close()
     })
     parentPort.postMessage('ready')`,
    { eval: true, workerData: { index: join(__dirname, '../index.js'), handle: mapping.share() } },
  )
  await once(worker, 'message')
  begin()
  worker.postMessage('now')
  const since = performance.now()
  while (mapping.getInt32(8, true) === 0 && performance.now() - since < 10_000);
  while (performance.now() - since < 100);
  return mapping.getInt32(8, true) - 1
}

for (const [what, end] of [
  ['a time limit', () => {}],
  ['an abort', (_: Mapping, controller: AbortController) => controller.abort()],
  ['close', (mapping: Mapping) => mapping.close()],
  ['a notify of its own mapping', (mapping: Mapping) => mapping.notify(0, 1)],
] as const) {
  waits(`a wake that was counted is not lost to ${what} before the news of it`, async (t) => {
    const mapping = create()
    const other = reopen(mapping)
    const controller = new AbortController()
    const results: Promise<unknown>[] = []
    const woken = await wokenMeanwhile(mapping, () => {
      const timeoutMs = what === 'a time limit' ? 50 : 60_000
      results.push(mapping.waitAsync(0, 0, { timeoutMs, signal: controller.signal }))
      results.push(other.waitAsync(0, 0))
    })
    t.is(end(mapping, controller), what === 'a notify of its own mapping' ? 1 : undefined)
    t.is(woken, 1)
    t.is(await results[0], 'ok')
    if (what !== 'a notify of its own mapping') t.is(other.notify(0), 1, 'the other one waits still')
    t.is(await results[1], 'ok')
    other.close()
    mapping.close()
  })
}
