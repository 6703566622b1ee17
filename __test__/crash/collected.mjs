// What is unreachable is collected: mappings, descriptors and addresses come back without close().
import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { AnonymousMemory, MappedFile } from '../../index.js'
import { done, file, gc, maps, pages, sleep } from './kit.mjs'

const descriptors = () => readdirSync('/proc/self/fd').length
const path = file(pages(20))

const makers = {
  'nothing exported': () => MappedFile.openSync(path),
  bytes: () => MappedFile.openSync(path).bytes,
  'many windows'() {
    const mapping = MappedFile.openSync(path, { access: 'copy' })
    const views = Array.from({ length: 10 }, (_, i) => mapping.subarray(i * 8000, i * 8000 + 10))
    return [mapping, views, mapping.view(Int32Array), mapping.dataView()]
  },
  accessors() {
    const mapping = MappedFile.openSync(path, { access: 'write' })
    for (let i = 0; i < 2000; i++) mapping.getUint8(i * 40)
    return mapping
  },
  closed() {
    const mapping = MappedFile.openSync(path)
    const view = mapping.bytes
    mapping.close()
    return view
  },
  memory: () => AnonymousMemory.create(1 << 20).view(Float64Array),
}

async function settle(condition) {
  for (let i = 0; i < 60 && !condition(); i++) {
    gc()
    await sleep(10)
  }
}

/** In a function of its own: no engine keeps its variables. */
function make(maker, count) {
  let kept = null
  for (let i = 0; i < count; i++) kept = maker()
  return kept === null ? 0 : 1
}

const COUNT = 400
let collected = 0
for (const [name, maker] of Object.entries(makers)) {
  make(maker, 1)
  await settle(() => maps(path).length <= 1)
  const before = { maps: maps().length, files: maps(path).length, descriptors: descriptors() }
  make(maker, COUNT)
  // The engine may still see the last few on its stack.
  const back = () =>
    maps(path).length <= before.files + 8 &&
    descriptors() <= before.descriptors + 8 &&
    // Of closed ones only addresses are left: the system may show them as one mapping, or as many.
    maps().length < before.maps + COUNT / 2
  await settle(back)
  assert.ok(
    back(),
    `${name}: ${maps(path).length} of ${COUNT} are still mapped, ${descriptors()} descriptors (${before.descriptors})`,
  )
  assert.ok(maps().length < before.maps + COUNT / 2, `${name}: ${maps().length} mappings, ${before.maps} before`)
  collected += COUNT
}
done(`${collected} mappings collected or closed, ${maps(path).length} left mapped`)
