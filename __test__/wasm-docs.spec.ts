import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import test from 'ava'
import { MappedFile, Mapping } from '../index'
import { mapInto } from '../lib/wasm'
import { caught, counting, file, page, unless } from './helpers'

import type { WebAssemblyMemory } from '../lib/wasm'

const execute = promisify(execFile)
const root = join(__dirname, '..')
const text = (name: string) => readFileSync(join(root, name), 'utf8')

const mapped = unless(!Mapping.isSupported('wasm') && 'no mapping into WebAssembly memories here')
mapped('the first example of docs/wasm.md runs as it stands', async (t) => {
  const [, program] = /```js\n([\s\S]*?)```/.exec(text('docs/wasm.md')) ?? []
  const { stdout } = await execute(process.execPath, ['--input-type=module', '-e', program!], { cwd: root })
  t.is(stdout, `${text('README.md').split('\n').length - 1} lines\n`)
})

mapped('the scan of examples/wasm-scan counts the lines of a file', async (t) => {
  const path = file('one\ntwo\nthree\n'.repeat(10_000))
  const { stdout } = await execute(process.execPath, [join(root, 'examples/wasm-scan/scan.js'), path])
  t.true(stdout.startsWith('140000 bytes, 30000 lines;'), stdout)
  t.regex(stdout, /^mapped \/ plain( +\d+\.\d\d){2}$/m)
})

mapped('a store after the memory has grown is private, too, and nothing reports it', (t) => {
  const { Memory } = (globalThis as unknown as { WebAssembly: { Memory: new (d: object) => WebAssemblyMemory } })
    .WebAssembly
  const memory = new Memory({ initial: 1, maximum: 100 })
  const path = file(3 * page)
  const mapping = mapInto(memory, path)
  memory.grow(1 as never)
  new Uint8Array(memory.buffer)[mapping.at + page] = 255
  t.is(mapping.fault, null)
  t.is(mapping.getUint8(page), 255)
  const others = MappedFile.openSync(path, { access: 'write' })
  others.setUint8(0, 99)
  others.setUint8(page + 1, 99)
  others.close()
  t.is(mapping.getUint8(0), 99, 'a page that was not stored to is the file’s')
  t.is(mapping.getUint8(page + 1), counting(3 * page)[page + 1], 'the private page is not')
  mapping.close()
  t.is(readFileSync(path)[page], counting(3 * page)[page])
})

test('docs/electron.md quotes the error of a path inside an archive', (t) => {
  const [, quoted] = /```text\n(E.*)\n```/.exec(text('docs/electron.md')) ?? []
  const [, path] = /open '([^']*)'\./.exec(quoted!) ?? []
  const { message } = caught(t, () => MappedFile.openSync(path!))
  // Here there is not even an archive.
  t.is(message, quoted!.replace('ENOTDIR: not a directory', 'ENOENT: no such file or directory'))
})

test('docs/electron.md names the settings that the example has', (t) => {
  const blocks = [...text('docs/electron.md').matchAll(/```(json|js)\n([\s\S]*?)```/g)]
  const builder = JSON.parse(blocks[0]![2]!) as { build: Record<string, unknown> }
  const example = JSON.parse(text('examples/electron/package.json')) as typeof builder
  for (const [key, value] of Object.entries(builder.build)) t.deepEqual(example.build[key], value)
  const unpack = /unpack: ('.*')/
  t.is(unpack.exec(blocks[1]![2]!)?.[1], unpack.exec(text('examples/electron/forge.config.cjs'))?.[1])
})
