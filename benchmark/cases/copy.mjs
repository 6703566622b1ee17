// W9: copying 1 GiB (or the size given, in MiB) out in slices of 1 MiB into one buffer, page cache warm: `readInto` against memcpy out of a
// mapping (benchmark/limits) and fs.readSync. `node benchmark/cases/copy.mjs [MiB] [rounds]`: milliseconds, medians of interleaved rounds;
// ratios are taken within each round.
import { closeSync, mkdtempSync, openSync, readSync, rmSync, writeSync } from 'node:fs'
import { loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { MappedFile } from '../../index.js'
import { head, limits, measured, row } from './limits.mjs'

const SLICE = 1 << 20
const size = Number(process.argv[2] ?? 1024) << 20
const rounds = Number(process.argv[3] ?? 9)
const folder = mkdtempSync(join(tmpdir(), 'memmap-copy-'))
const path = join(folder, 'data')
const fd = openSync(path, 'w+')
for (let at = 0; at < size; at += SLICE) writeSync(fd, Buffer.alloc(SLICE, at >> 20))

const file = MappedFile.openSync(path)
const { bytes } = file
const target = Buffer.alloc(SLICE)
const limit = limits(path)
const all = (action) => () =>
  measured(() => {
    for (let at = 0; at < size; at += SLICE) action(at)
  })
const forms = {
  ...(limit === undefined ? {} : { 'memcpy out of a mapping (Rust)': () => limit.ask(`copy ${SLICE}`) }),
  'readInto(target, position)': all((at) => file.readInto(target, at)),
  'bytes.copy(target)': all((at) => bytes.copy(target, 0, at, at + SLICE)),
  'fs.readSync': all((at) => readSync(fd, target, 0, SLICE, at)),
}
const times = Object.fromEntries(Object.keys(forms).map((form) => [form, []]))
// The first round maps the pages of both processes: it is not counted.
for (let round = -1; round < rounds; round++) {
  for (const [form, action] of Object.entries(forms)) {
    const took = await action()
    if (round >= 0) times[form].push(took)
  }
}
limit?.end()
file.close()
closeSync(fd)
rmSync(folder, { recursive: true })

const [first] = Object.keys(times)
console.log(head(`${size >> 20} MiB, load average ${loadavg()[0].toFixed(1)}`))
for (const [form, list] of Object.entries(times)) console.log(row(form, list, times[first]))
