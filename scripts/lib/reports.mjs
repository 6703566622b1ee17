// What a runner's own report says. Nothing here believes an exit code alone: a runner that died before its report, or that
// ran nothing, is a failure of one.

/** @typedef {{ passed: number, failed: number, skipped: number, note: string }} Counts */

/** @returns {Counts} */
function checked(counts, result) {
  const ran = counts.passed + counts.failed
  if (result.problem) return { ...counts, failed: counts.failed + 1, note: result.problem }
  if (counts.note) return { ...counts, failed: counts.failed + 1 }
  if (ran === 0) return { ...counts, failed: 1, note: `no test ran (exit code ${result.code})` }
  if (result.code !== 0 && counts.failed === 0) {
    return { ...counts, failed: 1, note: `exit code ${result.code} though no test failed` }
  }
  return counts
}

/** TAP, as ava and our own suites print it. Test points of subtests are indented and count with their parent. */
export function tap(result) {
  const counts = { passed: 0, failed: 0, skipped: 0, note: '' }
  let plan = -1
  for (const line of result.stdout.split(/\r?\n/)) {
    const planned = /^1\.\.(\d+)/.exec(line)
    if (planned) plan = Number(planned[1])
    const point = /^(not )?ok\b(.*)$/.exec(line)
    if (!point) continue
    if (/ # (skip|todo)\b/i.test(point[2])) counts.skipped++
    else if (point[1]) counts.failed++
    else counts.passed++
  }
  const seen = counts.passed + counts.failed + counts.skipped
  if (plan === -1) counts.note = 'the report broke off: no plan'
  else if (plan !== seen) counts.note = `planned ${plan} tests and reported ${seen}`
  return checked(counts, result)
}

/** `cargo test`: one result line for each test binary. */
export function cargo(result) {
  const counts = { passed: 0, failed: 0, skipped: 0, note: '' }
  for (const [, passed, failed, ignored] of result.stdout.matchAll(
    /^test result: \w+\. (\d+) passed; (\d+) failed; (\d+) ignored/gm,
  )) {
    counts.passed += Number(passed)
    counts.failed += Number(failed)
    counts.skipped += Number(ignored)
  }
  return checked(counts, result)
}

/** A tool that only says yes or no: one check. */
export function verdict(result) {
  const ok = result.code === 0 && !result.problem
  return { passed: ok ? 1 : 0, failed: ok ? 0 : 1, skipped: 0, note: result.problem }
}

/** A script of ours that ends with its count (`summary`). */
export function summarised(result) {
  const [, passed, failed, left] =
    [...result.stdout.matchAll(/^(\d+) passed, (\d+) failed(?:, (\d+) skipped)?$/gm)].at(-1) ?? []
  const counts = { passed: Number(passed ?? 0), failed: Number(failed ?? 0), skipped: Number(left ?? 0), note: '' }
  // Where nothing could be had, nothing ran, and the script has said why.
  if (counts.skipped > 0 && counts.passed + counts.failed === 0 && result.code === 0 && !result.problem) {
    return { ...counts, note: result.stdout.trim().split('\n')[0] }
  }
  return checked(counts, result)
}

/** @param {string} why */
export function skipped(why) {
  return { passed: 0, failed: 0, skipped: 1, note: why }
}

/** What failed, without what passed: whole reports of hundreds of tests bury the one line that matters. */
export function excerpt(output) {
  const lines = output.split('\n').filter((line) => !/^ok \d/.test(line))
  return lines.length <= 200 ? lines.join('\n') : [...lines.slice(0, 100), '...', ...lines.slice(-100)].join('\n')
}

/** Of a test point's report: what says nothing of why. */
const FRAME = /^[\s#]*(---|\.\.\.|name: AssertionError|details:|message: '')?\s*$/

/** The titles of what failed, each with the first lines that say why: what is left of a long log when its middle is cut out. */
export function failures(output) {
  const lines = output.split(/\r?\n/)
  return lines.flatMap((line, index) => {
    const title = /^not ok \d+ - (.*)$/.exec(line)?.[1] ?? /^test (.*) \.\.\. FAILED$/.exec(line)?.[1]
    if (title === undefined) return []
    const detail = lines.slice(index + 1, index + 40)
    const end = detail.findIndex((next) => /^(not )?ok \d/.test(next))
    const why = (end < 0 ? detail : detail.slice(0, end)).filter((next) => !FRAME.test(next)).slice(0, 8)
    return [[title, ...why.map((next) => next.replace(/^[\s#]+/, '').slice(0, 300))].join(' | ')]
  })
}

/** @param {readonly Counts[]} all */
export function total(all) {
  const sum = { passed: 0, failed: 0, skipped: 0 }
  for (const counts of all) for (const key of Object.keys(sum)) sum[key] += counts[key]
  return sum
}

/** The last line of every script that counts. */
export function summary({ passed, failed, skipped: left }) {
  return `${passed} passed, ${failed} failed${left ? `, ${left} skipped` : ''}`
}
