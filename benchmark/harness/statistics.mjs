// Medians, ratios and the noise band: plain arithmetic on lists of numbers.

/** @param {Iterable<number>} list @param {number} share 0.5 is the median */
export function quantile(list, share) {
  const sorted = Float64Array.from(list).sort()
  if (sorted.length === 0) return Number.NaN
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]
}

/** The middle one; of an even number the mean of the two in the middle. */
export function median(list) {
  const sorted = Float64Array.from(list).sort()
  const half = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2
}

/** min, median and 99th percentile of what was measured. */
export function summary(list) {
  return { min: quantile(list, 0), median: median(list), p99: quantile(list, 0.99) }
}

/** Round by round, how many times the one is the other: what disturbs a whole round disturbs both. */
export function ratios(over, under) {
  return over.map((value, round) => (value === under[round] ? 1 : value / under[round]))
}

/** Numbers in [0, 1) that are the same in each run. */
export function random(seed = 1) {
  let state = seed
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}

/** In place: an order that nobody chose. */
export function shuffle(list, next) {
  for (let at = list.length - 1; at > 0; at--) {
    const other = Math.floor(next() * (at + 1))
    ;[list[at], list[other]] = [list[other], list[at]]
  }
  return list
}

const RESAMPLED = 500

/**
 * How far a median of ratios may be from the truth by chance: the same thing was measured twice in each round, so its ratio is 1, and what is
 * not 1 is noise. The rounds are drawn again and again (bootstrap); 95 of 100 medians are at most this factor away from 1: 0.03 is 3 %.
 */
export function noiseBand(first, second) {
  const logs = ratios(first, second)
    .map((ratio) => Math.log(ratio))
    .filter(Number.isFinite)
  if (logs.length === 0) return 0
  const next = random(first.length)
  const away = Array.from({ length: RESAMPLED }, () =>
    Math.abs(median(logs.map(() => logs[Math.floor(next() * logs.length)]))),
  )
  return Math.expm1(quantile(away, 0.95))
}
