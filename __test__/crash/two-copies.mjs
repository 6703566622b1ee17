// Two copies of the package in one process, as npm installs them when versions differ: each guards its own mappings.
import assert from 'node:assert/strict'
import { cpSync, mkdirSync, readdirSync, truncateSync } from 'node:fs'
import { createRequire } from 'node:module'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { PAGE, done, file, folder, pages, until, warnings } from './kit.mjs'

const root = fileURLToPath(new URL('../..', import.meta.url))

// A core that the environment names would be one for all: each copy of the package gets a copy of it, which it finds by itself.
const named = process.env.NAPI_RS_NATIVE_LIBRARY_PATH
delete process.env.NAPI_RS_NATIVE_LIBRARY_PATH

function copy(name) {
  const target = join(folder(), 'node_modules', name)
  mkdirSync(target, { recursive: true })
  for (const entry of ['package.json', 'index.js', 'binding.js', 'lib']) {
    cpSync(join(root, entry), join(target, entry), { recursive: true })
  }
  const built = readdirSync(root).filter((entry) => entry.endsWith('.node'))
  for (const path of named ? [named] : built.map((entry) => join(root, entry))) {
    cpSync(path, join(target, basename(path)))
    // A musl Node on a machine of glibc: napi's loader asks /usr/bin/ldd which it is, and looks under that name.
    cpSync(path, join(target, basename(path).replace('-musl', '-gnu')))
  }
  return createRequire(join(folder(), 'main.cjs'))(name)
}

const packages = [copy('one'), copy('two'), copy('three')]
assert.notEqual(packages[0].MappedFile, packages[1].MappedFile)

let survived = 0
function fault({ MappedFile }) {
  const path = file(pages(4))
  const mapping = MappedFile.openSync(path)
  const view = mapping.bytes
  truncateSync(path, PAGE)
  assert.equal(view[3 * PAGE], 0)
  assert.equal(mapping.fault.kind, 'truncated')
  view[9] = 1
  survived++
  return mapping
}

// In turns, so that each opens many times while another copy's handler is in front of its own.
const open = []
for (let round = 0; round < 30; round++) for (const each of packages) open.push(fault(each))
for (const mapping of open) mapping.close()
// Another handler in front of all: each copy may answer once.
const listener = () => {}
try {
  process.on('SIGBUS', listener)
} catch {
  // Deno lets nobody listen to some signals.
}
for (let round = 0; round < 10; round++) for (const each of packages) fault(each).close()
process.removeListener('SIGBUS', listener)
for (let round = 0; round < 10; round++) for (const each of packages) fault(each).close()
await until(() => warnings.includes('MEMMAP_FAULT'), 'the process warning')
assert.deepEqual(
  warnings.filter((code) => code !== 'MEMMAP_FAULT' && /memmap/i.test(code)),
  [],
)
done(`${survived} faults in ${packages.length} copies of the package`)
