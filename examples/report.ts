// What `npm start` shows: one real file, the Node executable itself, mapped, read, changed in private and changed for good.
import { copyFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { MappedFile, type Mapping } from 'memmap'
import { readHeader } from './executable'

type Row = readonly [label: string, value: string, remark?: string]

const count = (value: number) => value.toLocaleString('en-US')
const bytes = (value: number) => `${count(value)} bytes`
const milliseconds = (value: number) => `${value.toFixed(value < 10 ? 3 : 1)} ms`
const hex = (data: Uint8Array) =>
  Buffer.from(data)
    .toString('hex')
    .replace(/(..)(?=.)/g, '$1 ')

function section(title: string, rows: readonly Row[]): void {
  const label = Math.max(...rows.map(([text]) => text.length))
  const value = Math.max(...rows.filter((row) => row[2]).map((row) => row[1].length), 0)
  console.log(`\n${title}`)
  for (const [text, result, remark = ''] of rows) {
    console.log(`  ${text.padEnd(label)}   ${result.padEnd(value)}${remark && `   ${remark}`}`.trimEnd())
  }
}

/** The fastest of five, in milliseconds: the file is in the page cache then, for both sides of a comparison. */
function fastest<T>(work: () => T, after: (result: T) => void = () => {}): number {
  let best = Infinity
  for (let i = 0; i < 5; i++) {
    const started = performance.now()
    const result = work()
    best = Math.min(best, performance.now() - started)
    after(result)
  }
  return best
}

function opening(path: string, file: Mapping): void {
  const read = fastest(() => readFileSync(path))
  const opened = fastest(
    () => MappedFile.openSync(path),
    (mapping) => mapping.close(),
  )
  section('Open', [
    ['file', basename(path)],
    ['size', bytes(file.byteLength)],
    ['MappedFile.openSync', milliseconds(opened), 'nothing is read until it is touched'],
    ['fs.readFileSync', milliseconds(read), 'every byte is copied into this process'],
  ])
}

function header(file: Mapping): void {
  const found = readHeader(file)
  section(
    'Read its header with the accessors',
    found
      ? [
          ['format', found.format],
          ['machine', found.machine],
          ['kind', found.kind],
          ['holds', found.parts],
        ]
      : [
          ['format', 'not one that this example knows'],
          ['first bytes', hex(file.read(0, Math.min(16, file.byteLength)))],
        ],
  )
}

function counting(file: Mapping): void {
  const window = 16 * 1024 * 1024
  let zeros = 0
  let lines = 0
  const started = performance.now()
  for (let begin = 0; begin < file.byteLength; begin += window) {
    const view = file.subarray(begin, begin + window)
    for (let i = 0; i < view.length; i++) {
      if (view[i] === 0) zeros++
      else if (view[i] === 10) lines++
    }
  }
  const took = performance.now() - started
  section('Count its bytes through views, without a copy', [
    ['zero bytes', count(zeros), `${((zeros / file.byteLength) * 100).toFixed(1)} % of the file`],
    ['line feeds', count(lines)],
    ['time', milliseconds(took), `${count(Math.round(file.byteLength / took / 1000))} MB a second`],
  ])
}

/** `access: 'copy'`: a change is this process's own, page by page. */
function privately(path: string): void {
  const mine = MappedFile.openSync(path, { access: 'copy' })
  const file = MappedFile.openSync(path)
  try {
    mine.write('memmap!!', 0)
    section("Change a private copy (access: 'copy')", [
      ['this mapping begins', hex(mine.read(0, 8)), 'changed'],
      ['the file begins', hex(file.read(0, 8)), file.compare(readFileSync(path)) === 0 ? 'as before' : 'CHANGED'],
    ])
  } finally {
    mine.close()
    file.close()
  }
}

/** `access: 'write'`: a change is the file's, and after flush it is on the disk. */
async function forGood(path: string): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'memmap-'))
  const target = join(folder, basename(path))
  try {
    copyFileSync(path, target)
    const table = MappedFile.openSync(target, { access: 'write' })
    const end = table.byteLength - 8
    try {
      const before = readFileSync(target).subarray(end)
      table.setBigUint64(end, 0x6d656d6d61702121n)
      const started = performance.now()
      await table.flush({ offset: end, length: 8 })
      const took = performance.now() - started
      const after = readFileSync(target).subarray(end)
      section("Change a file for good (access: 'write', on a copy of the executable)", [
        ['its last 8 bytes were', hex(before), 'read with fs'],
        [
          'now they are',
          hex(after),
          after.equals(table.read(end, 8)) ? 'read with fs: the same as mapped' : 'NOT WRITTEN',
        ],
        ['flush', milliseconds(took), 'durable, as after fsync'],
      ])
    } finally {
      table.close()
    }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** @param path the file to report on */
export async function main(path: string = process.execPath): Promise<void> {
  const file = MappedFile.openSync(path)
  try {
    console.log(`memmap on Node ${process.versions.node}, ${process.platform} ${process.arch}: a file as memory`)
    opening(path, file)
    header(file)
    counting(file)
    privately(path)
    await forGood(path)
  } finally {
    file.close()
  }
}

if (require.main === module) {
  main(process.argv[2]).catch((error: unknown) => {
    console.error(error)
    process.exitCode = 1
  })
}
