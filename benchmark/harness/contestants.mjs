// Who takes part in a workload: ours, what a user would pick instead, and the limit.
//
// { kind, name, run, before?, after? }. `run` is what is timed. It returns nothing, a number (what it found, compared with the others'), or what it
// measured itself: { result?, time? or times?, processor?, ...other metrics }, times in nanoseconds. `before` and `after` are not timed.

const contestant = (kind) => (name, run, hooks) => ({ kind, name, run, ...hooks })

export const ours = contestant('ours')
export const rival = contestant('rival')
export const limit = contestant('limit')

/** Every participant that has a verb, asked for it. `name`: another one than his own. `around`: what runs those that run in this process; others have clocks of their own. */
export function asked(participants, verb, args, { around = (run) => run(), ...hooks } = {}) {
  return participants
    .filter((one) => one.verbs[verb] !== undefined)
    .map(({ kind, name, verbs, elsewhere }) => {
      const run = () => verbs[verb](...args)
      return contestant(kind)(name, elsewhere ? run : () => around(run), hooks)
    })
}

/** Who is slow is not repeated for longer than this. */
const PATIENCE_NS = 100e6

/** The same thing again and again, the clock read round each. */
export function each(count, action) {
  const times = new Float64Array(count)
  let [result, total, turn] = [undefined, 0, 0]
  for (; turn < count && total < PATIENCE_NS; turn++) {
    const begun = process.hrtime.bigint()
    result = action(turn)
    total += times[turn] = Number(process.hrtime.bigint() - begun)
  }
  return { times: times.subarray(0, turn), ...(typeof result === 'number' ? { result } : {}) }
}

/** While something runs: the longest time between two turns of the event loop, in nanoseconds, beside what it took. */
export async function stalled(action) {
  let stall = 0
  let last = performance.now()
  const turn = () => {
    const now = performance.now()
    stall = Math.max(stall, now - last)
    last = now
  }
  const timer = setInterval(turn, 1)
  const begun = performance.now()
  const result = await action()
  const time = (performance.now() - begun) * 1e6
  turn()
  clearInterval(timer)
  return { time, stall: stall * 1e6, ...(typeof result === 'number' ? { result } : {}) }
}
