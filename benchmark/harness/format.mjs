// Numbers for people.

const STEPS = [
  [1e9, 's'],
  [1e6, 'ms'],
  [1e3, 'us'],
  [0, 'ns'],
]

/** Three digits, no exponent. */
export function digits(value) {
  if (value === 0) return '0'
  if (Math.abs(value) >= 100) return Math.round(value).toLocaleString('en')
  return value.toFixed(Math.abs(value) >= 10 ? 1 : 2)
}

/** Nanoseconds: "3.42 ms". */
export function duration(value) {
  const [step, unit] = STEPS.find(([from]) => value >= from) ?? STEPS.at(-1)
  return `${digits(value / (step || 1))} ${unit}`
}

/** A value of a metric: those that are times are in nanoseconds, all else is a count. */
export function quantity(metric, value) {
  if (metric === 'bytes') return bytes(value)
  return TIMES.includes(metric) ? duration(value) : digits(value)
}

/** Metrics that are in nanoseconds. */
export const TIMES = ['time', 'processor', 'stall', 'pause', 'p99.99']

/** A size: "1 GiB". */
export function bytes(count) {
  const power = Math.min(4, Math.floor(Math.log2(Math.max(count, 1)) / 10))
  return `${digits(count / 1024 ** power).replace(/\.0+$/, '')} ${['bytes', 'KiB', 'MiB', 'GiB', 'TiB'][power]}`
}
