// Logs that are made, damaged in known ways, and opened again: what recovery promises, against a list of what was appended.
import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { MappedLog } from '../../lib/log/index.js'

/** mulberry32: the same cases for the same seed. */
export function random(seed) {
  let state = seed >>> 0
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = Math.imul(state ^ (state >>> 15), state | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
  }
  return { below: (limit) => Math.floor(next() * limit), chance: (share) => next() < share }
}

const isSegment = (name) => name.endsWith('.seg')

/** All files of a log, as they are now. */
export function snapshot(directory) {
  return new Map(
    readdirSync(directory)
      .filter(isSegment)
      .map((name) => [name, readFileSync(join(directory, name))]),
  )
}

export function restore(directory, files) {
  rmSync(directory, { recursive: true, force: true })
  mkdirSync(directory, { recursive: true })
  // It was on the disk before the first record.
  writeFileSync(join(directory, 'lock'), '1\n')
  for (const [name, bytes] of files) writeFileSync(join(directory, name), bytes)
}

/** Appends random records; some look like records themselves. */
export function fill(log, dice, count, records) {
  for (let turn = 0; turn < count; turn++) {
    const size = dice.chance(0.1) ? dice.below(3000) : dice.below(200)
    const data = Buffer.alloc(size)
    for (let at = 0; at < size; at++) data[at] = dice.chance(0.5) ? 0 : dice.below(256)
    if (size >= 16 && dice.chance(0.2)) data.writeUInt32LE(dice.below(64) + 1, 8 * dice.below(Math.floor(size / 8)))
    records.push({ position: log.append(data), data })
  }
}

/** A log of one to six segments, part of it flushed; what a killed process leaves behind. */
export async function build(directory, dice) {
  rmSync(directory, { recursive: true, force: true })
  const records = []
  const log = MappedLog.openSync(directory, { segmentSize: 4096 * (1 + dice.below(3)), flush: 'never' })
  fill(log, dice, dice.below(120), records)
  if (dice.chance(0.7)) await log.flush()
  const { durable } = log.stats()
  if (dice.chance(0.5)) fill(log, dice, dice.below(60), records)
  const files = snapshot(directory)
  log.close()
  return { records, files, durable }
}

/** Damages a copy in one to three ways and says before which position nothing was touched. */
export function damage(files, dice) {
  const damaged = new Map([...files].map(([name, bytes]) => [name, Buffer.from(bytes)]))
  let intact = Infinity
  const touch = (name, offset) => (intact = Math.min(intact, Number(name.slice(0, 16)) + offset))
  for (let turn = 1 + dice.below(3); turn > 0; turn--) {
    const names = [...damaged.keys()]
    if (names.length === 0) break
    const name = names[dice.below(names.length)]
    const bytes = damaged.get(name)
    // The last one is refused, which tells little.
    const way = dice.chance(0.05) ? 4 : dice.below(4)
    if (way === 0) {
      const length = dice.below(bytes.length + 1)
      damaged.set(name, bytes.subarray(0, length))
      touch(name, length)
    } else if (way === 1) {
      for (let bit = 1 + dice.below(8); bit > 0 && bytes.length > 0; bit--) {
        const at = dice.chance(0.3) ? dice.below(Math.min(256, bytes.length)) : dice.below(bytes.length)
        bytes[at] ^= 1 << dice.below(8)
        touch(name, at)
      }
    } else if (way === 2) {
      const unit = dice.chance(0.5) ? 4096 : 512
      const at = dice.below(Math.ceil(bytes.length / unit) || 1) * unit
      bytes.subarray(at, at + unit).fill(0)
      touch(name, at)
    } else if (way === 3) {
      damaged.delete(name)
      touch(name, 0)
    } else if (bytes.length >= 128) {
      // The mark of the other byte order, in a header that says nothing else of it.
      bytes.subarray(8, 12).reverse()
      touch(name, 0)
    }
  }
  return { damaged, intact }
}

/** Opens what is left and compares. */
export function check(directory, { records }, { damaged, intact }) {
  restore(directory, damaged)
  let log
  try {
    log = MappedLog.openSync(directory, { segmentSize: 4096, flush: 'never' })
  } catch (error) {
    // Nothing is left that says whose these files are, or one says that it is of another version or machine.
    assert.equal(error.code, 'ERR_LOG_FORMAT', error.stack)
    const headers = [...damaged.values()].filter((bytes) => bytes.length >= 128)
    assert.ok(headers.some(isStrange) || !headers.some(alike), error.message)
    for (const [name, bytes] of damaged) assert.deepEqual(readFileSync(join(directory, name)), bytes)
    return 'refused'
  }
  try {
    const known = new Map(records.map(({ position, data }) => [position, data]))
    const seen = new Set()
    let last = -1
    for (const { position, data } of log) {
      assert.ok(position > last)
      last = position
      assert.ok(known.get(position)?.equals(data), `a wrong record at ${position}`)
      seen.add(position)
    }
    for (const { position, data } of records) {
      if (position + 8 + data.length <= intact)
        assert.ok(seen.has(position), `the record at ${position} is lost, the damage begins at ${intact}`)
      if (seen.has(position)) assert.ok(log.read(position).equals(data))
    }
    assert.ok(log.recovery.recovered >= seen.size)
    // It goes on, and what goes on is there the next time, behind what was there before.
    const added = log.append('after the damage')
    assert.ok(added > last)
    const all = [...log].map(({ position }) => position)
    assert.deepEqual(all, [...seen, added])
    log.close()
    log = MappedLog.openSync(directory, { segmentSize: 4096, flush: 'never' })
    assert.deepEqual(
      [...log].map(({ position }) => position),
      all,
    )
  } finally {
    log.close()
  }
  return 'opened'
}

