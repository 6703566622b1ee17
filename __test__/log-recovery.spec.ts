import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import test from 'ava'

import { MappedLog } from '../lib/log'
import { atOnce, onLinux, remove } from './helpers'

// Memory is as good as a disk here: what a disk may do is played, and thousands of logs are opened.
const folder = mkdtempSync(join(onLinux && existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'memmap-recovery-'))
test.after.always(() => remove(folder))

/** `npm run test:log` runs 10,000. */
const CASES = Number(process.env['MEMMAP_LOG_CASES'] ?? 500)

interface Dice {
  below(limit: number): number
}
interface Built {
  readonly records: { position: number; data: Buffer }[]
  readonly files: Map<string, Buffer>
  readonly durable: number
}
interface Player {
  random(seed: number): Dice
  build(directory: string, dice: Dice): Promise<Built>
  damage(files: Map<string, Buffer>, dice: Dice): { damaged: Map<string, Buffer>; intact: number }
  check(directory: string, built: Built, damage: unknown): string
  powerLoss(directory: string, dice: Dice): Promise<void>
  restore(directory: string, files: Map<string, Buffer>): void
}
// Plain JavaScript, as the programs on other runtimes are.
const player = (): Promise<Player> => import('./log/damage.mjs' as string) as Promise<Player>

atOnce('whatever is damaged: no wrong record, no crash, and everything before the damage', async (t) => {
  const { random, build, damage, check } = await player()
  const directory = join(folder, 'damage')
  const counts: Record<string, number> = {}
  for (let done = 0, seed = 1; done < CASES; seed++) {
    const dice = random(seed)
    const built = await build(directory, dice)
    for (let turn = 0; turn < 5 && done < CASES; turn++, done++) {
      try {
        const result = check(directory, built, damage(built.files, dice))
        counts[result] = (counts[result] ?? 0) + 1
      } catch (error) {
        t.fail(`seed ${seed}, turn ${turn}: ${(error as Error).stack}`)
        return
      }
    }
  }
  t.log(`${CASES} cases: ${JSON.stringify(counts)}`)
  t.pass()
})

atOnce(
  'whatever a power loss leaves of pages that were not flushed: everything flushed is there, then a prefix',
  async (t) => {
    const { random, powerLoss } = await player()
    const directory = join(folder, 'power')
    for (let seed = 1; seed <= CASES / 10; seed++) {
      try {
        await powerLoss(directory, random(seed))
      } catch (error) {
        t.fail(`seed ${seed}: ${(error as Error).stack}`)
        return
      }
    }
    t.pass()
  },
)

atOnce('damage below the durable position is reported, skipped, and left on disk', async (t) => {
  const directory = join(folder, 'below')
  let log = MappedLog.openSync(directory, { segmentSize: 4096 })
  const positions = Array.from({ length: 100 }, (_, number) => log.append(`record ${number} ${'.'.repeat(100)}`))
  await log.flush()
  log.close()
  const name = readdirSync(directory).filter((one) => one.endsWith('.seg'))[1]!
  const bytes = readFileSync(join(directory, name))
  const victim = positions.find((position) => position >= Number(name.slice(0, 16)) + 500)!
  const at = victim - Number(name.slice(0, 16))
  bytes[at + 20]! ^= 1
  writeFileSync(join(directory, name), bytes)
  log = await MappedLog.open(directory)
  t.is(log.recovery.damaged.length, 1)
  t.is(log.recovery.damaged[0]!.position, victim)
  t.is(log.recovery.recovered, 99)
  t.deepEqual(
    [...log].map(({ position }) => position),
    positions.filter((position) => position !== victim),
  )
  t.throws(() => log.read(victim), { code: 'ERR_LOG_DAMAGED' })
  log.append('more')
  log.close()
  t.deepEqual(readFileSync(join(directory, name)).subarray(at, at + 100), bytes.subarray(at, at + 100))
})

