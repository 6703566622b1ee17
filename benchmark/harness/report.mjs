// Results -> Markdown. All that stands there comes out of the JSON beside it.
import { bound } from './figures.mjs'
import { bytes, digits, quantity } from './format.mjs'
import { median, ratios } from './statistics.mjs'
import { table } from '../../scripts/lib/markdown.mjs'

const KINDS = { ours: 'memmap', rival: 'rival', limit: 'limit' }
const percent = (share) => `${(share * 100).toFixed(1)} %`
const bold = (kind, text) => (kind === 'ours' ? `**${text}**` : text)

/** One contestant a row; ratios are those of the rounds to the first of ours. */
export function workloadTable({ metric: primary, contestants }) {
  const entries = Object.entries(contestants)
  const [, first] = entries.find(([, { kind }]) => kind === 'ours')
  const extra = [...new Set(entries.flatMap(([, one]) => Object.keys(one.rounds)))].filter((name) => name !== primary)
  const rows = entries.map(([name, one]) =>
    [
      bold(one.kind, name),
      KINDS[one.kind],
      ...['median', 'min', 'p99'].map((which) => quantity(primary, one[primary][which])),
      times(one.rounds[primary], first.rounds[primary]),
    ].concat(extra.map((metric) => (one[metric] === undefined ? '' : quantity(metric, one[metric].median)))),
  )
  const head = primary === 'time' ? 'median' : `${primary} (median)`
  return table(['', '', head, 'min', 'p99', 'times of memmap', ...extra], rows)
}

function times(theirs, ours) {
  const ratio = median(ratios(theirs, ours))
  return Number.isFinite(ratio) ? `${digits(ratio)}x` : ''
}

const value = (it, { against, unit = '' }) =>
  it === undefined ? '' : `${digits(it)}${against === undefined ? ` ${unit}` : 'x'}`.trim()

/** Which figures were reached; of those that the limit does not reach either, how near to it we are. */
export function figuresTable(figures) {
  const rows = figures.map((figure) => [
    figure.workload,
    figure.of + (figure.metric === undefined ? '' : ` (${figure.metric})`),
    bound(figure),
    value(figure.value, figure),
    figure.verdict === 'not measured' ? '' : percent(figure.noise),
    figure.limit === undefined ? '' : `${figure.floor}: ${value(figure.limit, figure)}`,
    figure.limit === undefined ? '' : `${digits(figure.timesLimit)}x`,
    figure.verdict,
  ])
  return table(['workload', '', 'to reach', 'here', 'noise', 'the limit', 'times of it', ''], rows)
}

function parameter([name, it]) {
  if (typeof it !== 'number') return `${name}: ${it}`
  return /bytes$/i.test(name) ? `${name}: ${bytes(it)}` : `${name}: ${it.toLocaleString('en')}`
}

/** One case. */
export function caseSection(one, chart) {
  const { id, name, claim, parameters, notes, versions, skipped, workloads, figures, measured } = one
  return [
    `## ${id === undefined ? '' : `${id}, `}${name}`,
    claim,
    `${Object.entries(parameters).map(parameter).join(', ')}. ${measured.date}, commit ${measured.commit}, load average ${measured.load}.`,
    ...notes.map((note) => `- ${note}`),
    ...(chart === undefined ? [] : [`![${claim}](${chart})`]),
    ...workloads.flatMap((workload) => [
      `### ${workload.name}${workload.unit === '' ? '' : ` (${workload.unit})`}`,
      workloadTable(workload),
      `Noise: ${percent(workload.noise[workload.metric])}.`,
    ]),
    ...(figures.length === 0 ? [] : ['### Figures to reach', figuresTable(figures)]),
    ...(versions.length === 0 ? [] : [`With: ${versions.map((who) => `${who.name} (${who.version})`).join(', ')}.`]),
    ...skipped.map(({ id: who, reason }) => `- Without ${who}: ${reason}`),
  ].join('\n\n')
}

/** The whole file. */
export function report({ machine, cases }, charts) {
  const facts = [
    `${machine.processor}, ${machine.processors} processors (virtual machine: ${machine.virtual}), ${machine.memory}`,
    `${machine.system}, Node ${machine.node} (V8 ${machine.v8})`,
  ]
  return `${[
    `# Results: ${machine.processor}`,
    'Written by `npm run bench`; nothing here is written by hand.',
    facts.map((fact) => `- ${fact}`).join('\n'),
    'Medians of interleaved rounds, each in an order shuffled anew, page cache warm unless said. Ratios are taken in each round, then their median. The p99 of one action a round is that of the rounds. ' +
      'Noise: memmap against itself in the same rounds; 95 of 100 medians of ratios are nearer to 1 than this. A figure missed by no more is "within noise". Where a program that does only what nobody can leave out (benchmark/limits) misses a figure as well, it cannot be reached on this machine: ours is "at the limit" then if it takes at most 1.3 times as long.',
    ...cases.map((one) => caseSection(one, charts[one.name])),
  ].join('\n\n')}\n`
}
