import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'

import test from 'ava'
import pino from 'pino'

import { MappedFile } from '../index'
import { MappedLog } from '../lib/log'
import toLog, { destination } from '../lib/log/pino'
import { remove } from './helpers'

const folder = mkdtempSync(join(tmpdir(), 'memmap-pino-'))
test.after.always(() => remove(folder))

/** `npm run test:log` kills 100 times. */
const ROUNDS = Number(process.env['MEMMAP_LOG_ROUNDS'] ?? 4)

/** Lets an application log until it is killed: how many lines it had logged, and what is left of them. */
async function kill(kind: string, round: number): Promise<{ logged: number; left: string[] }> {
  const path = join(folder, `${kind}-${round}`)
  const ack = MappedFile.openSync(`${path}.ack`, { access: 'write', create: true, length: 4096 })
  const child = spawn(process.execPath, [join(__dirname, 'log/pino.mjs'), kind, path, `${path}.ack`], {
    stdio: 'inherit',
  })
  const exited = once(child, 'exit')
  while (ack.getInt32(0, true) < 1000 && child.exitCode === null) await pause(2)
  await pause(Math.random() * 50)
  child.kill('SIGKILL')
  await exited
  const logged = ack.getInt32(0, true)
  ack.close()
  if (kind !== 'memmap') return { logged, left: readFileSync(path, 'utf8').split('\n').slice(0, -1) }
  const log = MappedLog.openSync(path)
  const left = [...log].map(({ data }) => data.toString())
  log.close()
  remove(path)
  return { logged, left }
}

test.serial('a killed pino application loses no line, where buffering destinations lose some', async (t) => {
  const lost = { memmap: 0, sonic: 0, async: 0 }
  for (let round = 0; round < ROUNDS; round++) {
    for (const kind of ['memmap', 'sonic', 'async'] as const) {
      const { logged, left } = await kill(kind, round)
      left.forEach((line, number) => t.is((JSON.parse(line) as { number: number }).number, number))
      lost[kind] += Math.max(0, logged - left.length)
    }
  }
  t.log(`${ROUNDS} rounds, lines lost: ${JSON.stringify(lost)}`)
  t.is(lost.memmap, 0)
  t.true(lost.sonic > 0 && lost.async > 0)
})

test.serial('a destination is all that pino needs', (t) => {
  const stream = destination({ dir: join(folder, 'alone') })
  const logger = pino(stream)
  logger.info('hello')
  logger.child({ part: 7 }).warn('there')
  const lines = [...stream.log].map(({ data }) => JSON.parse(data.toString()) as { msg: string; part?: number })
  t.deepEqual(
    lines.map(({ msg, part }) => [msg, part]),
    [
      ['hello', undefined],
      ['there', 7],
    ],
  )
  stream.end()
})

test.serial('flush of the logger is that of the log', async (t) => {
  const stream = destination({ dir: join(folder, 'flush'), flush: 'never' })
  const logger = pino({ base: null, timestamp: false }, stream)
  logger.info({ number: 0 }, 'a line')
  t.true(stream.log.stats().durable < stream.log.stats().end)
  await new Promise<void>((resolve, reject) => logger.flush((error) => (error ? reject(error) : resolve())))
  t.is(stream.log.stats().durable, stream.log.stats().end)
  stream.end()
})

test.serial('the transport writes each line as a record, from its worker', async (t) => {
  const dir = join(folder, 'transport')
  const transport = pino.transport({ target: join(__dirname, '../lib/log/pino.js'), options: { dir } })
  const logger = pino({ base: null, timestamp: false }, transport)
  // pino's worker does not keep a process alive.
  const alive = setInterval(() => {}, 1000)
  t.teardown(() => clearInterval(alive))
  await once(transport, 'ready')
  for (let number = 0; number < 500; number++) logger.info({ number }, 'ü')
  transport.end()
  await once(transport, 'close')
  const log = MappedLog.openSync(dir, { readOnly: true })
  const numbers = [...log].map(({ data }) => (JSON.parse(data.toString()) as { number: number }).number)
  t.deepEqual(
    numbers,
    Array.from({ length: 500 }, (_, number) => number),
  )
  log.close()
})

test.serial('a line that no segment has room for is left out with a warning, and logging goes on', async (t) => {
  const dir = join(folder, 'long')
  const transport = toLog({ dir, segmentSize: 4096, flush: 'never' })
  const warned = once(process, 'warning') as Promise<[Error & { code?: string }]>
  transport.write(`first\n${'x'.repeat(10_000)}\nsecond\nin ${'y'.repeat(2000)}`)
  transport.write('two parts\nlast, without an end')
  transport.end()
  await once(transport, 'close')
  const [{ code, message }] = await warned
  t.is(code, 'ERR_OUT_OF_RANGE')
  t.regex(message, /10000 bytes/)
  const log = MappedLog.openSync(dir, { readOnly: true })
  t.deepEqual(
    [...log].map(({ data }) => data.toString().slice(0, 30)),
    ['first', 'second', `in ${'y'.repeat(27)}`, 'last, without an end'],
  )
  log.close()
})