atOnce('a log whose only header is broken is set aside, and recovery says so', (t) => {
  const directory = join(folder, 'headless')
  const name = '0000000000000000.seg'
  for (const flush of ['never', 'interval'] as const) {
    rmSync(directory, { recursive: true, force: true })
    let log = MappedLog.openSync(directory, { segmentSize: 8192, flush })
    for (let number = 0; number < 20; number++) log.append(`record ${number}`)
    log.close()
    const bytes = readFileSync(join(directory, name))
    // The id: no CRC of the file means anything without it.
    bytes[20]! ^= 1
    writeFileSync(join(directory, name), bytes)
    rmSync(join(directory, 'bell'))
    const reader = MappedLog.openSync(directory, { readOnly: true })
    t.deepEqual(reader.recovery.damaged, [{ position: 0, length: 8192 }])
    reader.close()
    log = MappedLog.openSync(directory, { flush })
    t.is(log.recovery.recovered, 0)
    t.deepEqual(log.recovery.damaged, [{ position: 0, length: 8192 }])
    t.deepEqual(readFileSync(join(directory, `${name}.aside`)), bytes)
    log.append('it goes on')
    log.close()
    log = MappedLog.openSync(directory, { flush })
    t.deepEqual(log.recovery.damaged, [])
    t.is([...log].length, 1)
    log.close()
  }
})

atOnce('what follows a cut is set aside, not deleted', (t) => {
  const directory = join(folder, 'aside')
  let log = MappedLog.openSync(directory, { segmentSize: 4096, flush: 'never' })
  for (let number = 0; number < 100; number++) log.append(`record ${number} ${'.'.repeat(100)}`)
  log.close()
  const names = readdirSync(directory).filter((one) => one.endsWith('.seg'))
  const bytes = readFileSync(join(directory, names[1]!))
  bytes.fill(0, 2048, 2100)
  writeFileSync(join(directory, names[1]!), bytes)
  const later = readFileSync(join(directory, names[2]!))
  log = MappedLog.openSync(directory, { flush: 'never' })
  t.true(log.recovery.cut > 0)
  t.deepEqual(log.recovery.damaged, [])
  t.deepEqual(readFileSync(join(directory, `${names[2]}.aside`)), later)
  t.is([...log].length, log.recovery.recovered)
  log.close()
})

atOnce('a foreign file, version or byte order is an error that writes nothing', (t) => {
  const directory = join(folder, 'foreign')
  const log = MappedLog.openSync(directory, { segmentSize: 4096 })
  log.append('one')
  log.close()
  const name = '0000000000000000.seg'
  const good = readFileSync(join(directory, name))
  const { crc32c } = require('../binding') as { crc32c(bytes: Buffer, seed: number): number }
  const forge = (change: (bytes: Buffer) => void) => {
    const bytes = Buffer.from(good)
    change(bytes)
    return bytes
  }
  const little = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1
  const put = (bytes: Buffer, value: number, at: number, native: boolean) =>
    native === little ? bytes.writeUInt32LE(value, at) : bytes.writeUInt32BE(value, at)
  const cases = {
    version: forge((bytes) => {
      put(bytes, 2, 12, true)
      put(bytes, crc32c(bytes.subarray(0, 68), 0), 68, true)
    }),
    order: forge((bytes) => {
      put(bytes, 0x0102_0304, 8, false)
      put(bytes, 1, 12, false)
      put(bytes, crc32c(bytes.subarray(0, 68), 0), 68, false)
    }),
    'version alone': forge((bytes) => put(bytes, 2, 12, true)),
    'order alone': forge((bytes) => bytes.subarray(8, 12).reverse()),
    'magic alone': forge((bytes) => bytes.write('otherlog')),
    stranger: Buffer.from('#!/bin/sh\necho not a log\n'.repeat(200)),
  }
  for (const [what, bytes] of Object.entries(cases)) {
    rmSync(directory, { recursive: true })
    require('node:fs').mkdirSync(directory)
    writeFileSync(join(directory, name), bytes)
    for (const readOnly of [false, true]) {
      t.throws(() => MappedLog.openSync(directory, { readOnly }), { code: 'ERR_LOG_FORMAT' }, what)
    }
    t.deepEqual(readdirSync(directory), [name])
    t.deepEqual(readFileSync(join(directory, name)), bytes)
  }
  // One bit is a disk's doing: the records are there.
  for (const at of [0, 8, 12]) {
    rmSync(directory, { recursive: true })
    require('node:fs').mkdirSync(directory)
    writeFileSync(
      join(directory, name),
      forge((bytes) => (bytes[at]! ^= 8)),
    )
    const mended = MappedLog.openSync(directory, { segmentSize: 4096 })
    t.deepEqual(
      [...mended].map(({ data }) => data.toString()),
      ['one'],
    )
    mended.close()
  }
})

