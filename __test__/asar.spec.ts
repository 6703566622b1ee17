import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import test from 'ava'
import { MappedFile, Mapping } from '../index'
import { mapInto } from '../lib/wasm'
import { caught, counting, folder, fresh, onWindows, rejected, using } from './helpers'

import type { ExecutionContext } from 'ava'

/** Electron runs JavaScript out of such a file; to the system it is one file. */
function archive(): string {
  const path = fresh('asar')
  writeFileSync(path, 'not a folder')
  return path
}

function explains(t: ExecutionContext, error: NodeJS.ErrnoException, code: string, unpacked: string): void {
  t.is(error.code, code)
  t.regex(error.message, new RegExp(`^${code}: .*, \\w+ '`))
  t.true(error.message.includes('asarUnpack'), error.message)
  t.true(error.message.includes(unpacked), error.message)
  t.true(error.stack?.startsWith(`Error: ${error.message}`), error.stack)
  t.true((error.errno ?? 0) < 0)
  t.is(typeof error.syscall, 'string')
}

test('a path inside an .asar archive says how to unpack it, with the code of the system', async (t) => {
  const path = archive()
  const inside = join(path, 'data/words.idx')
  const unpacked = `${path}.unpacked/`
  const code = onWindows ? 'ENOENT' : 'ENOTDIR'
  for (const target of [inside, Buffer.from(inside), pathToFileURL(inside)]) {
    explains(
      t,
      caught(t, () => MappedFile.openSync(target)),
      code,
      unpacked,
    )
    explains(t, await rejected(t, MappedFile.open(target)), code, unpacked)
  }
  const missing = '/x/app.asar/file'
  const error = caught(t, () => MappedFile.openSync(missing))
  explains(t, error, 'ENOENT', "'/x/app.asar.unpacked/file'")
  t.is(error.path, missing)
  if (Mapping.isSupported('wasm')) {
    const { Memory } = (globalThis as unknown as { WebAssembly: { Memory: new (d: object) => never } }).WebAssembly
    explains(
      t,
      caught(t, () => mapInto(new Memory({ initial: 1 }), inside)),
      code,
      unpacked,
    )
  }
})

test('what only looks like an archive is an error as any other, or no error', (t) => {
  for (const path of [join(folder, 'none.asar.unpacked/file'), join(folder, 'none.asar'), join(folder, 'asar/file')]) {
    const { message } = caught(t, () => MappedFile.openSync(path))
    t.false(message.includes('asarUnpack'), message)
  }
  const content = counting(5000)
  const whole = archive()
  writeFileSync(whole, content)
  using(MappedFile.openSync(whole), (m) => t.deepEqual(m.read(0, m.byteLength), content))
  // A folder may be named so.
  const named = fresh('asar')
  mkdirSync(named)
  writeFileSync(join(named, 'file'), content)
  using(MappedFile.openSync(join(named, 'file')), (m) => t.deepEqual(m.read(0, m.byteLength), content))
})