/** The byte-order mark and the version are not ours, by more than a bit: then nobody knows what the rest means. */
function isStrange(bytes) {
  const ours = Buffer.from(new Uint32Array([0x0102_0304, 1]).buffer)
  let bits = 0
  for (let at = 0; at < 8; at++) for (let rest = bytes[8 + at] ^ ours[at]; rest > 0; rest &= rest - 1) bits++
  return bits > 1
}

/** At least half of the magic is there, in this machine's byte order. */
function alike(bytes) {
  return [...'memmapLG'].filter((letter, at) => bytes[at] === letter.charCodeAt(0)).length >= 4
}

/** A power loss: each page of each file is as it was at some moment after the last flush, or as the flush left it. */
export async function powerLoss(directory, dice) {
  rmSync(directory, { recursive: true, force: true })
  const records = []
  const options = { segmentSize: 4096 * (1 + dice.below(3)), flush: 'never' }
  // Retention deletes files at once: a power loss may leave them, or have taken them and not the mark that says so.
  const forgets = dice.chance(0.4)
  if (forgets) options.retain = { segments: 2 + dice.below(2) }
  let flushed = 0
  let durable = new Map()
  /** How many of `records`, at the beginning, retention has given up. */
  let given = 0
  const forgotten = new Map()
  // Several lives, each ended by a power loss: what one cut away must not come back in the next.
  for (let life = 0; life < 3; life++) {
    const log = MappedLog.openSync(directory, options)
    if (!forgets) assert.deepEqual(log.recovery.damaged, [])
    const found = [...log]
    const numbers = new Map(records.map(({ position }, at) => [position, at]))
    const there = found.map(({ position, data }) => {
      const at = numbers.get(position) ?? -1
      const was = at < 0 ? forgotten.get(position) : records[at].data
      assert.ok(was !== undefined && data.equals(was), `a wrong record at ${position}`)
      return at
    })
    const positions = found.map(({ position }) => position)
    assert.deepEqual(
      positions,
      positions.toSorted((a, b) => a - b),
    )
    // What was flushed is there; what retention had given up may be there or not; without retention there is no gap.
    const wanted = new Set(there)
    for (let at = given; at < flushed; at++) assert.ok(wanted.has(at), `${at} is gone of ${flushed} that were flushed`)
    if (!forgets) assert.deepEqual(there, [...there.keys()], 'a gap')
    flushed = there.filter((at) => at < flushed).length
    // The mark that gave them up may be lost in the next power loss: then they are back.
    for (const { position, data } of records.slice(0, given)) forgotten.set(position, data)
    records.splice(0, Infinity, ...found)
    // Opening has synced what it cut, and whatever the power loss had left is on the disk.
    const moments = [snapshot(directory)]
    durable = moments[0]
    for (let turn = dice.below(4); turn >= 0; turn--) {
      fill(log, dice, dice.below(60), records)
      if (dice.chance(0.4)) {
        // The mark that a flush leaves behind it is itself not on the disk yet.
        durable = snapshot(directory)
        await log.flush()
        moments.length = 0
        flushed = records.length
      }
      moments.push(snapshot(directory))
    }
    const [oldest] = log
    given = oldest === undefined ? records.length : records.findIndex(({ position }) => position === oldest.position)
    log.close()
    restore(directory, mix(durable, moments, dice))
  }
}

function mix(durable, moments, dice) {
  const result = new Map()
  const names = new Set([...durable.keys(), ...moments.flatMap((files) => [...files.keys()])])
  for (const name of names) {
    const was = durable.get(name)
    // The name of a new file may not have reached the disk.
    if (was === undefined && dice.chance(0.3)) continue
    // One that was deleted since may be there or not.
    if (!moments.at(-1).has(name) && dice.chance(0.5)) continue
    const versions = moments.flatMap((files) => files.get(name) ?? [])
    if (was !== undefined) versions.push(was)
    const bytes = Buffer.alloc(Math.max(...versions.map((one) => one.length)))
    for (let at = 0; at < bytes.length; at += 512) {
      const pick = dice.below(versions.length + (was === undefined ? 1 : 0))
      // The page of a new file that was never written is zeros.
      if (pick < versions.length && at < versions[pick].length) versions[pick].copy(bytes, at, at, at + 512)
    }
    result.set(name, bytes)
  }
  return result
}
