// Round trips by `wait`, `waitAsync` and `notify`, as benchmark/limits does them by futex(2): `trips.mjs <path> <role> <count> <wait or waitAsync>`.
import { MappedFile } from '../../index.js'

const [, , path, role, trips, mode] = process.argv
const count = Number(trips)
const mapping = MappedFile.openSync(path, { access: 'write' })
const words = mapping.view(Int32Array)
// A wait without a time limit keeps no process alive.
const alive = setInterval(() => {}, 1000)

const post = (at, value) => {
  Atomics.store(words, at, value)
  mapping.notify(4 * at, 1)
}

async function wait(at, old) {
  while (Atomics.load(words, at) === old) {
    if (mode === 'wait') mapping.wait(4 * at, old)
    else await mapping.waitAsync(4 * at, old)
  }
}

if (role === 'sender') {
  const times = new Float64Array(count)
  for (let turn = 0; turn < count; turn++) {
    const begun = process.hrtime.bigint()
    post(0, turn + 1)
    const waiting = wait(1, turn)
    if (mode === 'waitAsync') await waiting
    times[turn] = Number(process.hrtime.bigint() - begun)
  }
  console.log(times.join('\t'))
} else {
  console.log('ready')
  for (let turn = 0; turn < count; turn++) {
    const waiting = wait(0, turn)
    if (mode === 'waitAsync') await waiting
    post(1, turn + 1)
  }
}
clearInterval(alive)
mapping.close()
