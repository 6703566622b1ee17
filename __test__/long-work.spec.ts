import { closeSync, fsyncSync, ftruncateSync, openSync, truncateSync } from 'node:fs'
import test from 'ava'

import { AnonymousMemory, MappedFile, Mapping } from '../index'
import { narrow, underWine, unless } from './helpers'
import { child, collect, Scratch } from './scratch'

const scratch = new Scratch('long-work')
test.after.always(() => scratch.remove())

/** How long a child may take that ends by itself: only one that hangs takes it, however busy the machine is. */
const MINUTE = 60_000

/** Zeros in a hole are searched for zeros byte by byte: as long a search as one likes, without a byte of disk. Wine's views are private: more than
 * the machine has memory is refused. */
const ENDLESS = process.platform === 'win32' ? 2 ** 34 : 2 ** 38
function endless(): MappedFile {
  return MappedFile.openSync(scratch.sparse(ENDLESS))
}
const cramped = narrow && 'an endless file does not fit into an address space of 32 bits'
const endlessly = unless(cramped)

test('load brings a file into memory and says how far it is', async (t) => {
  const size = 64 << 20
  const path = scratch.file(Buffer.alloc(size, 1))
  const file = MappedFile.openSync(path)
  file.evict()
  const reports: { done: number; total: number; at: number }[] = []
  await file.load({ onProgress: (report) => reports.push({ ...report, at: performance.now() }) })
  t.true(reports.length >= 1)
  t.deepEqual([reports.at(-1)!.done, reports.at(-1)!.total], [size, size])
  for (let i = 1; i < reports.length; i++) {
    t.true(reports[i]!.done > reports[i - 1]!.done)
    t.true(reports[i]!.at - reports[i - 1]!.at >= 15.9)
  }
  t.is(file.indexOf(0), -1)
  await file.load({ offset: 4000, length: 5000 })
  await file.load({ length: 0 })
  await t.throwsAsync(file.load({ offset: size + 1 }), { code: 'ERR_OUT_OF_RANGE' })
  await t.throwsAsync(file.load({ ofset: 1 } as never), { code: 'ERR_INVALID_ARG_VALUE' })
  file.close()
  await t.throwsAsync(file.load(), { code: 'ERR_INVALID_STATE' })
})

test('load and evict change no byte, whatever the pages are', async (t) => {
  const path = scratch.file(Buffer.alloc(100_000, 'a'))
  const maps = [
    MappedFile.openSync(path, { access: 'write' }),
    MappedFile.openSync(path, { access: 'copy' }),
    AnonymousMemory.create(100_000).fill('a'),
  ]
  for (const map of maps) {
    map.write('changed', 50_000)
    map.evict()
    map.evict({ offset: 49_000, length: 3000 })
    t.is(map.read(50_000, 7).toString(), 'changed')
    await map.load()
    t.is(map.read(50_000, 7).toString(), 'changed')
    t.is(map.count('a'), 100_000 - 7 + 1)
    map.close()
    t.throws(() => map.evict(), { code: 'ERR_INVALID_STATE' })
  }
  const empty = scratch.map('')
  await empty.load()
  empty.evict()
  empty.close()
})

/** A file on the disk, not only in the cache: what was not written yet cannot be evicted. */
function written(length: number): MappedFile {
  const path = scratch.file(Buffer.alloc(length, 'x'.repeat(1023) + '\n'))
  const fd = openSync(path, 'r+')
  fsyncSync(fd)
  closeSync(fd)
  return MappedFile.openSync(path)
}

/** Why nobody can see here that a file is not in memory, if so. */
function cacheProblem(): string | undefined {
  if (!Mapping.isSupported('residency')) return 'this system does not tell what is in memory'
  const file = written(1 << 20)
  try {
    file.evict()
    const { resident, pages, exact } = file.residency()
    if (!exact) return 'this system tells of the working set, not of its cache'
    return resident < pages / 10 ? undefined : 'this file system keeps its files in memory'
  } finally {
    file.close()
  }
}
const coldly = unless(cacheProblem())

