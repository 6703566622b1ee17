// What the tests of memmap/log run in processes of their own, to be killed or to look from outside: `child.mjs <role> <directory> ...`.
import { subscribe } from 'node:diagnostics_channel'
import { readFileSync } from 'node:fs'
import { MappedFile } from '../../index.js'
import { MappedLog } from '../../lib/log/index.js'
import { numberOf, payload } from './records.mjs'

const [role, directory, ...rest] = process.argv.slice(2)

const roles = {
  /** Appends numbered records until it is killed; `ack` holds the number of the last one for which `append` returned, in memory that outlives us. */
  append([ack, first]) {
    const log = MappedLog.openSync(directory, { segmentSize: 65_536, flush: 'interval', flushMs: 5 })
    const word = MappedFile.openSync(ack, { access: 'write' }).view(Int32Array)
    let number = Number(first)
    // Back to the event loop now and then, so that flushes are in flight too when the end comes.
    const burst = () => {
      for (let turn = 0; turn < 500; turn++) {
        log.append(payload(number))
        Atomics.store(word, 0, ++number)
      }
      setImmediate(burst)
    }
    burst()
  },

  /** Prints the positions of what it tails, until it has seen as many as asked for. */
  async tail([from, count]) {
    const log = MappedLog.openSync(directory, { readOnly: true })
    let left = Number(count)
    process.send?.('ready')
    console.log('ready')
    for await (const { position, data } of log.tail({ from: Number(from) })) {
      console.log(`${position} ${data.length}`)
      if (--left === 0) break
    }
    log.close()
  },

  /** Tails from the beginning until the record with a number; every record must be right and behind the one before. */
  async follow([until]) {
    const log = MappedLog.openSync(directory, { readOnly: true })
    console.log('ready')
    let seen = 0
    let last = -1
    for await (const { data } of log.tail({ from: 0 })) {
      const number = numberOf(data)
      if (number <= last) throw new Error(`${number} after ${last}`)
      last = number
      seen++
      // Slower than the writer.
      if (seen % 100 === 0) await new Promise((resolve) => setTimeout(resolve, 1))
      if (last === Number(until)) break
    }
    console.log(JSON.stringify({ seen, last }))
    log.close()
  },

  /**
   * Reads everything again and again, so that the engine optimises what it can, until there are as many records as asked for; prints how often
   * the guard was called and how many KiB of the log's pages are not the file's own any more (Linux).
   */
  async read([count]) {
    const log = MappedLog.openSync(directory, { readOnly: true })
    let faults = 0
    subscribe('memmap:fault', () => faults++)
    let copied = 0
    for (let turn = 0, found = 0; found < Number(count); turn++) {
      found = 0
      for (const { position, data } of log) {
        found++
        if (turn % 8 === 0 && !log.read(position).equals(data)) throw new Error(`two contents at ${position}`)
      }
      if (turn === 40) console.log('ready')
      await new Promise((resolve) => setImmediate(resolve))
    }
    if (process.platform === 'linux') {
      const maps = readFileSync('/proc/self/smaps', 'utf8').split(/^(?=[0-9a-f]+-[0-9a-f]+ )/m)
      const own = maps.filter((one) => one.includes(`${directory}/`) && one.includes('.seg'))
      if (own.length === 0) throw new Error('no segment is mapped')
      copied = own.reduce((sum, one) => sum + Number(/^Anonymous: +(\d+) kB/m.exec(one)[1]), 0)
    }
    // They are told on the event loop.
    await new Promise((resolve) => setTimeout(resolve, 20))
    console.log(JSON.stringify({ faults, copied }))
    log.close()
  },

  /** Waits for the word to change, then changes the next one: the other half of a round trip. */
  async wait([mode]) {
    const mapping = MappedFile.openSync(directory, { access: 'write' })
    const words = mapping.view(Int32Array)
    console.log('ready')
    for (let turn = 0; turn < 100; turn++) {
      while (Atomics.load(words, 0) === turn) {
        if (mode === 'sync') mapping.wait(0, turn)
        else await mapping.waitAsync(0, turn, { timeoutMs: 60_000 })
      }
      Atomics.store(words, 1, turn + 1)
      mapping.notify(4)
    }
    mapping.close()
  },
}

await roles[role](rest)
