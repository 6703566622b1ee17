// docs/platforms.md: feature x system, from what the tests ran. Nobody types a cell.
// `node scripts/platforms.mjs` runs ava here and renews this system's column; `node scripts/platforms.mjs 'macOS arm64=report.tap' ...`
// takes reports (TAP, as ava prints it) of other systems. Columns without a report stay as they are.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { root, run } from './lib/run.mjs'
import { table } from './lib/markdown.mjs'

const page = join(root, 'docs/platforms.md')
const UNTESTED = 'untested'
const COLUMNS = [
  'Linux x64',
  'Linux arm64',
  'Linux musl',
  'Linux 32-bit',
  'macOS arm64',
  'Windows x64',
  'FreeBSD x64',
  'Android arm64',
]

/** What a row stands for: specs, and what the titles of its tests look like. */
const ROWS = [
  ['map files: read, write, copy', ['open-options', 'open-targets']],
  ['files past 4 GiB', ['open-large']],
  ['views without a copy', ['bytes', 'subarray', 'view', 'data-view']],
  ['checked access', ['accessors', 'read', 'write', 'fill', 'copy-within', 'compare']],
  ['flush', ['flush']],
  ['close', ['close']],
  ['anonymous memory', ['anonymous-memory']],
  ['advise', ['advise']],
  ['discard: anonymous memory, `copy`', ['discard'], /anonymous memory becomes|'copy' shows/],
  ['discard: holes in files and shared memory', ['discard'], /hole|window/],
  ['lock, unlock', ['lock']],
  ['protect', ['protect'], /^(?!.*exec)/],
  ['execute: option and protection', ['protect'], /exec/],
  ['residency', ['residency'], /^(?!.*populate)/],
  ['populate', ['residency'], /populate/],
  ['noReserve', ['memory-options'], /noReserve|1 TiB/],
  ['huge pages', ['memory-options'], /[Hh]uge|pool|hugetlbfs/],
  ['resize', ['resize']],
  ['capacity', ['capacity']],
  ['shared memory by name', ['shared-memory']],
  ['shared memory without a name', ['seal'], /without a name|stdio|fromFd|0 bytes/],
  ['seals', ['seal'], /leaves \[|seal/],
  ['exchange with C programs', ['shared-memory-programs'], /C program|atomics/],
  ['exchange with Python', ['shared-memory-programs'], /Python|multiprocessing/],
  ['devices', ['devices'], /device|\/dev\/zero/],
  ['st_mtime, st_atime', ['devices'], /st_/],
  ['ifUnsafe', ['if-unsafe']],
  ['errors under their names', ['refused-calls', 'errors']],
]

/** Tests of a report by spec. */
function testsOf(report) {
  const tests = new Map()
  for (const line of report.split(/\r?\n/)) {
    const found = /^(not )?ok \d+ - (\S+) › (.*?)( # SKIP.*)?$/i.exec(line)
    if (!found) continue
    const [, failed, spec, title, skip] = found
    if (!tests.has(spec)) tests.set(spec, [])
    tests.get(spec).push({ title, state: failed ? 'failed' : skip || /\(skipped: /.test(title) ? 'skipped' : 'passed' })
  }
  return tests
}

function cell(tests, [, specs, pattern]) {
  const chosen = specs.flatMap((spec) => tests.get(spec) ?? []).filter(({ title }) => !pattern || pattern.test(title))
  const count = (state) => chosen.filter((each) => each.state === state).length
  const [passed, failed, skipped] = ['passed', 'failed', 'skipped'].map(count)
  if (chosen.length === 0) return UNTESTED
  if (failed > 0) return `no: ${failed} of ${chosen.length} failed`
  if (passed === 0) return 'skipped'
  return skipped > 0 ? `yes: ${passed}, skipped: ${skipped}` : `yes: ${passed}`
}

/** The cells that the page has now. */
function present() {
  let text
  try {
    text = readFileSync(page, 'utf8')
  } catch {
    return new Map()
  }
  const rows = text.split('\n').filter((line) => line.startsWith('|'))
  const [head, , ...body] = rows.map((row) =>
    row
      .split('|')
      .slice(1, -1)
      .map((each) => each.trim()),
  )
  return new Map((body ?? []).map(([name, ...cells]) => [name, new Map(cells.map((each, i) => [head[i + 1], each]))]))
}

const TEXT = `# Platforms

Feature by system. The cells are written by \`node scripts/platforms.mjs\` from the reports of the tests and by nobody else: the number of tests that passed, and of those that were skipped (their titles say why: no root, another system, a package that is missing). \`untested\`: nothing ran there; the code may be written, and nothing is promised. Which of them this system, engine and version has at run time, \`Mapping.isSupported(feature)\` tells.

The tests that have to mount disks, fill the pool of huge pages or become another user need root, and are skipped without.
`

async function main(args) {
  const reports = new Map()
  for (const arg of args) {
    const at = arg.indexOf('=')
    if (at < 1) throw new RangeError(`not <column>=<report>: ${arg}`)
    const [column, file] = [arg.slice(0, at), arg.slice(at + 1)]
    if (!COLUMNS.includes(column)) throw new RangeError(`no such column: ${column} (there are ${COLUMNS.join(', ')})`)
    reports.set(column, testsOf(readFileSync(file, 'utf8')))
  }
  if (args.length === 0) {
    if (process.platform !== 'linux' || process.arch !== 'x64') throw new Error('name the column: <column>=<report>')
    const specs = [...new Set(ROWS.flatMap(([, names]) => names))].map((name) => `__test__/${name}.spec.js`)
    const result = await run(process.execPath, ['node_modules/ava/entrypoints/cli.mjs', '--tap', ...specs], {
      minutes: 20,
    })
    reports.set('Linux x64', testsOf(result.stdout))
  }
  const old = present()
  const rows = ROWS.map((row) => {
    const known = (column) => old.get(row[0])?.get(column) ?? UNTESTED
    const cells = COLUMNS.map((column) => (reports.has(column) ? cell(reports.get(column), row) : known(column)))
    return [row[0]].concat(cells)
  })
  writeFileSync(page, `${TEXT}\n${table(['feature', ...COLUMNS], rows)}\n`)
}

main(process.argv.slice(2)).catch((error) => {
  console.error(error.message)
  process.exitCode = 1
})