coldly('cold sequential reading leaves little of the file in memory; what was there before stays there', async (t) => {
  const size = 96 << 20
  const file = written(size)
  const share = (): number => {
    const { resident, pages } = file.residency()
    return resident / pages
  }
  file.evict()
  t.true(share() < 0.1)
  // A chunk is handed out when all windows but two (the one in use, the one ahead) were dropped: so it is counted then, on this thread, and no clock
  // has a say. What the system reads ahead by itself comes on top.
  let most = 0
  let at = 0
  for await (const chunk of file.chunks()) {
    at += chunk.indexOf('\n') < 0 ? 0 : chunk.length
    if (at % (8 << 20) === 0) most = Math.max(most, share())
  }
  t.is(at, size)
  t.true(most < 0.6, `${most} of the file at once`)
  const streamed = share()
  t.true(streamed < 0.3, `${streamed} of the file at the end`)
  // The control: the same bytes, read without us.
  const { bytes } = file
  for (let page = 0; page < size; page += file.pageSize) at -= bytes[page] === 0 ? 0 : file.pageSize
  t.is(at, 0)
  t.true(share() > streamed + 0.5)
  await file.load()
  t.is(share(), 1)
  for await (const chunk of file.chunks()) t.true(chunk.length > 0)
  t.is(share(), 1)
  file.close()
})

endlessly('an abort ends the work at once, with its reason as the cause', async (t) => {
  const file = endless()
  for (const start of [
    (signal: AbortSignal) => file.countAsync(0, { signal, threads: 2 }),
    (signal: AbortSignal) =>
      file.indexOfAsync(1, { signal, length: 0 }).then(() => file.countAsync('\0\0', { signal })),
    (signal: AbortSignal) => collect(file.indexesOf('\0\0\0', { signal })),
  ]) {
    const controller = new AbortController()
    setTimeout(() => controller.abort('enough'), 30)
    const error = await t.throwsAsync(start(controller.signal), { name: 'AbortError', code: 'ABORT_ERR' })
    t.is(error!.cause, 'enough')
    await t.throwsAsync(start(AbortSignal.abort('before')), { name: 'AbortError' })
  }
  file.close()
})

test('who hands out what is in memory already lets the event loop go on: timers fire, and an abort or a close arrives', async (t) => {
  const path = scratch.file(Buffer.alloc(32 << 20, 'some line\n'))
  const iterations = {
    lines: (file: MappedFile, signal?: AbortSignal) => file.lines({ signal }),
    positions: (file: MappedFile, signal?: AbortSignal) => file.indexesOf('\n', { signal }),
    empty: (file: MappedFile, signal?: AbortSignal) => file.indexesOf('', { signal }),
    chunks: (file: MappedFile, signal?: AbortSignal) => file.chunks({ size: 64, signal }),
    stream: (file: MappedFile, signal?: AbortSignal) => file.createReadStream({ highWaterMark: 64, signal }),
  }
  for (const [name, iterate] of Object.entries(iterations)) {
    const file = MappedFile.openSync(path)
    await file.load()
    const controller = new AbortController()
    setTimeout(() => controller.abort(), 1)
    await t.throwsAsync(
      async () => {
        for await (const _ of iterate(file, controller.signal)) {
          // Nothing is done with it.
        }
      },
      { name: 'AbortError' },
      name,
    )
    setTimeout(() => file.close(), 1)
    await t.throwsAsync(
      async () => {
        for await (const _ of iterate(file)) {
          // Nothing is done with it.
        }
      },
      { code: 'ERR_INVALID_STATE' },
      name,
    )
  }
})

endlessly('what takes no time is not done either when it was cancelled before', async (t) => {
  const file = endless()
  const signal = AbortSignal.abort('before')
  for (const work of [
    () => file.indexOfAsync('', { signal }),
    () => file.countAsync('', { signal }),
    () => file.load({ signal, length: 0 }),
    () => collect(file.indexesOf('', { signal })),
  ]) {
    await t.throwsAsync(async () => work() as Promise<unknown>, { name: 'AbortError' })
  }
  t.throws(() => [...file.lines({ signal })], { name: 'AbortError' })
  file.close()
})

