// The table of README.md: one row for each headline that a case declares, every number out of the results.
//
// { what, workload, of, rival, limit? }: names of contestants. What is behind its rival says so.
import { digits, duration } from './format.mjs'
import { median, ratios } from './statistics.mjs'
import { table } from '../../scripts/lib/markdown.mjs'

const BEGIN = '<!-- benchmark: written by `npm run bench` -->'
const END = '<!-- /benchmark -->'

const times = (over, under) => median(ratios(over.rounds.time, under.rounds.time))

function compared({ what, workload, of, rival, limit }, workloads) {
  const contestants = workloads.find(({ name }) => name === workload)?.contestants ?? {}
  const [ours, other, floor] = [of, rival, limit].map((name) => contestants[name])
  if (ours === undefined || other === undefined) return undefined
  const ahead = times(other, ours)
  const cells = [
    what,
    duration(ours.time.median),
    `${rival}: ${duration(other.time.median)}`,
    ahead >= 1 ? `${digits(ahead)}x faster` : `${digits(1 / ahead)}x slower`,
    floor === undefined ? '' : `${digits(times(ours, floor))}x of ${limit}`,
  ]
  return { what: `${what}, ${rival}`, ahead, cells }
}

/** All headlines that were measured: { what, ahead, cells }. */
export function headlinesOf({ cases }, declared) {
  return cases.flatMap((one) => {
    const { headlines = [] } = declared.find((other) => other.name === one.name)
    return headlines.map((headline) => compared(headline, one.workloads)).filter((row) => row !== undefined)
  })
}

/** The text between the markers. */
export function block({ machine, cases }, declared, folder, name) {
  const rows = headlinesOf({ cases }, declared).map(({ cells }) => cells)
  const figures = cases.flatMap((one) => one.figures).filter(({ verdict }) => verdict !== 'not measured')
  const count = (verdict) => figures.filter((figure) => figure.verdict === verdict).length
  return [
    `${machine.processor}, ${machine.processors} processors of a ${machine.virtual === 'yes' ? 'virtual ' : ''}machine, ${machine.system}, Node ${machine.node}; page cache warm unless said; medians of rounds that took turns.`,
    table(['', 'memmap', 'instead', '', 'the limit'], rows),
    `![How many times as fast as what is used instead](${folder}/${name}/summary.svg)`,
    `Of ${figures.length} figures that were to be reached, ${count('reached')} are, ${count('within noise')} are within the noise, ${count('at the limit')} are out of reach of the limit as well, ${count('missed')} are missed: ` +
      `[all results](${folder}/${name}.md) name them. \`npm run bench\` measures your machine.`,
  ].join('\n\n')
}

/** Puts it into a text that has the markers. */
export function placed(text, words) {
  const [from, to] = [text.indexOf(BEGIN), text.indexOf(END)]
  if (from < 0 || to < from) throw new Error(`no ${BEGIN} ... ${END} in the text`)
  return `${text.slice(0, from + BEGIN.length)}\n\n${words}\n\n${text.slice(to)}`
}
