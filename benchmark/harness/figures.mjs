// A figure to reach, as data of its case, and whether a run reached it.
//
// { workload, of, against?, metric?, most? | least?, unit?, floor? }: `of` and `against` name contestants. With `against` the value is the median
// of the ratios of the rounds: `most` bounds of / against ("at most 1.3 times"), `least` bounds against / of ("at least 15 times ahead"). Without,
// it is the median of `of` itself, in `unit`. The metric is 'time' unless named.
//
// `floor` names a limit of the same workload. Where that misses the bound, too, nothing can reach it on this machine; then it is asked whether ours
// is near the limit. What is slower than ours by more than the noise is no limit, and proves nothing.
import { median, ratios } from './statistics.mjs'

export const UNITS = { ns: 1, us: 1e3, ms: 1e6, KiB: 1024, '': 1 }

/** How many times the limit still counts as near it. */
const NEAR = 1.3

/** 'reached', 'within noise', 'at the limit', 'missed' or 'not measured', with the value. */
export function judge(figure, workload) {
  const { metric = 'time', floor } = figure
  const samples = (name) => (name === undefined ? undefined : workload?.contestants[name]?.rounds[metric])
  const [ours, others, limits] = [figure.of, figure.against, floor].map((name) => samples(name))
  if (ours === undefined || (figure.against !== undefined && others === undefined)) {
    return { ...figure, verdict: 'not measured' }
  }
  const noise = workload.noise[metric] ?? 0
  const value = valueOf(figure, ours, others)
  const alone = verdict(value, figure, noise)
  if (alone !== 'missed' || limits === undefined) return { ...figure, value, noise, verdict: alone }
  const limit = valueOf(figure, limits, others)
  const timesLimit = median(ratios(ours, limits))
  const isLimit = timesLimit * (1 + noise) >= 1
  const atLimit = isLimit && verdict(limit, figure, 0) === 'missed' && timesLimit <= NEAR * (1 + noise)
  return { ...figure, value, noise, limit, timesLimit, verdict: atLimit ? 'at the limit' : 'missed' }
}

function valueOf({ against, least, unit = '' }, own, others) {
  if (against === undefined) return median(own) / UNITS[unit]
  return median(least === undefined ? ratios(own, others) : ratios(others, own))
}

function verdict(value, { most, least }, noise) {
  const [is, bound] = least === undefined ? [value, most] : [least, value]
  if (is <= bound) return 'reached'
  return is <= bound * (1 + noise) ? 'within noise' : 'missed'
}

/** "<= 1.3x of C" */
export function bound({ most, least, against, unit = '' }) {
  const [sign, number] = least === undefined ? ['<=', most] : ['>=', least]
  if (against === undefined) return `${sign} ${number} ${unit}`.trim()
  return `${sign} ${number}x${least === undefined ? ' of' : ' ahead of'} ${against}`
}

/** What `--check` complains about: one line for each figure that was missed by more than the noise. */
export function complaints(results) {
  return results.flatMap(({ id, name, figures }) =>
    figures
      .filter((figure) => figure.verdict === 'missed')
      .map(
        (figure) =>
          `${id ?? name}, ${figure.workload}: ${figure.of}: ${figure.value.toPrecision(3)}, to reach ${bound(figure)} (noise ${(figure.noise * 100).toFixed(1)} %${figure.limit === undefined ? '' : `; ${figure.floor}: ${figure.limit.toPrecision(3)}`})`,
      ),
  )
}
