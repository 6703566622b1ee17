// The benchmarks themselves: that their arithmetic is right, that a missed figure is one, and that no case has rotted.
import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

import test from 'ava'

import { onWindows, unless } from './helpers'

const root = join(__dirname, '..')
const harness = (name: string) => import(pathToFileURL(join(root, 'benchmark/harness', `${name}.mjs`)).href)

/** `npm run bench` with what comes with Node alone, and what it said. */
function bench(...args: string[]): Promise<{ code: number; output: string }> {
  const program = join(root, 'benchmark/run.mjs')
  return new Promise((resolve) => {
    execFile(process.execPath, [program, '--size', 'tiny', '--alone', ...args], { cwd: root }, (error, out, err) =>
      resolve({ code: error === null ? 0 : Number(error.code ?? 1), output: out + err }),
    )
  })
}

/** A workload as `play` gives it, of times of each round. */
const measured = (rounds: Record<string, number[]>, noise = 0.05) => ({
  name: 'work',
  metric: 'time',
  unit: '',
  noise: { time: noise },
  contestants: Object.fromEntries(
    Object.entries(rounds).map(([name, time]) => [
      name,
      { kind: name === 'ours' ? 'ours' : 'rival', time: { min: 1, median: time[0], p99: 3 }, rounds: { time } },
    ]),
  ),
})

test('ratios are taken round by round, and then their median', async (t) => {
  const { median, ratios, quantile, summary } = await harness('statistics')
  // A round in which everything was slow: the medians alone would say 3.
  t.deepEqual(ratios([2, 20, 6], [1, 10, 2]), [2, 2, 3])
  t.is(median(ratios([2, 20, 6], [1, 10, 2])), 2)
  t.is(median([1, 2, 3, 10]), 2.5)
  t.deepEqual(ratios([0], [0]), [1])
  t.is(quantile([5, 1, 3], 0.99), 5)
  t.deepEqual(summary([3, 1, 2]), { min: 1, median: 2, p99: 3 })
})

test('the noise band is what the same thing differs from itself', async (t) => {
  const { noiseBand } = await harness('statistics')
  t.is(noiseBand([1, 2, 3], [1, 2, 3]), 0)
  t.is(noiseBand([1, 1, 1], [2, 2, 2]).toFixed(6), '1.000000', 'a factor of two, whichever is the slower')
  t.is(noiseBand([2, 2, 2], [1, 1, 1]).toFixed(6), '1.000000')
  const [quiet, loud] = [0.01, 0.3].map((size) => {
    const list = Array.from({ length: 9 }, (_, i) => 1 + size * Math.sin(i))
    return noiseBand(list, list.toReversed?.() ?? [...list].reverse())
  })
  t.true(quiet! > 0 && quiet! < 0.02, String(quiet))
  t.true(loud! > quiet!, String(loud))
})

test('a figure is reached, within the noise, missed or not measured', async (t) => {
  const { bound, complaints, judge } = await harness('figures')
  const workload = measured({ ours: [110, 220, 330], other: [100, 200, 300] })
  const verdict = (figure: object) => judge({ workload: 'work', of: 'ours', ...figure }, workload)
  t.is(verdict({ against: 'other', most: 1.2 }).verdict, 'reached')
  t.is(verdict({ against: 'other', most: 1.2 }).value.toFixed(6), '1.100000')
  t.is(verdict({ against: 'other', most: 1.06 }).verdict, 'within noise')
  t.is(verdict({ against: 'other', most: 1.01 }).verdict, 'missed')
  t.is(verdict({ against: 'other', least: 0.9 }).verdict, 'reached')
  t.is(verdict({ against: 'other', least: 2 }).verdict, 'missed')
  t.is(verdict({ most: 1, unit: 'us' }).verdict, 'reached', 'a median of 220 ns')
  t.is(verdict({ most: 200, unit: 'ns' }).verdict, 'missed')
  t.is(verdict({ against: 'nobody', most: 1 }).verdict, 'not measured')
  // 110, 220, 330 beside a limit: is the bound out of its reach, too, and is ours near it?
  const limited = (limit: number[], figure: object) =>
    judge(
      { workload: 'work', of: 'ours', floor: 'limit', ...figure },
      measured({ ours: [110, 220, 330], other: [100, 200, 300], limit }),
    )
  t.is(limited([100, 200, 300], { most: 150, unit: 'ns' }).verdict, 'at the limit')
  t.is(limited([75, 150, 225], { most: 160, unit: 'ns' }).verdict, 'missed', 'which the limit reaches')
  t.is(limited([70, 140, 210], { most: 100, unit: 'ns' }).verdict, 'missed', 'which is far away')
  t.is(limited([200, 400, 600], { most: 100, unit: 'ns' }).verdict, 'missed', 'no limit: it is slower than ours')
  t.is(limited([70, 140, 210], { most: 300, unit: 'ns' }).verdict, 'reached')
  t.is(limited([100, 200, 300], { against: 'other', least: 2 }).verdict, 'at the limit')
  t.is(limited([100, 200, 300], { against: 'other', least: 2 }).timesLimit.toFixed(6), '1.100000')
  t.is(bound({ most: 1.3, against: 'C' }), '<= 1.3x of C')
  t.is(bound({ least: 8, against: 'read' }), '>= 8x ahead of read')
  t.is(bound({ most: 25, unit: 'us' }), '<= 25 us')
  const figures = [verdict({ against: 'other', most: 1.01 }), verdict({ against: 'other', most: 2 })]
  const lines = complaints([{ id: 'W0', name: 'work', figures }])
  t.is(lines.length, 1)
  t.regex(lines[0], /^W0, work: ours: 1\.10, to reach <= 1\.01x of other/)
})