/** Changes bytes of a file in place. */
function patch(path: string, change: (bytes: Buffer) => void): void {
  const bytes = readFileSync(path)
  change(bytes)
  writeFileSync(path, bytes)
}

const segmentsOf = (directory: string) => readdirSync(directory).filter((name) => name.endsWith('.seg'))

atOnce('a power loss that takes everything behind the start loses nothing that is appended later', (t) => {
  for (const flush of ['never', 'interval'] as const) {
    const directory = join(folder, `behind-${flush}`)
    let log = MappedLog.openSync(directory, { flush: 'never', segmentSize: 1 << 16 })
    const positions = Array.from({ length: 100 }, (_, number) => log.append(`old ${number}`.padEnd(500)))
    log.truncateBefore(positions[50]!)
    log.close()
    // Only the first page had been written back.
    patch(join(directory, segmentsOf(directory)[0]!), (bytes) => bytes.fill(0, 4096))
    log = MappedLog.openSync(directory, { flush })
    t.is(log.recovery.recovered, 0)
    const first = log.append('new')
    t.true(first >= positions[50]!)
    t.is(log.read(first).toString(), 'new')
    t.deepEqual(
      [...log].map(({ data }) => data.toString()),
      ['new'],
    )
    log.close()
    log = MappedLog.openSync(directory, { flush })
    t.is(log.recovery.recovered, 1)
    t.deepEqual(log.recovery.damaged, [])
    t.is(log.read(first).toString(), 'new')
    log.close()
  }
})

const HEADLESS: Record<string, (bytes: Buffer) => Buffer | undefined> = {
  'its header zeroed': (bytes) => bytes.fill(0, 0, 128),
  'its first page zeroed': (bytes) => bytes.fill(0, 0, 4096),
  'nothing but zeros': (bytes) => bytes.fill(0),
  'no byte': () => Buffer.alloc(0),
  'no name': () => undefined,
  'one bit of its id amiss': (bytes) => (bytes.writeUInt8(bytes[20]! ^ 1, 20), bytes),
}
for (const [what, change] of Object.entries(HEADLESS)) {
  atOnce(`flushed records of a log that has left of each segment ${what} are there or reported`, (t) => {
    for (const count of [10, 30]) {
      const directory = join(folder, `${what}-${count}`)
      let log = MappedLog.openSync(directory, { segmentSize: 16_384 })
      const positions = Array.from({ length: count }, (_, number) => log.append(`flushed ${number}`.padEnd(1000)))
      log.flushSync()
      log.close()
      for (const name of segmentsOf(directory)) {
        const bytes = change(readFileSync(join(directory, name)))
        if (bytes === undefined) rmSync(join(directory, name))
        else writeFileSync(join(directory, name), bytes)
      }
      log = MappedLog.openSync(directory, { segmentSize: 16_384 })
      const kept = new Set(Array.from(log, ({ position }) => position))
      const { damaged, recovered } = log.recovery
      t.is(kept.size, recovered)
      for (const position of positions) {
        const reported = damaged.some((one) => position >= one.position && position < one.position + one.length)
        t.true(kept.has(position) !== reported, `${position} of ${JSON.stringify(log.recovery)}`)
      }
      if (/header|bit/.test(what)) t.is(recovered, count)
      t.true(log.append('more') > positions.at(-1)!)
      log.close()
    }
  })
}

