// Random lives of mappings against a model of the file: not one byte may change that was not stored through a 'write' mapping.
import assert from 'node:assert/strict'
import { closeSync, ftruncateSync, openSync, readFileSync, writeSync } from 'node:fs'
import { MappedFile } from '../../index.js'
import { PAGE, done, file, gc, guarded, news, pages, random, sleep } from './kit.mjs'

const LIVES = Number(process.argv[2])
const SEED = Number(process.argv[3] ?? Date.now() % 1_000_000)
const pick = random(SEED)
const COUNT = 24

const path = file(pages(COUNT))
const fd = openSync(path, 'r+')
/** What the file must be, to the byte. */
let model = Buffer.from(readFileSync(path))
/** Mappings that live on for a while, with the length of the file when they were made. */
const living = []
const stats = { stores: 0, faults: 0, cut: 0, transferred: 0, forgotten: 0, closed: 0 }

/** Of another's kind: 'read' and 'copy' mappings take anything, and the file never sees it. */
function scribble(view) {
  if (view.length === 0) return
  const at = pick(view.length)
  const behind = Math.min(view.length, at + 1 + pick(200))
  if (pick(2)) view.fill(pick(256), at, behind)
  else view[at] ^= 1 + pick(255)
}

/** Through a 'write' mapping, and the same to the model. */
function store(mapping, offset) {
  const length = Math.min(mapping.byteLength, model.length - offset)
  if (length <= 0) return
  const at = pick(length)
  const count = Math.min(length - at, 1 + pick(300))
  const byte = pick(256)
  stats.stores++
  const how = pick(4)
  if (how === 0) mapping.subarray(at, at + count).fill(byte)
  else if (how === 1) mapping.fill(byte, at, at + count)
  else if (how === 2) for (let i = 0; i < count; i++) mapping.setUint8(at + i, byte)
  else mapping.write(Buffer.alloc(count, byte), at)
  model.fill(byte, offset + at, offset + at + count)
}

function open() {
  const access = ['read', 'write', 'copy'][pick(3)]
  const offset = pick(2) ? pick(model.length) : 0
  const length = pick(2) ? undefined : 1 + pick(model.length - offset)
  const mapping = MappedFile.openSync(path, { access, offset, ...(length === undefined ? {} : { length }) })
  return { mapping, access, offset, views: [] }
}

/** One thing that users do; a checked method says so when it meets the end of the file. */
function act(life) {
  try {
    attempt(life)
  } catch (error) {
    if (error.code !== 'ERR_MAPPING_FAULT') throw error
    stats.faults++
  }
}

function attempt(life) {
  const { mapping, access, offset, views } = life
  const { byteLength } = mapping
  const what = pick(10)
  if (what < 3) {
    if (access !== 'write') {
      const view = mapping.subarray(pick(byteLength), byteLength)
      scribble(view)
      if (pick(2)) views.push(view)
    } else if (mapping.fault === null) store(mapping, offset)
  } else if (what < 5) views.push(mapping.bytes)
  else if (what === 5 && byteLength >= 8) {
    const at = pick(byteLength - 7)
    if (mapping.fault === null || mapping.fault.kind === 'protected') mapping.getBigInt64(at)
  } else if (what === 6 && views.length > 0 && access !== 'write' && pick(4) === 0) {
    const { buffer } = views[pick(views.length)]
    if (buffer.byteLength > 0 && typeof buffer.transfer === 'function') {
      try {
        life.moved = buffer.transfer()
        stats.transferred++
      } catch (error) {
        // SharedArrayBuffers have no such method; buffers that the engine's own memory carries refuse it.
        if (!(error instanceof TypeError) || mapping.carrier === 'external') throw error
      }
    }
  } else if (what === 7 && mapping.fault !== null && pick(2)) mapping.clearFault()
  else if (what === 8 && access === 'write' && mapping.fault === null && pick(8) === 0)
    mapping.flushSync({ wait: false })
  else if (what === 9) {
    // A page of the middle, wherever the file ends now: zeros where it is gone.
    const view = mapping.subarray(pick(byteLength), byteLength)
    if (guarded || offset + byteLength <= model.length) void view[0]
  }
}

/** Another process cuts the file, or makes it longer. */
function resizeFile() {
  const length = (1 + pick(COUNT)) * PAGE - (pick(2) ? pick(PAGE) : 0)
  // Stores that went to pages behind the end were never the file's.
  if (length < model.length) stats.cut++
  ftruncateSync(fd, length)
  const next = Buffer.alloc(length)
  model.copy(next)
  model = next
}

/** Or writes to it. */
function writeFile() {
  const at = pick(model.length)
  const bytes = Buffer.alloc(Math.min(1 + pick(500), model.length - at), pick(256))
  writeSync(fd, bytes, 0, bytes.length, at)
  bytes.copy(model, at)
}

function end(life) {
  if (pick(5) === 0) {
    // Never closed: the collector takes it, some time.
    stats.forgotten++
    return
  }
  life.mapping.close()
  stats.closed++
  // What is still reachable must not reach the file.
  for (const view of life.views) scribble(view)
  if (life.moved) scribble(new Uint8Array(life.moved))
}

function check(when) {
  const now = readFileSync(path)
  if (Buffer.compare(now, model) === 0) return
  const at = now.findIndex((byte, i) => byte !== model[i])
  assert.fail(`seed ${SEED}, ${when}: byte ${at} of ${now.length} (${model.length}) is ${now[at]}, not ${model[at]}`)
}

for (let life = 0; life < LIVES; life++) {
  living.push(open())
  for (let acts = pick(6); acts > 0; acts--) act(living[pick(living.length)])
  if (pick(12) === 0) writeFile()
  if (pick(40) === 0) {
    // Without the guard it would kill, so nothing is mapped then.
    if (!guarded) while (living.length > 0) end(living.pop())
    resizeFile()
  }
  while (living.length > pick(12)) end(living.splice(pick(living.length), 1)[0])
  if (life % 500 === 499) {
    check(`after ${life + 1} lives`)
    gc()
    await sleep(0)
  }
}
for (const life of living) life.mapping.close()
check('at the end')
closeSync(fd)
done(
  `${LIVES} lives, seed ${SEED}: ${JSON.stringify(stats).replaceAll('"', '')}, ${news.length} faults, not one stray byte`,
)
