// Results -> SVG: one bar for each contestant, or lines where a case grows something.
import { bytes, digits, duration, quantity } from './format.mjs'

const COLOURS = { ours: '#1a7f64', rival: '#8a94a6', limit: '#c98a1b' }
const LINES = ['#1a7f64', '#c2410c', '#2563eb', '#9333ea', '#8a94a6', '#c98a1b', '#0e7490', '#be185d']
const WIDTH = 760
const LABELS = 250
const BAR = 18
const FONT = 'font-family="system-ui, sans-serif"'

const escape = (text) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;')
const text = (x, y, words, more = '') =>
  `<text x="${x}" y="${y}" ${FONT} font-size="12" fill="#1f2328" ${more}>${escape(words)}</text>`

function svg(height, title, parts) {
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}" role="img">`,
    `<title>${escape(title)}</title>`,
    // A ground of its own: the page may be dark.
    `<rect width="${WIDTH}" height="${height}" rx="6" fill="#ffffff"/>`,
    ...parts,
    '</svg>\n',
  ].join('\n')
}

/** Bars of the medians: the slowest of a workload is as wide as there is room, unless it is so slow that nothing else could be seen. */
export function bars({ claim, workloads }) {
  const parts = []
  let y = 12
  for (const { name, unit, metric, contestants } of workloads) {
    y += 16
    parts.push(text(12, y, name + (unit === '' ? '' : ` (${unit})`), 'font-weight="600"'))
    const all = Object.entries(contestants)
    const value = (one) => one[metric].median
    const most = Math.max(...all.map(([, one]) => value(one)))
    const ours = Math.max(...all.filter(([, { kind }]) => kind === 'ours').map(([, one]) => value(one)))
    const scale = Math.min(most, ours * 40) || most || 1
    for (const [who, one] of all) {
      y += BAR + 4
      const long = ((WIDTH - LABELS - 100) * Math.min(value(one), scale)) / scale
      const cut = value(one) > scale ? ' (cut off)' : ''
      parts.push(
        text(LABELS - 8, y, who, 'text-anchor="end"'),
        `<rect x="${LABELS}" y="${y - 13}" width="${Math.max(1, long).toFixed(1)}" height="${BAR}" rx="2" fill="${COLOURS[one.kind]}"/>`,
        text(LABELS + Math.max(1, long) + 6, y, quantity(metric, value(one)) + cut),
      )
    }
    y += 12
  }
  return svg(y + 8, claim, parts)
}

/** { what, ahead }: to the right of the line what is that many times as fast as what is used instead, to the left what is slower. Logarithmic. */
export function summaryChart(title, rows) {
  const [left, right, step] = [LABELS + 110, WIDTH - 70, BAR + 8]
  const logs = rows.map(({ ahead }) => Math.log10(ahead))
  const [low, high] = [Math.min(0, ...logs), Math.max(1, ...logs)]
  const px = (log) => left + ((log - low) / (high - low)) * (right - left)
  const parts = rows.flatMap(({ what, ahead }, i) => {
    const [y, end] = [44 + i * step, px(logs[i])]
    const [from, to] = [Math.min(px(0), end), Math.max(px(0), end)]
    return [
      text(left - 50, y + 13, what, 'text-anchor="end"'),
      `<rect x="${from.toFixed(1)}" y="${y}" width="${Math.max(1, to - from).toFixed(1)}" height="${BAR}" rx="2" fill="${ahead < 1 ? COLOURS.limit : COLOURS.ours}"/>`,
      text(ahead < 1 ? from - 6 : to + 6, y + 13, `${digits(ahead)}x`, ahead < 1 ? 'text-anchor="end"' : ''),
    ]
  })
  const height = 44 + rows.length * step + 12
  return svg(height, title, [
    text(12, 22, title, 'font-weight="600"'),
    `<line x1="${px(0)}" x2="${px(0)}" y1="36" y2="${height - 12}" stroke="#57606a"/>`,
    ...parts,
  ])
}

/** Both axes logarithmic: what grows with `at`, one line a contestant. */
export function lines({ claim, series, unit }) {
  const [height, left, bottom, right] = [360, 70, 320, 540]
  const points = series.flatMap(({ points: list }) => list)
  const range = (values) => [Math.log10(Math.min(...values)), Math.log10(Math.max(...values))]
  const [x0, x1] = range(points.map(({ at }) => at))
  const [y0, y1] = range(points.map(({ time }) => time))
  const px = (at) => left + ((Math.log10(at) - x0) / (x1 - x0 || 1)) * (right - left)
  const py = (time) => bottom - ((Math.log10(time) - y0) / (y1 - y0 || 1)) * (bottom - 40)
  const ticks = [...new Set(points.map(({ at }) => at))].toSorted((a, b) => a - b)
  const decades = Array.from({ length: Math.floor(y1) - Math.ceil(y0) + 1 }, (_, i) => 10 ** (Math.ceil(y0) + i))
  const shown = ticks.length > 6 ? ticks.filter((_, i) => i % Math.ceil(ticks.length / 6) === 0) : ticks
  return svg(height, claim, [
    text(12, 20, claim, 'font-weight="600"'),
    ...shown.map((at) =>
      text(px(at), bottom + 18, unit === 'bytes' ? bytes(at) : at.toLocaleString('en'), 'text-anchor="middle"'),
    ),
    ...decades.flatMap((time) => [
      `<line x1="${left}" x2="${right}" y1="${py(time)}" y2="${py(time)}" stroke="#d8dee4"/>`,
      text(left - 6, py(time) + 4, duration(time), 'text-anchor="end"'),
    ]),
    ...series.flatMap(({ name, points: list }, i) => {
      const colour = LINES[i % LINES.length]
      const path = list.map(({ at, time }) => `${px(at).toFixed(1)},${py(time).toFixed(1)}`).join(' ')
      return [
        `<polyline points="${path}" fill="none" stroke="${colour}" stroke-width="2"/>`,
        `<rect x="${right + 16}" y="${36 + i * 18}" width="10" height="10" fill="${colour}"/>`,
        text(right + 32, 45 + i * 18, name),
      ]
    }),
  ])
}