atOnce('a broken header says nothing of its number that its neighbours know better', (t) => {
  for (const flush of ['never', 'interval'] as const) {
    for (const which of [0, 1, 2, 3]) {
      const directory = join(folder, `number-${flush}-${which}`)
      let log = MappedLog.openSync(directory, { segmentSize: 4096, flush })
      for (let number = 0; number < 28; number++) log.append(`mine ${number}`.padEnd(500))
      log.close()
      patch(join(directory, segmentsOf(directory)[which]!), (bytes) => bytes.writeUInt8(bytes[40]! ^ 2, 40))
      log = MappedLog.openSync(directory, { segmentSize: 4096, flush })
      t.is([...log].length, 28)
      t.is(log.recovery.recovered, 28)
      t.is(log.recovery.damaged.length, 1)
      log.close()
    }
  }
})

atOnce('a segment without a header is known by its place, though the one before it is missing', (t) => {
  for (const which of [1, 2, 3]) {
    const directory = join(folder, `place-${which}`)
    let log = MappedLog.openSync(directory, { segmentSize: 4096 })
    const positions = Array.from({ length: 28 }, (_, number) => log.append(`mine ${number}`.padEnd(500)))
    log.close()
    const names = segmentsOf(directory)
    t.is(names.length, 4)
    rmSync(join(directory, names[which - 1]!))
    patch(join(directory, names[which]!), (bytes) => bytes.fill(0, 0, 128))
    const missing = (which - 1) * 4096
    const expected = positions.filter((position) => position < missing || position > missing + 4096)
    log = MappedLog.openSync(directory, { segmentSize: 4096 })
    t.deepEqual(
      Array.from(log, ({ position }) => position),
      expected,
    )
    t.deepEqual(log.recovery.damaged, [{ position: missing, length: 4096 + 128 }])
    log.close()
  }
})

atOnce("another log's segment in the place of ours takes nothing over", (t) => {
  for (const count of [12, 18]) {
    const [directory, other] = ['mine', 'theirs'].map((name) => {
      const made = join(folder, `${name}-${count}`)
      const log = MappedLog.openSync(made, { segmentSize: 4096 })
      for (let number = 0; number < count; number++) log.append(`${name} ${number}`.padEnd(500))
      log.close()
      return made
    }) as [string, string]
    const [first] = segmentsOf(other) as [string]
    writeFileSync(join(directory, first), readFileSync(join(other, first)))
    const log = MappedLog.openSync(directory, { segmentSize: 4096 })
    const kept = [...log].map(({ data }) => data.toString())
    t.true(kept.length > 0 && kept.every((text) => text.startsWith('mine')), kept.join().slice(0, 200))
    t.true(log.recovery.damaged.length > 0)
    log.close()
  }
})

atOnce('records behind a damaged one of numbers are all there', (t) => {
  const directory = join(folder, 'numbers')
  let log = MappedLog.openSync(directory, { segmentSize: 1 << 21 })
  const large = log.append(BigUint64Array.from({ length: 100_000 }, (_, at) => 2_000_000n - BigInt(at % 7)))
  const next = log.append('next')
  for (let number = 0; number < 1000; number++) log.append(`after ${number}`)
  log.close()
  patch(join(directory, segmentsOf(directory)[0]!), (bytes) => bytes.writeUInt8(bytes[large + 8]! ^ 1, large + 8))
  log = MappedLog.openSync(directory)
  t.deepEqual(log.recovery.damaged, [{ position: large, length: next - large }])
  t.is([...log].length, 1001)
  log.close()
})
