// Who takes part in a workload: ours, what a user would pick instead, and the limit.
//
// { kind, name, run, before?, after? }. `run` is what is timed. It returns nothing, a number (what it found, compared with the others'), or what it
// measured itself: { result?, time? or times?, processor?, ...other metrics }, times in nanoseconds. `before` and `after` are not timed.

const contestant = (kind) => (name, run, hooks) => ({ kind, name, run, ...hooks })

export const ours = contestant('ours')
export const rival = contestant('rival')
export const limit = contestant('limit')

/** Every participant that has a verb, asked for it. `around`: what runs each that runs on this thread. */
export function asked(participants, verb, args, { around = (run) => run(), ...hooks } = {}) {
  return participants
    .filter((one) => one.verbs[verb] !== undefined)
    .map(({ kind, name, verbs }) => {
      const run = () => verbs[verb](...args)
      return contestant(kind)(name, kind === 'limit' ? run : () => around(run), hooks)
    })
}

/** The same thing again and again, the clock read round each. */
export function each(count, action) {
  const times = new Float64Array(count)
  let result
  for (let turn = 0; turn < count; turn++) {
    const begun = process.hrtime.bigint()
    result = action(turn)
    times[turn] = Number(process.hrtime.bigint() - begun)
  }
  return typeof result === 'number' ? { times, result } : { times }
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
