// Lines: short (25 bytes), long (200) and very long (1000), over `lines()` and readline over a read stream, sync and awaited, beside the floors of
// both: programs that only do what nobody can leave out. `node benchmark/cases/lines.mjs [MiB, default 64] [rounds, default 7]`.
//
// Nanoseconds a line, of processor time of all threads (others' work on the machine moves it less) and of the clock: medians of interleaved
// rounds. Ratios are taken within each round: readline's time divided by ours.
import { createReadStream, mkdtempSync, openSync, readSync, closeSync, rmSync, writeFileSync } from 'node:fs'
import { loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { MappedFile } from '../../index.js'

const size = Number(process.argv[2] ?? 64) << 20
const rounds = Number(process.argv[3] ?? 7)
const folder = mkdtempSync(join(tmpdir(), 'memmap-lines-'))
const median = (list) => Float64Array.from(list).toSorted()[list.length >> 1]
const load = () => loadavg()[0].toFixed(1)
const BLOCK = 64 << 10

/** Reads blocks, decodes them, and cuts a line at each place where the file is known to have one: nothing is searched for, checked or awaited. */
function floor(path, bytes) {
  const fd = openSync(path)
  const buffer = Buffer.allocUnsafe(Math.max(1, Math.floor(BLOCK / bytes)) * bytes)
  let count = 0
  for (let got = readSync(fd, buffer); got > 0; got = readSync(fd, buffer)) {
    const text = buffer.latin1Slice(0, got)
    for (let at = 0; at < got; at += bytes) if (text.slice(at, at + bytes - 1).length > 0) count++
  }
  closeSync(fd)
  return count
}

/** The cheapest asynchronous iterator that the language has: no file, no cutting, one resolved Promise and one result object for each line. */
class Resolved {
  #left
  constructor(count) {
    this.#left = count
  }
  next() {
    return Promise.resolve(this.#left-- > 0 ? { value: 'line', done: false } : { value: undefined, done: true })
  }
  [Symbol.asyncIterator]() {
    return this
  }
}

async function awaited(lines) {
  let count = 0
  for await (const line of lines) if (line.length > 0) count++
  return count
}

function counted(lines) {
  let count = 0
  for (const line of lines) if (line.length > 0) count++
  return count
}

const readline = (path) => createInterface({ input: createReadStream(path), crlfDelay: Infinity })

console.log(`node ${process.version}, load average ${load()}`)
for (const [name, bytes, fill] of [
  ['25 bytes', 25, 'abcdefgh'],
  ['200 bytes', 200, 'abcdefgh'],
  ['1000 bytes', 1000, 'abcdefgh'],
  ['200 bytes, not ASCII', 200, 'äöü ß'],
]) {
  const path = join(folder, 'text')
  const line = Buffer.alloc(bytes, fill)
  // The last bytes: never the half of a character.
  line.write('...\n', bytes - 4)
  const count = Math.floor(size / bytes)
  writeFileSync(path, Buffer.alloc(count * bytes, line))
  const file = MappedFile.openSync(path)
  const forms = {
    'floor, sync': () => floor(path, bytes),
    'lines(), for of': () => counted(file.lines()),
    'floor, awaited': () => awaited(new Resolved(count)),
    'lines(), for await': () => awaited(file.lines()),
    'readline, for await': () => awaited(readline(path)),
    "readline, on 'line'": () =>
      new Promise((resolve) => {
        let seen = 0
        readline(path)
          .on('line', (text) => {
            if (text.length > 0) seen++
          })
          .on('close', () => resolve(seen))
      }),
  }
  if (fill !== 'abcdefgh') delete forms['floor, sync']
  const times = Object.fromEntries(Object.keys(forms).map((form) => [form, []]))
  for (let round = 0; round < rounds; round++) {
    for (const [form, action] of Object.entries(forms)) {
      const usage = process.cpuUsage()
      const begun = performance.now()
      const seen = await action()
      const clock = ((performance.now() - begun) * 1e6) / count
      const { user, system } = process.cpuUsage(usage)
      if (seen !== count) throw new Error(`${form}: ${seen} lines instead of ${count}`)
      times[form].push({ clock, processor: ((user + system) * 1e3) / count })
    }
  }
  file.close()
  console.log(
    `\n${name} (load average ${load()})`.padEnd(42) + 'processor   clock   readline for await takes (processor, clock)',
  )
  for (const [form, list] of Object.entries(times)) {
    const ratio = (key) => median(list.map((one, i) => times['readline, for await'][i][key] / one[key]))
    const figures = [median(list.map((one) => one.processor)), median(list.map((one) => one.clock))]
    console.log(
      `  ${form.padEnd(36)}${figures.map((figure) => figure.toFixed(1).padStart(9)).join('')}` +
        `   ${ratio('processor').toFixed(1)}x, ${ratio('clock').toFixed(1)}x`,
    )
  }
}
rmSync(folder, { recursive: true })