test('rounds take turns, ours has a double, and who finds something else stops the run', async (t) => {
  const { play } = await harness('rounds')
  const { each, ours, rival } = await harness('contestants')
  const order: string[] = []
  const note = (name: string) => () => {
    order.push(name)
    return 7
  }
  const fair = { name: 'fair', expected: 7, contestants: [ours('a', note('a')), rival('b', note('b'))] }
  const { contestants, noise } = await play(fair, 3)
  t.deepEqual(Object.keys(contestants), ['a', 'b'])
  t.is(contestants.b.rounds.time.length, 3)
  t.true(noise.time >= 0)
  // A round of warming up, and three that count.
  for (let round = 0; round < 4; round++) t.deepEqual(order.slice(3 * round, 3 * round + 3).toSorted(), ['a', 'a', 'b'])
  const wrong = { ...fair, contestants: [ours('a', () => 7), rival('b', () => 8)] }
  await t.throwsAsync(play(wrong, 1), { message: 'fair: b found 8 instead of 7' })
  await t.throwsAsync(play({ ...fair, contestants: [rival('b', () => 7)] }, 1), { message: /nobody of ours/ })
  const repeated = await play({ name: 'repeated', contestants: [ours('a', () => each(5, () => 1))] }, 2)
  t.is(repeated.contestants.a.rounds.time.length, 2)
  t.true(repeated.contestants.a.time.min <= repeated.contestants.a.time.median)
})

const one = {
  id: 'W0',
  name: 'work',
  claim: 'Work <is> done.',
  parameters: { bytes: 1 << 20, rounds: 3 },
  notes: ['a note'],
  versions: [{ name: 'other', version: '1.2.3' }],
  skipped: [{ id: 'absent', reason: 'not here' }],
  workloads: [measured({ ours: [1e6, 1e6, 1e6], other: [3e6, 3e6, 3e6] })],
  figures: [{ workload: 'work', of: 'ours', against: 'other', most: 1, value: 1 / 3, noise: 0.05, verdict: 'reached' }],
  measured: { date: '2026-01-01', commit: 'abc', load: '0.1' },
}
const machine = {
  processor: 'A Processor',
  processors: 2,
  memory: '4 GiB',
  virtual: 'no',
  system: 'linux',
  node: 'v20',
  v8: '11',
}

test('tables and charts show what the results hold', async (t) => {
  const { report } = await harness('report')
  const { bars, lines, summaryChart } = await harness('chart')
  const text = report({ machine, cases: [one] }, { work: 'work.svg' })
  t.regex(text, /\| other +\| rival +\| 3\.00 ms \| .* \| 3\.00x +\|/)
  t.regex(text, /\| \*\*ours\*\* +\| memmap +\| 1\.00 ms \|/)
  for (const part of ['not here', 'other (1.2.3)', 'bytes: 1 MiB', '0.33x', 'reached', 'A Processor'])
    t.true(text.includes(part), part)
  const chart = bars(one)
  t.regex(chart, /^<svg [^>]+>\n<title>Work &lt;is> done\.<\/title>/)
  t.is(chart.split('<rect').length - 1, 3, 'the ground and two bars')
  const grown = lines({
    claim: 'It grows',
    unit: 'bytes',
    series: [
      {
        name: 'ours',
        points: [
          { at: 1024, time: 10 },
          { at: 2 ** 30, time: 1e6 },
        ],
      },
    ],
  })
  t.regex(grown, /<polyline points="70\.0,320\.0 540\.0,40\.0"/)
  const summed = summaryChart('All', [
    { what: 'won', ahead: 10 },
    { what: 'lost', ahead: 0.1 },
  ])
  t.regex(summed, />10\.0x</)
  t.regex(summed, />0\.10x</)
  t.regex(grown, />1 GiB<\/text>/)
})

