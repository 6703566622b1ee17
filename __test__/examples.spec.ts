import { execFile } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import test from 'ava'
import { readHeader } from '../examples/executable'
import { AnonymousMemory, MappedFile } from '../index'
import { launched, unless } from './helpers'

const root = join(__dirname, '..')
const execute = promisify(execFile)

const folder = mkdtempSync(join(tmpdir(), 'memmap-examples-'))
test.after.always(() => rmSync(folder, { recursive: true, force: true }))

/** A file of `length` bytes with these numbers in it, mapped, and what its header is read as. */
function headerOf(length: number, write: (data: DataView) => void) {
  const data = new DataView(new ArrayBuffer(length))
  write(data)
  const path = join(folder, `${Math.random()}.bin`)
  writeFileSync(path, data)
  const file = MappedFile.openSync(path)
  try {
    return readHeader(file)
  } finally {
    file.close()
  }
}

unless(launched && 'process.execPath is a script here')(
  'the report tells the truth about the Node executable',
  async (t) => {
    const { stdout } = await execute(process.execPath, [join(root, 'examples/report.js')])
    const size = readFileSync(process.execPath).length
    t.regex(stdout, new RegExp(`^  size +${size.toLocaleString('en-US')} bytes$`, 'm'))
    t.regex(stdout, /^ {2}format +(ELF|Mach-O|PE)\b/m)
    t.regex(stdout, /^ {2}this mapping begins +6d 65 6d 6d 61 70 21 21 +changed$/m)
    t.regex(stdout, /^ {2}the file begins +[0-9a-f ]{23} +as before$/m)
    t.regex(stdout, /^ {2}now they are +6d 65 6d 6d 61 70 21 21 +read with fs: the same as mapped$/m)
    t.regex(stdout, /^ {2}flush +[\d.]+ ms/m)
  },
)

test('the report counts what a plain loop counts', async (t) => {
  const path = join(folder, 'counted.bin')
  writeFileSync(path, Buffer.concat([Buffer.from('one\ntwo\nthree\n'), Buffer.alloc(1234, 0), Buffer.alloc(70, 1)]))
  const { stdout } = await execute(process.execPath, [join(root, 'examples/report.js'), path])
  t.regex(stdout, /^ {2}zero bytes +1,234 /m)
  t.regex(stdout, /^ {2}line feeds +3$/m)
  t.regex(stdout, /^ {2}format +not one that this example knows/m)
})

test('the report exits with an error for a file that is not there', async (t) => {
  const error = await t.throwsAsync<Error & { code: number; stderr: string }>(
    execute(process.execPath, [join(root, 'examples/report.js'), join(folder, 'missing')]),
  )
  t.is(error.code, 1)
  t.regex(error.stderr, /ENOENT/)
})

test('ELF is recognised in both widths and both byte orders', (t) => {
  for (const wide of [false, true]) {
    for (const little of [false, true]) {
      const header = headerOf(64, (data) => {
        data.setUint32(0, 0x7f454c46)
        data.setUint8(4, wide ? 2 : 1)
        data.setUint8(5, little ? 1 : 2)
        data.setUint16(16, 3, little)
        data.setUint16(18, 183, little)
        data.setUint16(wide ? 60 : 48, 29, little)
      })
      t.deepEqual(header, {
        format: `ELF, ${wide ? 64 : 32} bits, ${little ? 'little' : 'big'} endian`,
        machine: 'ARM 64',
        kind: 'position-independent executable or library',
        parts: '29 sections',
      })
    }
  }
})

test('Mach-O is recognised in both widths and both byte orders', (t) => {
  for (const wide of [false, true]) {
    for (const little of [false, true]) {
      const header = headerOf(64, (data) => {
        data.setUint32(0, wide ? 0xfeedfacf : 0xfeedface, little)
        data.setUint32(4, 0x0100000c, little)
        data.setUint32(12, 2, little)
        data.setUint32(16, 17, little)
      })
      t.deepEqual(header, {
        format: `Mach-O, ${wide ? 64 : 32} bits, ${little ? 'little' : 'big'} endian`,
        machine: 'ARM 64',
        kind: 'executable',
        parts: '17 load commands',
      })
    }
  }
})

test('a universal Mach-O names its machines', (t) => {
  const header = headerOf(64, (data) => {
    data.setUint32(0, 0xcafebabe)
    data.setUint32(4, 2)
    data.setUint32(8, 0x01000007)
    data.setUint32(28, 0x0100000c)
  })
  t.is(header?.format, 'Mach-O, universal')
  t.is(header?.machine, 'x86-64, ARM 64')
})

test('PE is recognised behind its DOS program', (t) => {
  const header = headerOf(256, (data) => {
    data.setUint16(0, 0x4d5a)
    data.setUint32(0x3c, 128, true)
    data.setUint32(128, 0x50450000)
    data.setUint16(132, 0x8664, true)
    data.setUint16(134, 7, true)
    data.setUint16(150, 0x2000, true)
    data.setUint16(152, 0x20b, true)
  })
  t.deepEqual(header, {
    format: 'PE, 64 bits, little endian',
    machine: 'x86-64',
    kind: 'dynamic library',
    parts: '7 sections',
  })
})

test('what is no executable has no header', (t) => {
  const javaClass = headerOf(64, (data) => {
    data.setUint32(0, 0xcafebabe)
    data.setUint32(4, 65)
  })
  const dosProgram = headerOf(64, (data) => {
    data.setUint16(0, 0x4d5a)
    data.setUint32(0x3c, 0xffffff00, true)
  })
  t.is(javaClass, undefined)
  t.is(dosProgram, undefined)
  const short = AnonymousMemory.create(63)
  t.is(readHeader(short), undefined)
  short.close()
})

test('the first lines of the README are the example, and it does what they say', async (t) => {
  const source = readFileSync(join(root, 'examples/first-lines.ts'), 'utf8')
  const quoted = /```ts\n(import \{ MappedFile \}[\s\S]*?)```/.exec(readFileSync(join(root, 'README.md'), 'utf8'))?.[1]
  const body = /export async function main.*\n([\s\S]*)^\}/m.exec(source)?.[1]?.replace(/^ {2}/gm, '')
  t.is(quoted, `import { MappedFile } from 'memmap'\n\n${body}`)

  const work = mkdtempSync(join(folder, 'first-'))
  const program = `require(${JSON.stringify(join(root, 'examples/first-lines.js'))}).main()`
  await execute(process.execPath, ['-e', program], { cwd: work })
  await execute(process.execPath, ['-e', program], { cwd: work })
  t.true(existsSync(join(work, 'state.bin')))
  const state = readFileSync(join(work, 'state.bin'))
  t.is(state.length, 4096)
  t.is(new Int32Array(state.buffer, state.byteOffset, 8)[7], 2)
  t.is(state.readDoubleLE(64), Math.PI)
  t.is(state.toString('latin1', 128, 133), 'hello')
})
