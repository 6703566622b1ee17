// process.on('SIGBUS') puts the engine's handler in the place of the guard's, process.off the default action: the next open puts the guard back in front.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { truncateSync } from 'node:fs'
import { MappedFile } from '../../index.js'
import { PAGE, done, file, pages, skip, sleep, until } from './kit.mjs'

let survived = 0
function fault() {
  const path = file(pages(4))
  const mapping = MappedFile.openSync(path)
  const view = mapping.bytes
  truncateSync(path, PAGE)
  assert.equal(view[3 * PAGE], 0)
  assert.equal(mapping.fault.kind, 'truncated')
  view[5] = 1
  survived++
  mapping.close()
}

async function main() {
  fault()
  let heard = 0
  const listener = () => heard++
  try {
    process.on('SIGBUS', listener)
  } catch (error) {
    return skip(`this engine lets nobody listen to SIGBUS: ${error.message}`)
  }
  await sleep(20)
  // Layer two, in front of the listener's handler, which still hears what is sent.
  fault()
  // Not by process.kill: Bun lets the process die of what it sends to itself.
  spawnSync('kill', ['-BUS', String(process.pid)])
  await until(() => heard === 1, 'the listener to hear a signal that was sent')
  fault()
  process.off('SIGBUS', listener)
  await sleep(20)
  // Layer three, over the default action.
  fault()
  process.on('SIGBUS', listener)
  await sleep(20)
  // Layer four.
  fault()
  process.off('SIGBUS', listener)
  // No layer is left: what happens to a fault now is the default action's, so none is tried; opening still works.
  MappedFile.openSync(file(pages(1))).close()
  return done(`${survived} faults survived round ${heard ? 'a listener that heard its signal' : 'a listener'}`)
}

await main()
