// The segments of a log lie one after the other behind one buffer (Linux): what another process, the end of a thread, the collector and flushes that
// end late do to them.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readdirSync, truncateSync } from 'node:fs'
import { join } from 'node:path'
import { Worker, isMainThread, parentPort, workerData } from 'node:worker_threads'
import { Mapping } from '../../index.js'
import { MappedLog } from '../../lib/log/index.js'
import { codeOf, deno, done, folder, gc, guarded, node, skip } from './kit.mjs'

const SEGMENT = 1 << 18
const record = Buffer.alloc(500, 0x61)

function filled(directory, segments) {
  const log = MappedLog.openSync(directory, { segmentSize: SEGMENT, flush: 'never' })
  while (log.stats().segments < segments) for (let turn = 0; turn < 100; turn++) log.append(record)
  return log
}

const isOne = ({ data }) => data.equals(record)

/** Somebody empties what is written and what is made for later, or the latter alone. */
function emptied(directory, all) {
  const log = filled(directory, 4)
  const files = readdirSync(directory)
    .filter((name) => name.endsWith('.seg'))
    .sort()
  for (const name of files.slice(all ? 0 : log.stats().segments)) truncateSync(join(directory, name), 0)
  const later = Buffer.alloc(500, 0x62)
  let acknowledged = 0
  const code = codeOf(() => {
    for (; acknowledged < 5000; acknowledged++) log.append(later)
  })
  if (code !== '' || all) {
    assert.equal(code, 'ERR_LOG_FAILED')
    assert.equal(
      codeOf(() => log.append('after')),
      'ERR_LOG_FAILED',
    )
  }
  log.close()
  // What was there is gone; what came after it went into files that are whole again.
  if (all) return
  const again = MappedLog.openSync(directory, { flush: 'never' })
  const found = [...again].filter(({ data }) => data.equals(later)).length
  assert.ok(found >= acknowledged, `${acknowledged - found} acknowledged records are lost`)
  again.close()
}

async function flushedLate(directory, more) {
  const log = filled(directory, 4)
  const count = [...log].length + more
  const flushes = [log.flush(), log.flush()]
  for (let turn = 0; turn < more; turn++) log.append(record)
  log.close()
  await Promise.allSettled(flushes)
  const again = MappedLog.openSync(directory, { flush: 'never' })
  assert.equal([...again].filter(isOne).length, count)
  again.close()
}

async function main() {
  const inside = (...names) => join(folder(), names.join(' '))
  for (let round = 0; round < 20; round++) {
    // Without the guard a store into what is not there kills the process.
    if (guarded) emptied(inside('emptied', round), round % 2 === 0)
    await flushedLate(inside('late', round), (round % 3) * 300)
    // Nobody closes it.
    filled(inside('forgotten', round), 3)
    gc()
    await new Promise(setImmediate)
  }
  // Threads that end in the midst of appending, or with their log open.
  for (let round = 0; round < 8; round++) {
    const worker = new Worker(new URL(import.meta.url), { workerData: inside('thread', round) })
    await once(worker, 'message')
    if (round % 2 === 0) await worker.terminate()
    else await once(worker, deno ? 'message' : 'exit')
  }
  gc()
  const log = filled(inside('after'), 2)
  const before = process.memoryUsage().external
  for (let turn = 0; turn < 30_000; turn++) log.append(record)
  const grown = (process.memoryUsage().external - before) / SEGMENT
  // In one turn of the event loop: with a buffer for each of its 60 segments it would be over 50.
  const { MEMMAP_CARRIER, MEMMAP_TEST_REFUSE_EXTERNAL, MEMMAP_EMULATOR } = process.env
  const counted = node > 0 && !MEMMAP_CARRIER && !MEMMAP_TEST_REFUSE_EXTERNAL && !MEMMAP_EMULATOR
  if (counted) assert.ok(grown < 3, `${grown} segments' worth of buffers`)
  assert.ok([...log].every(isOne))
  log.close()
  done(`60 segments made the engine count ${grown.toFixed(1)} more`)
}

if (!Mapping.isSupported('views')) skip('a log needs views')
else if (isMainThread) await main()
else {
  const log = filled(workerData, 3)
  parentPort.postMessage('begins')
  for (let turn = 0; turn < 20_000; turn++) log.append(record)
  parentPort.postMessage('ends')
}
