// Waits for a signal that somebody sends. `without`: the same without memmap, to know what this engine makes of it.
import { truncateSync } from 'node:fs'
import { PAGE, file, pages } from './kit.mjs'

if (process.argv[2] === 'with') {
  const { MappedFile } = (await import('../../index.js')).default
  const path = file(pages(4))
  const view = MappedFile.openSync(path).bytes
  truncateSync(path, PAGE)
  if (view[2 * PAGE] !== 0) throw new Error('no zeros')
  globalThis.kept = view
}
console.log('ready')
setInterval(() => {}, 1000)
