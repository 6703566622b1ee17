// W5: 1,000,000 records of 512 bytes. `node benchmark/cases/log.mjs [rounds] [directory]`; rivals take turns in one run, medians of the rounds.
import { closeSync, createWriteStream, mkdirSync, openSync, rmSync, writeSync } from 'node:fs'
import { loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import pino from 'pino'
import SonicBoom from 'sonic-boom'
import { MappedFile } from '../../index.js'
import { MappedLog } from '../../lib/log/index.js'
import { destination } from '../../lib/log/pino.js'

const rounds = Number(process.argv[2] ?? 3)
const folder = join(process.argv[3] ?? tmpdir(), `memmap-w5-${process.pid}`)
const COUNT = 1_000_000
const bytes = Buffer.alloc(512, 'x')
const text = bytes.toString()
/** Those that take so long that a fifth of the records is enough. */
const PARTS = /sonic|Stream/
const line = `${'x'.repeat(511)}\n`
let names = 0
const fresh = () => join(folder, String(names++))

/** Nanoseconds a record over all of them. */
function timed(write, count = COUNT) {
  const begin = process.hrtime.bigint()
  for (let turn = 0; turn < count; turn++) write()
  return Number(process.hrtime.bigint() - begin) / count
}

/** A ring of 150 KB that records are copied into, wherever its memory comes from. */
function ring(target) {
  let at = 0
  const run = () =>
    timed(() => {
      if (at + 512 > target.length) at = 0
      target.set(bytes, at)
      at += 512
    })
  run()
  return run()
}

const cases = {
  'ring in memory': () => ring(new Uint8Array(150 * 1024)),
  'ring in a mapped file'() {
    const mapping = MappedFile.openSync(fresh(), { access: 'write', create: true, length: 150 * 1024 })
    try {
      return ring(mapping.view(Uint8Array))
    } finally {
      mapping.close()
    }
  },
  'MappedLog.append(Buffer)'() {
    const log = MappedLog.openSync(fresh(), { flush: 'never' })
    const result = timed(() => log.append(bytes))
    log.close()
    return result
  },
  'MappedLog.append(string)'() {
    const log = MappedLog.openSync(fresh(), { flush: 'never' })
    const result = timed(() => log.append(text))
    log.close()
    return result
  },
  'fs.writeSync(Buffer)'() {
    const fd = openSync(fresh(), 'w')
    const result = timed(() => writeSync(fd, bytes))
    closeSync(fd)
    return result
  },
  'sonic-boom, sync'() {
    const sonic = new SonicBoom({ fd: openSync(fresh(), 'w'), sync: true })
    const result = timed(() => sonic.write(line), COUNT / 5)
    sonic.destroy()
    return result
  },
  async 'createWriteStream, with back-pressure'() {
    const stream = createWriteStream(fresh())
    const begin = process.hrtime.bigint()
    for (let turn = 0; turn < COUNT / 5; turn++) {
      if (!stream.write(bytes)) await new Promise((resolve) => stream.once('drain', resolve))
    }
    await new Promise((resolve) => stream.end(resolve))
    return (Number(process.hrtime.bigint() - begin) / COUNT) * 5
  },
}

function median(values) {
  return values.toSorted((a, b) => a - b)[values.length >> 1]
}

/** One call at a time, with the clock read round each: its own cost is in all of them alike. */
function distribution(write, count = COUNT / 2) {
  const times = new Float64Array(count)
  for (let turn = 0; turn < count; turn++) {
    const begin = performance.now()
    write()
    times[turn] = (performance.now() - begin) * 1000
  }
  times.sort()
  return [0.5, 0.99, 0.9999, 1].map((share) => times[Math.min(count - 1, Math.floor(count * share))])
}

function latencies() {
  const object = { text: 'x'.repeat(460) }
  const log = MappedLog.openSync(fresh(), { flush: 'never' })
  const dir = fresh()
  const mapped = destination({ dir, flush: 'never' })
  const fd = openSync(fresh(), 'w')
  const file = () => openSync(fresh(), 'w')
  const options = { base: null, timestamp: false }
  const loggers = {
    'pino to memmap/log': pino(options, mapped),
    'pino to sonic-boom, sync': pino(options, pino.destination({ fd: file(), sync: true })),
    'pino to sonic-boom, async': pino(options, pino.destination({ fd: file(), sync: false, minLength: 4096 })),
  }
  const sonic = new SonicBoom({ fd: file(), sync: true })
  const writers = {
    'MappedLog.append': () => log.append(bytes),
    'fs.writeSync': () => writeSync(fd, bytes),
    'sonic-boom, sync': () => sonic.write(line),
    ...Object.fromEntries(Object.entries(loggers).map(([name, logger]) => [name, () => logger.info(object)])),
  }
  console.log('\nmicroseconds a call'.padEnd(41), 'p50', 'p99', 'p99.99', 'max')
  for (const [name, write] of Object.entries(writers)) {
    const figures = distribution(write, name.includes('async') ? COUNT / 10 : COUNT / 2)
    console.log(name.padEnd(40), figures.map((one) => one.toFixed(2)).join('  '))
  }
  log.close()
  mapped.end()
}

async function recovery() {
  const directory = fresh()
  let log = MappedLog.openSync(directory, { flush: 'never' })
  while (log.stats().end < 2 ** 30) for (let turn = 0; turn < 10_000; turn++) log.append(bytes)
  log.close()
  for (const how of ['openSync', 'open']) {
    const begin = performance.now()
    log = await MappedLog[how](directory, { flush: 'never' })
    console.log(`\n${how} of 1 GiB, ${log.recovery.recovered} records: ${(performance.now() - begin).toFixed(0)} ms`)
    log.close()
  }
}

mkdirSync(folder, { recursive: true })
try {
  const results = Object.fromEntries(Object.keys(cases).map((name) => [name, []]))
  // On a machine that does other work too the clock measures the others: the processor time of the thread that logs is what it was kept from its own work.
  const times = Object.fromEntries(Object.keys(cases).map((name) => [name, []]))
  const cpu = (from) => (process.threadCpuUsage ?? process.cpuUsage).call(process, from)
  for (let round = 0; round < rounds; round++) {
    for (const [name, run] of Object.entries(cases)) {
      const begin = cpu()
      results[name].push(await run())
      const { user, system } = cpu(begin)
      const count = name.startsWith('ring') ? 2 * COUNT : PARTS.test(name) ? COUNT / 5 : COUNT
      times[name].push(((user + system) * 1000) / count)
      rmSync(folder, { recursive: true })
      mkdirSync(folder)
    }
  }
  const of = (name) => median(results[name])
  for (const name of Object.keys(cases)) {
    const spread = results[name].map((one) => one.toFixed(0)).join(', ')
    const used = `${median(times[name]).toFixed(0)} ns`.padStart(9)
    console.log(name.padEnd(40), `${of(name).toFixed(1)} ns`.padStart(12), used, ` (${spread})`)
  }
  const whose = process.threadCpuUsage === undefined ? 'process' : 'thread'
  console.log(
    `columns: by the clock, processor time of the ${whose}, rounds by the clock; load average ${loadavg()[0].toFixed(1)}, Node ${process.version}`,
  )
  const append = of('MappedLog.append(Buffer)')
  console.log(`\nring: ${(of('ring in a mapped file') / of('ring in memory')).toFixed(2)}x of memory (figure: 1.1)`)
  const ratio = median(times['fs.writeSync(Buffer)']) / median(times['MappedLog.append(Buffer)'])
  console.log(`processor time: ${ratio.toFixed(1)}x ahead of fs.writeSync`)
  console.log(
    `append: ${append.toFixed(0)} ns (figure: 200), ${(of('fs.writeSync(Buffer)') / append).toFixed(1)}x ahead of fs.writeSync (figure: 4)`,
  )
  latencies()
  await recovery()
} finally {
  rmSync(folder, { recursive: true, force: true })
}
