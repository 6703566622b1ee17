// Small file systems, mounted for the test: full ones, and one whose device loses its end. Root only.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, openSync, readdirSync, closeSync, rmSync, truncateSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { MappedFile } from '../../index.js'
import { PAGE, codeOf, done, folder, pages, skip } from './kit.mjs'

const mounted = []

function sh(program, ...args) {
  const { status, stderr, error } = spawnSync(program, args, { encoding: 'utf8' })
  if (status !== 0) throw new Error(`${program}: ${error?.message ?? stderr.trim()}`)
}

function mount(name, ...args) {
  const path = join(folder(), name)
  mkdirSync(path)
  sh('mount', ...args, path)
  mounted.push(path)
  return path
}

function image(name) {
  const path = join(folder(), name)
  writeFileSync(path, '')
  truncateSync(path, 8 << 20)
  sh('mkfs.ext4', '-q', '-F', '-m', '0', '-O', '^has_journal', path)
  return path
}

/** Stores into a hole of 16 MiB where there is less room. */
async function full(directory) {
  const path = join(directory, 'file')
  const mapping = MappedFile.openSync(path, { access: 'write', create: true, length: 4096 * PAGE, sparse: true })
  const view = mapping.bytes
  let page = 0
  while (page < 4096) {
    view[page * PAGE + 9] = 1
    if (mapping.fault !== null) break
    page++
  }
  assert.deepEqual(mapping.fault, { kind: 'nospace', offset: page * PAGE + 9 })
  for (let good = 0; good < page; good++) assert.equal(view[good * PAGE + 9], 1)
  for (let rest = page; rest < 4096; rest++) view[rest * PAGE + 1] = 2
  assert.equal(view[4095 * PAGE + 1], 2)
  assert.equal(
    codeOf(() => mapping.flushSync()),
    'ERR_MAPPING_FAULT',
  )
  await assert.rejects(mapping.flush(), { code: 'ERR_MAPPING_FAULT' })
  assert.equal(
    codeOf(() => mapping.setUint8(0, 1)),
    'ERR_MAPPING_FAULT',
  )
  // Room again: the file's pages come back, with what was stored in them before the disk was full.
  rmSync(join(directory, 'ballast'), { force: true })
  mapping.clearFault()
  assert.equal(mapping.fault, null)
  assert.equal(mapping.getUint8(9), 1)
  assert.equal(mapping.getUint8(4095 * PAGE + 1), 0)
  view[(page + 1) * PAGE] = 3
  assert.equal(mapping.fault, null, 'there is room now')
  mapping.close()
  return page
}

function ballast(directory) {
  const fd = openSync(join(directory, 'ballast'), 'w')
  writeSync(fd, Buffer.alloc(1 << 20, 1))
  closeSync(fd)
}

/** An allocated length on a full disk fails at open, and changes nothing. */
function refused(directory) {
  const path = join(directory, 'allocated')
  assert.equal(
    codeOf(() => MappedFile.openSync(path, { access: 'write', create: true, length: 64 << 20 })),
    'ENOSPC',
  )
  rmSync(path, { force: true })
}

/** The device loses its second half; pages that are not cached cannot be read. */
function broken(directory, disk) {
  const path = join(directory, 'file')
  const content = pages(1024)
  writeFileSync(path, content)
  sh('sync')
  sh('umount', directory)
  sh('mount', '-o', 'loop,ro,errors=continue', disk, directory)
  const mapping = MappedFile.openSync(path)
  const view = mapping.bytes
  assert.equal(view[0], content[0])
  truncateSync(disk, 1 << 20)
  let zeros = 0
  for (let page = 0; page < 1024; page++) {
    if (view[page * PAGE + 1] === 0) zeros++
    else assert.equal(view[page * PAGE + 1], content[page * PAGE + 1])
  }
  assert.equal(mapping.fault?.kind, 'io')
  assert.ok(zeros > 0)
  assert.equal(view[0], content[0], 'good pages stay good')
  assert.equal(
    codeOf(() => mapping.read(0, 1)),
    'ERR_MAPPING_FAULT',
  )
  mapping.close()
  return zeros
}

async function main() {
  const tmpfs = mount('tmpfs', '-t', 'tmpfs', '-o', 'size=3m', 'tmpfs')
  refused(tmpfs)
  ballast(tmpfs)
  const first = await full(tmpfs)
  const disk = image('ext4.img')
  const ext4 = mount('ext4', '-o', 'loop,errors=continue', disk)
  refused(ext4)
  ballast(ext4)
  const second = await full(ext4)
  const worse = image('broken.img')
  const zeros = broken(mount('broken', '-o', 'loop', worse), worse)
  assert.ok(readdirSync(folder()).length > 0)
  return `tmpfs was full after ${first} pages, ext4 after ${second}; ${zeros} pages of a broken device were zeros`
}

try {
  if (process.getuid?.() !== 0) skip('mounting needs root')
  else done(await main())
} catch (error) {
  if (!/^(mount|mkfs)/.test(error.message)) throw error
  skip(error.message)
} finally {
  for (const path of mounted) spawnSync('umount', ['-l', path])
}