endlessly('close ends the work with ERR_INVALID_STATE', async (t) => {
  const file = endless()
  setTimeout(() => file.close(), 30)
  const others = [file.countAsync('\0\0', { threads: 2 }), collect(file.indexesOf(0))].map((work) =>
    t.throwsAsync(work as Promise<unknown>, { code: 'ERR_INVALID_STATE' }),
  )
  try {
    await file.countAsync(0)
    t.fail('a closed mapping was counted')
  } catch (error) {
    t.is((error as NodeJS.ErrnoException).code, 'ERR_INVALID_STATE')
    t.regex((error as Error).stack!, /long-work\.spec/)
  }
  await Promise.all(others)
})

endlessly(
  'progress of a search is monotonic, paced, and ends at the end; an error in it ends the search',
  async (t) => {
    const memory = AnonymousMemory.create(512 << 20)
    const reports: number[] = []
    const times: number[] = []
    const onProgress = ({ done, total }: { done: number; total: number }): void => {
      t.is(total, memory.byteLength)
      reports.push(done)
      times.push(performance.now())
    }
    t.is(await memory.countAsync('a', { onProgress, threads: 2 }), 0)
    t.is(reports.at(-1), memory.byteLength)
    for (let i = 1; i < reports.length; i++) t.true(reports[i]! > reports[i - 1]! && times[i]! - times[i - 1]! >= 15.9)
    const file = endless()
    const broken = file.countAsync(0, {
      onProgress() {
        throw new Error('mine')
      },
    })
    await t.throwsAsync(broken, { message: 'mine' })
    file.close()
    memory.close()
  },
)

// How long it stalls is the benchmark's to say: by the clock a busy machine fails it.
unless(cramped, test.serial)('the event loop turns while threads search', async (t) => {
  const file = endless()
  let turns = 0
  const timer = setInterval(() => turns++, 1)
  await t.throwsAsync(file.countAsync(0, { threads: 2, signal: AbortSignal.timeout(500) }), { name: 'AbortError' })
  clearInterval(timer)
  t.true(turns > 3, `only ${turns} turns in half a second`)
  file.close()
})

if (process.platform !== 'win32' && process.env['MEMMAP_FAULT_GUARD'] !== '0') {
  test.serial(
    'a file that is truncated before or in the middle of a search is ERR_MAPPING_FAULT, and the process lives',
    async (t) => {
      const path = scratch.file('x'.repeat(1 << 20))
      const script = `
      const [path] = args
      const code = (error) => error.code
      ;(async () => {
        const out = {}
        const fresh = () => { fs.writeFileSync(path, Buffer.alloc(1 << 20, 'x')); return memmap.MappedFile.openSync(path) }
        for (const [name, act] of Object.entries({
          load: (m) => m.load(),
          countAsync: (m) => m.countAsync('zz'),
          indexOfAsync: (m) => m.indexOfAsync('z', { threads: 2 }),
          indexesOf: (m) => m.indexesOf('z').next(),
          count: async (m) => m.count('z'),
          indexOf: async (m) => m.indexOf('zz'),
          lastIndexOf: async (m) => m.lastIndexOf('zz'),
          lines: async (m) => [...m.lines()],
          asyncLines: async (m) => { for await (const line of m.lines()) void line },
          chunks: async (m) => { for await (const chunk of m.chunks({ size: 4096 })) void chunk[0] },
          stream: (m) => m.createReadStream().toArray(),
        })) {
          const m = fresh()
          fs.truncateSync(path, 5000)
          out[name] = await act(m).then(() => 'nothing', code)
          out[name + ' kind'] = m.fault?.kind
          m.close()
        }
        const big = path + '.big'
        fs.writeFileSync(big, '')
        fs.truncateSync(big, 2 ** 36)
        const m = memmap.MappedFile.openSync(big)
        const work = m.countAsync(0, { threads: 2 }).then(() => 'nothing', code)
        setTimeout(() => fs.truncateSync(big, 4096), 50)
        out.middle = await work
        console.log(JSON.stringify(out))
      })()`
      t.timeout(MINUTE * 2)
      const { code, signal, stdout, stderr } = await child(script, [path], MINUTE)
      t.deepEqual([code, signal], [0, null], stderr)
      const out = JSON.parse(stdout) as Record<string, string>
      for (const [name, value] of Object.entries(out))
        t.is(value, name.endsWith(' kind') ? 'truncated' : 'ERR_MAPPING_FAULT', name)
    },
  )
}

