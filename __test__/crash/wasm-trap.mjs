// WebAssembly's own traps arrive as SIGSEGV (on Windows as access violations) on some engines: they must reach the engine, before the guard, under it, and after a fault.
import assert from 'node:assert/strict'
import { fileURLToPath } from 'node:url'
import { Worker, isMainThread } from 'node:worker_threads'
import { PAGE, done, file, pages, provoke, until } from './kit.mjs'

// (module (memory 1) (func (export "load") (param i32) (result i32) local.get 0 i32.load)
//   (func (export "store") (param i32) local.get 0 i32.const 7 i32.store) (func (export "stop") unreachable))
const CODE =
  '0061736d01000000010d0360017f017f60017f006000000304030001020503010001071703046c6f616400000573746f726500010473746f7000020a1703070020002802000b0900200041073602000b0300000b'
const { load, store, stop } = new WebAssembly.Instance(new WebAssembly.Module(Buffer.from(CODE, 'hex'))).exports

let traps = 0
function trap(rounds) {
  for (let round = 0; round < rounds; round++) {
    assert.equal(load(0), 0)
    for (const work of [() => load(65_536), () => load(-4), () => store(0x7fff_fff0), () => stop()]) {
      assert.throws(work, WebAssembly.RuntimeError)
      traps++
    }
  }
}

trap(50)
const { MappedFile } = (await import('../../index.js')).default
trap(50)
const open = () => {
  const path = file(pages(8))
  const mapping = MappedFile.openSync(path)
  const view = mapping.bytes
  trap(5)
  const kind = provoke(path, view, 7 * PAGE)
  assert.equal(mapping.fault.kind, kind)
  view[5] = 5
  trap(50)
  mapping.close()
  trap(50)
}
for (let round = 0; round < 5; round++) open()
if (isMainThread) {
  const threads = [0, 1].map(() => new Worker(fileURLToPath(import.meta.url)))
  const codes = []
  for (const thread of threads) thread.once('exit', (code) => codes.push(code))
  while (codes.length < 2) {
    trap(20)
    await until(() => true)
    await new Promise((resolve) => setImmediate(resolve))
  }
  assert.deepEqual(codes, [0, 0])
}
trap(2000)
if (isMainThread) done(`${traps} traps in the main thread were WebAssembly.RuntimeError`)