test('the table of the README says what is slower, too', async (t) => {
  const { block, placed } = await harness('readme')
  const headlines = [
    { what: 'work', workload: 'work', of: 'ours', rival: 'other' },
    { what: 'the reverse', workload: 'work', of: 'other', rival: 'ours' },
    { what: 'nothing', workload: 'work', of: 'ours', rival: 'absent' },
  ]
  const words = block({ machine, cases: [one] }, [{ name: 'work', headlines }], 'results', 'cpu')
  t.regex(words, /\| work +\| 1\.00 ms +\| other: 3\.00 ms +\| 3\.00x faster \|/)
  t.regex(words, /\| the reverse +\| 3\.00 ms +\| ours: 1\.00 ms +\| 3\.00x slower \|/)
  t.false(words.includes('nothing'))
  t.regex(words, /Of 1 figures .* 1 are, 0 are within the noise, 0 are out of reach of the limit as well, 0 are missed/)
  const readme = readFileSync(join(root, 'README.md'), 'utf8')
  const changed = placed(readme, words)
  t.true(changed.includes(words))
  t.is(placed(changed, words), changed, 'once more changes nothing')
  t.throws(() => placed('no markers', words))
})

test('--check fails when a figure is missed, and only then', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'memmap-benchmark-'))
  const made = pathToFileURL(join(root, 'benchmark/harness/contestants.mjs')).href
  const write = (least: number) =>
    writeFileSync(
      join(folder, 'made.mjs'),
      `// Made up.
import { limit, ours } from '${made}'
export const modes = { tiny: { rounds: 3 } }
export const figures = [{ workload: 'w', of: 'ours', against: 'slow', least: ${least} }]
const spin = (ms) => () => { const end = performance.now() + ms; while (performance.now() < end); }
export const setup = () => ({ workloads: [{ name: 'w', contestants: [ours('ours', spin(1)), limit('slow', spin(20))] }] })
`,
    )
  try {
    write(1.5)
    const fine = await bench('--cases', folder, '--check')
    t.is(fine.code, 0, fine.output)
    t.regex(fine.output, /reached/)
    write(1e6)
    const missed = await bench('--cases', folder, '--check')
    t.is(missed.code, 1, missed.output)
    t.regex(missed.output, /^missed: made, w: ours: /m)
    const unasked = await bench('--cases', folder)
    t.is(unasked.code, 0, 'it is told, and that is all, without --check')
    t.regex(unasked.output, /^missed: /m)
    t.is((await bench('no-such-case')).code, 1)
  } finally {
    rmSync(folder, { recursive: true })
  }
})

const whereAllRun = unless(onWindows && 'nobody has run the cases on Windows yet')

whereAllRun('every case has a claim, runs, and measures the figures that it names', async (t) => {
  t.timeout(240_000)
  const { loadCases } = await harness('case')
  const cases = (await loadCases()) as {
    id?: string
    name: string
    claim: string
    modes: Record<string, { rounds: number }>
  }[]
  for (const id of ['W1', 'W2', 'W3', 'W4', 'W5', 'W7', 'W8', 'W9'])
    t.true(
      cases.some((it) => it.id === id),
      id,
    )
  for (const { name, claim, modes } of cases) {
    t.regex(claim, /^[A-Z].*\.$/, name)
    t.deepEqual(Object.keys(modes), ['full', 'quick', 'tiny'], name)
  }
  const folder = mkdtempSync(join(tmpdir(), 'memmap-benchmark-'))
  try {
    const json = join(folder, 'results.json')
    const { code, output } = await bench('--folder', folder, '--json', json)
    t.is(code, 0, output)
    const results = JSON.parse(readFileSync(json, 'utf8')) as {
      name: string
      figures: { workload: string; of: string; against?: string }[]
      workloads: { name: string; contestants: Record<string, unknown> }[]
    }[]
    t.deepEqual(
      results.map((it) => it.name),
      cases.map((it) => it.name),
    )
    for (const { name, figures, workloads } of results) {
      t.true(workloads.length > 0, name)
      for (const { workload, of } of figures) {
        const field = workloads.find((it) => it.name === workload)?.contestants
        // What needs the limits, taskset(1) or another build is not everywhere.
        if (field !== undefined && !/futex|published/.test(of)) t.true(of in field, `${name}: ${workload}: ${of}`)
        if (!workload.endsWith('on one processor')) t.not(field, undefined, `${name}: ${workload}`)
      }
    }
  } finally {
    rmSync(folder, { recursive: true })
  }
})
