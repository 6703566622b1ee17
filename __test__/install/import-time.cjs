// What requiring memmap costs: the best of several fresh processes, as the first one also reads the disk.
'use strict'
const { spawnSync } = require('node:child_process')

const program = `const start = performance.now(); require('memmap'); console.log(performance.now() - start)`
const times = Array.from({ length: 7 }, () => {
  const child = spawnSync(process.execPath, ['-e', program], { cwd: __dirname, encoding: 'utf8' })
  if (child.status !== 0) throw new Error(child.stderr)
  return Number(child.stdout)
})
const best = Math.min(...times)
// The promise is 10 ms; machines that are busy with other tests get room, and the number is printed.
if (best > 30) throw new Error(`require('memmap') took ${best.toFixed(1)} ms`)
console.log(`works ${best.toFixed(1)} ms`)
