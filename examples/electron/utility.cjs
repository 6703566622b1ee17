// The utility process: draws a frame whenever it is asked to, into memory that the main process shows.
'use strict'
const frames = require('./frames.cjs')

// argv of a utility process: Electron, this file, what `fork` was given.
const memory = frames.open(process.argv[2])
process.parentPort.on('message', ({ data: number }) => {
  frames.draw(memory, number)
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a process, not a window
  process.parentPort.postMessage(number)
})
process.on('exit', () => memory.close())
