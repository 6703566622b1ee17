// RLIMIT_FSIZE is 20 MiB here (engines write files of their own): what would pass it is an error, not the SIGXFSZ that comes with it.
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { MappedFile, SharedMemory } from '../../index.js'
import { MappedLog } from '../../lib/log/index.js'
import { folder } from './kit.mjs'

const LONG = 1 << 26
let refused = 0

async function isRefused(action) {
  await assert.rejects(async () => action(), { code: 'EFBIG' }, String(action))
  refused++
}

const path = join(folder(), 'file')
const write = { access: 'write', create: true }
await isRefused(() => MappedFile.openSync(path, { ...write, length: LONG }))
await isRefused(() => MappedFile.open(path, { ...write, length: LONG }))
await isRefused(() => MappedFile.openSync(path, { ...write, length: LONG, sparse: true }))
await isRefused(() => SharedMemory.createSync(`/mm-limited-${process.pid}`, LONG))
await isRefused(() => SharedMemory.anonymous(LONG))
const file = MappedFile.openSync(path, { ...write, length: 8192 })
await isRefused(() => file.resize(LONG))
assert.equal(file.byteLength, 8192)
file.resize(40_000)
file.close()
await isRefused(() => MappedLog.open(join(folder(), 'log'), { segmentSize: LONG }))
console.log(`done: ${refused} files and memories were refused`)
