// benchmark/results/<cpu>.json, .md and charts, and the table of README.md: written here and nowhere else.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { bars, lines, summaryChart } from './chart.mjs'
import { slug } from './machine.mjs'
import { block, headlinesOf, placed } from './readme.mjs'
import { report } from './report.mjs'
import { root } from '../../scripts/lib/run.mjs'

const folder = join(root, 'benchmark/results')

/** Prettier is what the repository is held to: what is generated is no exception. */
async function pretty(path, text) {
  const prettier = await import('prettier')
  const options = await prettier.resolveConfig(path)
  return prettier.format(text, { ...options, filepath: path })
}

/** What a case has in the file stays until it is measured again. */
function merged(path, machine, results, cases) {
  const before = existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')).cases : []
  const all = new Map([...before, ...results].map((one) => [one.name, one]))
  return { machine, cases: cases.map(({ name }) => all.get(name)).filter((one) => one !== undefined) }
}

/** Writes everything; the paths, from the repository's root. */
export async function write(machine, results, cases) {
  const name = slug(machine)
  mkdirSync(join(folder, name), { recursive: true })
  const written = []
  const put = (path, text) => {
    writeFileSync(join(root, path), text)
    written.push(path)
  }
  const json = `benchmark/results/${name}.json`
  const data = merged(join(root, json), machine, results, cases)
  const charts = {}
  for (const one of data.cases) {
    const series = seriesOf(one)
    const file = `${name}/${one.name}.svg`
    charts[one.name] = file
    put(`benchmark/results/${file}`, series === undefined ? bars(one) : lines({ claim: one.claim, ...series }))
  }
  const rows = headlinesOf(data, cases)
  put(`benchmark/results/${name}/summary.svg`, summaryChart('How many times as fast as what is used instead', rows))
  put(json, await pretty(json, JSON.stringify(data)))
  const markdown = `benchmark/results/${name}.md`
  put(markdown, await pretty(markdown, report(data, charts)))
  const readme = readFileSync(join(root, 'README.md'), 'utf8')
  put('README.md', await pretty('README.md', placed(readme, block(data, cases, dirname(json), name))))
  return written
}

/** Workloads named "<what>, <size>" of a case that says `grows` are points of lines. */
function seriesOf({ grows, workloads }) {
  if (grows === undefined) return undefined
  const series = new Map()
  for (const { at, line, contestants } of workloads) {
    for (const [who, { time }] of Object.entries(contestants)) {
      const name = `${line}: ${who}`
      series.set(name, [...(series.get(name) ?? []), { at, time: time.median }])
    }
  }
  return { unit: grows, series: [...series].map(([name, points]) => ({ name, points })) }
}
