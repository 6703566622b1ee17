// Waits for a signal that somebody sends. `without`: the same without memmap, to know what this engine makes of it.
import { truncateSync } from 'node:fs'
import { PAGE, file, pages } from './kit.mjs'

if (process.argv[2] === 'with') {
  const { MappedFile } = (await import('../../index.js')).default
  const path = file(pages(4))
  const mapping = MappedFile.openSync(path)
  truncateSync(path, PAGE)
  // By a checked method: some engines have no views.
  try {
    mapping.getUint8(2 * PAGE)
  } catch {}
  if (mapping.fault?.kind !== 'truncated') throw new Error('no fault')
  globalThis.kept = mapping
}
console.log('ready')
setInterval(() => {}, 1000)
