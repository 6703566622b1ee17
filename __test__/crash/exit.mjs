// The process ends in the middle of everything. The suite looks at the exit code: 7, or 0 for `end`.
import fs from 'node:fs'
import { randomFill } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import { Worker, isMainThread, workerData } from 'node:worker_threads'
import { deflate } from 'node:zlib'
import { AnonymousMemory, MappedFile } from '../../index.js'
import { PAGE, file, pages, sleep } from './kit.mjs'

const how = process.argv[2]

function busy(path) {
  const kept = []
  for (let i = 0; i < 20; i++) {
    const mapping = MappedFile.openSync(path, { access: ['read', 'write', 'copy'][i % 3] })
    kept.push(mapping, mapping.bytes, mapping.subarray(i, 5000), AnonymousMemory.create(1 << 20).bytes)
    if (i % 4 === 3) mapping.close()
    else if (mapping.access !== 'read') mapping.flush().catch(() => {})
    MappedFile.open(path).then(
      (opened) => kept.push(opened.bytes),
      () => {},
    )
  }
  const view = kept[1]
  fs.write(fs.openSync('/dev/null', 'w'), view, 0, view.length, 0, () => {})
  deflate(view, () => {})
  randomFill(kept[5], () => {})
  globalThis.kept = kept
  return view
}

if (isMainThread) {
  const path = file(pages(512))
  const view = busy(path)
  const cut = file(pages(512))
  const faulting = MappedFile.openSync(cut).bytes
  fs.truncateSync(cut, PAGE)
  console.log('done: in the middle')
  if (how === 'now') process.exit(7)
  if (how === 'soon') {
    await sleep(3)
    process.exit(7)
  }
  if (how === 'threads') {
    globalThis.threads = Array.from(
      { length: 3 },
      () => new Worker(fileURLToPath(import.meta.url), { workerData: { path, cut } }),
    )
    await sleep(150)
    process.exit(7)
  }
  if (how === 'faulting') {
    void faulting[100 * PAGE]
    process.exit(7)
  }
  if (how === 'throw') {
    process.on('exit', () => {
      process.exitCode = 7
    })
    setTimeout(() => process.exit(), 1)
    for (let i = 0; i < 100; i++) void view[i * PAGE]
  }
} else {
  const view = busy(workerData.path)
  const cut = MappedFile.openSync(workerData.cut).bytes
  for (let at = 0; ; at += 1 + view[at % view.length]) if (cut.length > 0) at += cut[0]
}
