// Interleaved rounds: in each, every contestant of a workload runs once, in an order shuffled anew, and ours once more under the name of its double:
// what lies between these two is noise.
import { median, noiseBand, quantile, random, shuffle, summary } from './statistics.mjs'

const DOUBLE = ' (again)'

/** One run of one contestant: { time, processor, result?, times?, ...other metrics }. */
export async function sample({ name, run, before, after }) {
  await before?.()
  // What the last one left behind is not this one's to collect.
  globalThis.gc?.()
  const usage = process.cpuUsage()
  const begun = process.hrtime.bigint()
  const returned = run()
  const own = returned instanceof Promise ? await returned : returned
  const time = Number(process.hrtime.bigint() - begun)
  const { user, system } = process.cpuUsage(usage)
  await after?.()
  const measured = typeof own === 'number' ? { result: own } : own
  const { times } = measured ?? {}
  if (times?.length === 0) throw new Error(`${name} measured nothing`)
  return {
    time,
    // Of each repetition, as the time is.
    processor: ((user + system) * 1000) / (times?.length ?? 1),
    ...measured,
    ...(times === undefined ? {} : { time: median(times), min: quantile(times, 0), p99: quantile(times, 0.99) }),
  }
}

/**
 * Runs a workload: { name, contestants, expected?, per?, unit?, metric?, fresh? } -> what all rounds measured. Times are divided by `per`. With a
 * `metric` nothing else counts, the time neither. `fresh`: everybody does it once more before the clock runs.
 */
export async function play(workload, rounds) {
  const { name, contestants } = workload
  const first = contestants.find((one) => one.kind === 'ours')
  if (first === undefined) throw new Error(`${name}: nobody of ours takes part`)
  const field = [...contestants, { ...first, name: first.name + DOUBLE }]
  const samples = new Map(field.map((one) => [one.name, []]))
  const next = random(rounds)
  // Round -1 maps pages, compiles and fills caches: it is not counted.
  for (let round = -1; round < rounds; round++) {
    for (const one of shuffle([...field], next)) {
      const measured = await sample(workload.fresh ? freshly(one) : one)
      agree(workload, one, measured)
      if (round >= 0) samples.get(one.name).push(measured)
    }
  }
  const [a, b] = [first.name, first.name + DOUBLE].map((who) => metrics(samples.get(who), workload))
  return {
    name,
    unit: workload.unit ?? '',
    metric: workload.metric ?? 'time',
    // Where a case shows how something grows: the point, and the line that it lies on.
    ...(workload.at === undefined ? {} : { at: workload.at, line: workload.line }),
    noise: Object.fromEntries(Object.keys(a).map((metric) => [metric, noiseBand(a[metric], b[metric])])),
    contestants: Object.fromEntries(contestants.map((one) => [one.name, scored(one, samples.get(one.name), workload)])),
  }
}

/**
 * Just after the same. Others take seconds meanwhile, and some kernels age pages that nobody has touched for so long (DAMON): who comes first then
 * waits for a bit that says "accessed" for each page, 262,144 of a GiB.
 */
function freshly({ before, run, ...one }) {
  const again = async () => {
    await before?.()
    await run()
  }
  return { ...one, run, before: again }
}

/** All that say what they found must have found the same. */
function agree(workload, { name }, { result }) {
  if (result === undefined || workload.expected === undefined) return
  if (result !== workload.expected) {
    throw new Error(`${workload.name}: ${name} found ${result} instead of ${workload.expected}`)
  }
}

/** What a sample has besides. */
const NO_METRIC = ['result', 'times', 'min', 'p99']

/** Rounds of each metric. */
function metrics(list, { per = 1, metric: only }) {
  const names = Object.keys(list[0]).filter((name) => {
    if (only !== undefined) return name === only
    // Whoever worked in another process without a clock for it has no processor time.
    return !NO_METRIC.includes(name) && list[0][name] !== undefined
  })
  return Object.fromEntries(
    names.map((metric) => {
      const divisor = metric === 'time' || metric === 'processor' ? per : 1
      return [metric, list.map((one) => one[metric] / divisor)]
    }),
  )
}

/** Where a round is many repetitions, the least and the 99th percentile are those of repetitions, else of rounds. */
function scored({ kind }, list, workload) {
  const { per = 1, metric: only } = workload
  const rounds = metrics(list, workload)
  const all = Object.fromEntries(Object.entries(rounds).map(([metric, values]) => [metric, summary(values)]))
  if (only === undefined && list[0].times !== undefined) {
    const [least, slow] = ['min', 'p99'].map((key) => list.map((one) => one[key] / per))
    all.time = { min: quantile(least, 0), median: all.time.median, p99: median(slow) }
  }
  return { kind, ...all, rounds }
}
