// A figure to reach, as data of its case, and whether a run reached it.
//
// { workload, of, against?, metric?, most? | least?, unit? }: `of` and `against` name contestants. With `against` the value is the median of the
// ratios of the rounds: `most` bounds of / against ("at most 1.3 times"), `least` bounds against / of ("at least 15 times ahead"). Without, it is
// the median of `of` itself, in `unit`. The metric is 'time' unless named.
import { median, ratios } from './statistics.mjs'

export const UNITS = { ns: 1, us: 1e3, ms: 1e6, KiB: 1024, '': 1 }

/** 'reached', 'within noise', 'missed' or 'not measured', with the value. */
export function judge(figure, workload) {
  const { of, against, metric = 'time', most, least, unit = '' } = figure
  const samples = (name) => workload?.contestants[name]?.rounds[metric]
  const [ours, others] = [samples(of), against === undefined ? undefined : samples(against)]
  if (ours === undefined || (against !== undefined && others === undefined)) {
    return { ...figure, verdict: 'not measured' }
  }
  const value =
    against === undefined
      ? median(ours) / UNITS[unit]
      : median(least === undefined ? ratios(ours, others) : ratios(others, ours))
  const noise = workload.noise[metric] ?? 0
  return { ...figure, value, noise, verdict: verdict(value, { most, least }, noise) }
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
          `${id ?? name}, ${figure.workload}: ${figure.of}: ${figure.value.toPrecision(3)}, to reach ${bound(figure)} (noise ${(figure.noise * 100).toFixed(1)} %)`,
      ),
  )
}
