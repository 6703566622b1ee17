// W8: a cold 512 MiB file (or the size given, in MiB): touching it on this thread against load(). Times and longest stalls in milliseconds.
// The folder (second argument, default: the system's temporary one) must lie on a disk: what is in a tmpfs never gets cold.
import { closeSync, fsyncSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { MappedFile } from '../../index.js'

const size = Number(process.argv[2] ?? 512) << 20
const folder = mkdtempSync(join(process.argv[3] ?? tmpdir(), 'memmap-load-'))
const path = join(folder, 'cold')
writeFileSync(path, Buffer.alloc(size, 'cold'))
const fd = openSync(path, 'r')
fsyncSync(fd)
closeSync(fd)

async function measure(action) {
  const file = MappedFile.openSync(path)
  file.evict()
  const { resident, pages } = file.residency()
  if (resident > pages / 100) console.log(`not cold: ${resident} of ${pages} pages are in memory`)
  let stall = 0
  let last = performance.now()
  const turn = () => {
    const now = performance.now()
    stall = Math.max(stall, now - last)
    last = now
  }
  const timer = setInterval(turn, 1)
  const begun = performance.now()
  await action(file)
  const total = performance.now() - begun
  turn()
  clearInterval(timer)
  file.close()
  return { total, stall }
}

const touch = (file) => {
  let sum = 0
  const { bytes } = file
  for (let at = 0; at < bytes.length; at += file.pageSize) sum += bytes[at]
  return sum
}
const load = (file) => file.load({ onProgress() {} })
for (let round = 0; round < 5; round++) {
  const plain = await measure(touch)
  const ahead = await measure(load)
  const idle = await measure(() => new Promise((resolve) => setTimeout(resolve, 300)))
  const show = ({ total, stall }) => `${total.toFixed(0).padStart(6)} (stall ${stall.toFixed(1)})`
  console.log(`touch ${show(plain)}   load ${show(ahead)}   idle loop: stall ${idle.stall.toFixed(1)}`)
}
rmSync(folder, { recursive: true })