test('a search of a file that grew or shrank before it was mapped is right', (t) => {
  const path = scratch.file('a'.repeat(10_000))
  const fd = openSync(path, 'r+')
  ftruncateSync(fd, 20_000)
  closeSync(fd)
  const file = MappedFile.openSync(path)
  t.is(file.indexOf(0), 10_000)
  file.close()
  truncateSync(path, 100)
  const short = MappedFile.openSync(path)
  t.is(short.count('a'), 100)
  short.close()
})

test.serial('awaited work keeps the process alive, as any file operation does', async (t) => {
  const script = `memmap.AnonymousMemory.create(1 << 28).countAsync('x').then((n) => console.log('counted', n))`
  t.timeout(MINUTE * 2)
  t.is((await child(script, [], MINUTE)).stdout, 'counted 0\n')
})

test.serial('a process that has searched, or has left an iteration, ends by itself', async (t) => {
  const path = scratch.file('abc\n'.repeat(100_000))
  const script = `
    const m = memmap.MappedFile.openSync(args[0])
    ;(async () => {
      await m.countAsync('abc', { threads: 4 })
      const it = m.indexesOf('b'); await it.next()
      const lines = m.lines()[Symbol.asyncIterator](); await lines.next()
      console.log('left')
    })()`
  t.timeout(MINUTE * 2)
  const { code, signal, stdout, stderr } = await child(script, [path], MINUTE)
  t.deepEqual([code, signal, stdout], [0, null, 'left\n'], stderr)
})

unless(underWine && 'wine loses what a child prints last', test.serial)(
  'exit with work pending does not hang: in the process, in a worker that is terminated',
  async (t) => {
    const path = scratch.sparse(ENDLESS)
    const exit = `
    const m = memmap.MappedFile.openSync(args[0])
    for (let i = 0; i < 8; i++) m.countAsync(0, { threads: 4 }).catch(() => {})
    m.load().catch(() => {})
    setTimeout(() => process.exit(7), 50)`
    t.timeout(MINUTE * 3)
    const ended = await child(exit, [path], MINUTE)
    t.is(ended.code, 7, ended.stderr)
    const worker = `
    const { Worker, isMainThread } = require('node:worker_threads')
    const body = 'const { workerData } = require("node:worker_threads"); const memmap = require(workerData.package);' +
      'const m = memmap.MappedFile.openSync(workerData.path); for (let i = 0; i < 4; i++) m.countAsync(0, { threads: 2 }).catch(() => {});' +
      'require("node:worker_threads").parentPort.postMessage("running")'
    ;(async () => {
      const data = { path: args[0], package: require.resolve(${JSON.stringify(require.resolve('../index.js'))}) }
      for (let i = 0; i < 10; i++) {
        const w = new Worker(body, { eval: true, workerData: data })
        await new Promise((resolve) => w.once('message', resolve))
        await w.terminate()
      }
      const m = memmap.MappedFile.openSync(args[0])
      await m.countAsync(1)
      const names = fs.existsSync('/proc/self/task')
        ? fs.readdirSync('/proc/self/task').map((id) => fs.readFileSync('/proc/self/task/' + id + '/comm', 'utf8').trim()) : []
      console.log(names.filter((name) => name === 'memmap').length <= Math.max(2, require('node:os').availableParallelism()))
    })()`
    const terminated = await child(worker, [path], MINUTE)
    t.is(terminated.stdout, 'true\n', terminated.stderr)
  },
)
