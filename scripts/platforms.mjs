// docs/platforms.md: feature x system, from what the tests ran. Nobody types a cell.
// `node scripts/platforms.mjs` runs ava here and renews this system's column; `--reports FOLDER` renews those of the machines whose reports
// (TAP, as ava prints it) scripts/cross-test.mjs has left there; 'macOS arm64=report.tap' takes one from elsewhere. The others stay.
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { machines } from './lib/cross/machines.mjs'
import { root, run } from './lib/run.mjs'
import { table } from './lib/markdown.mjs'

const page = join(root, 'docs/platforms.md')
const UNTESTED = 'untested'

/**
 * Columns: the machine of scripts/cross-test.mjs that runs it here, and the job of .github/workflows/ci.yml that runs or builds it.
 * @type {Record<string, { machine?: string, job: string }>}
 */
const COLUMNS = {
  'Linux x64': { job: 'test, ubuntu-24.04' },
  'Linux arm64': { machine: 'arm64 4K pages', job: 'test, ubuntu-24.04-arm' },
  'Linux arm64, 16 KiB pages': { machine: 'arm64 16K pages', job: 'test-emulated' },
  'Linux musl': { machine: 'x64 musl', job: 'test-musl' },
  'Linux 32-bit (armv7)': { machine: 'armv7', job: 'test-emulated' },
  'Linux big endian (s390x)': { machine: 's390x big endian', job: 'test-emulated' },
  'Linux ppc64le': { machine: 'ppc64le', job: 'test-emulated' },
  'Windows x64': { machine: 'win32 x64 Node 22', job: 'test, windows-2025' },
  'Windows x64, placeholders': { machine: 'win32 x64 placeholders', job: 'test, windows-2025' },
  'macOS arm64': { job: 'test, macos-15' },
  'FreeBSD x64': { job: 'build, freebsd-x64' },
  'Android arm64': { job: 'build, android-arm64' },
}

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
  ['wait, notify', ['wait']],
  ['exchange with C programs', ['shared-memory-programs'], /C program|atomics/],
  ['exchange with Python', ['shared-memory-programs'], /Python|multiprocessing/],
  ['devices', ['devices'], /device|\/dev\/zero/],
  ['st_mtime, st_atime', ['devices'], /st_/],
  ['ifUnsafe', ['if-unsafe']],
  ['errors under their names', ['refused-calls', 'errors']],
  ['no views: checked methods alone', ['no-views']],
  ["Windows' own: paths, sharing, sections", ['windows']],
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

/** `by`: what the tests ran under, if not on the system itself. */
function cell({ tests, by }, [, specs, pattern]) {
  const chosen = specs.flatMap((spec) => tests.get(spec) ?? []).filter(({ title }) => !pattern || pattern.test(title))
  const count = (state) => chosen.filter((each) => each.state === state).length
  const [passed, failed, skipped] = ['passed', 'failed', 'skipped'].map(count)
  if (chosen.length === 0) return UNTESTED
  const where = by ? `${by}: ` : ''
  if (failed > 0) return `${where}no, ${failed} of ${chosen.length} failed`
  if (passed === 0) return `${where}skipped`
  return where + (skipped > 0 ? `yes, ${passed}; ${skipped} skipped` : `yes, ${passed}`)
}

/** The cells that the page has now. */
function present() {
  const rows = existsSync(page)
    ? readFileSync(page, 'utf8')
        .split('\n')
        .filter((line) => line.startsWith('| '))
        .map((row) =>
          row
            .split('|')
            .slice(1, -1)
            .map((each) => each.trim()),
        )
    : []
  const from = rows.findIndex(([first]) => first === 'feature')
  const [head, ...body] = from < 0 ? [[]] : rows.slice(from)
  return new Map(body.map(([name, ...cells]) => [name, new Map(cells.map((each, i) => [head[i + 1], each]))]))
}

const TEXT = `# Platforms

Feature by system. The cells are written by \`node scripts/platforms.mjs\` from the reports of the tests and by nobody else: the number of tests that passed, and of those that were skipped (their titles say why: no root, another system, a package that is missing). \`untested\`: nothing ran there; the code may be written, and nothing is promised. Which of them this system, engine and version has at run time, \`Mapping.isSupported(feature)\` tells.

A cell that begins with \`qemu\`, \`wine\` or \`loader\` was not run on the system itself: qemu's user mode emulates the processor and passes system calls on to the kernel of this machine (so it tells about bytes, pages and offsets, and those specs alone are run); wine stands for Windows (8, and 10 where placeholders are asked for: Windows has them since version 1803); the loader is that of another C library on this machine. What is known to differ there is marked in the tests, each with its reason.

The tests that have to mount disks, fill the pool of huge pages or become another user need root, and are skipped without.
`

const jobs = () => `
The jobs of \`.github/workflows/ci.yml\` that run each column, on the real system but for \`test-emulated\` (qemu). A \`build\` job only compiles and links.

${table(
  ['column', 'here', 'job'],
  Object.entries(COLUMNS).map(([name, { machine, job }]) => [
    name,
    name === 'Linux x64' ? 'natively' : machine ? `\`scripts/cross-test.mjs --only '${machine}'\`` : 'not run',
    job,
  ]),
)}
`

/** Reports by column, of the machines that left one. */
function left(folder) {
  const found = Object.entries(COLUMNS).flatMap(([column, { machine }]) => {
    const file = machine && join(folder, `${machine}.tap`)
    if (!file || !existsSync(file)) return []
    return [[column, { tests: testsOf(readFileSync(file, 'utf8')), by: machines[machine].emulator }]]
  })
  if (found.length === 0) throw new RangeError(`no report of a machine in ${folder}`)
  return found
}

async function main(argv) {
  const { values, positionals } = parseArgs({
    args: argv,
    allowPositionals: true,
    options: { reports: { type: 'string' } },
  })
  const reports = new Map(values.reports ? left(values.reports) : [])
  for (const arg of positionals) {
    const at = arg.indexOf('=')
    if (at < 1) throw new RangeError(`not <column>=<report>: ${arg}`)
    const [column, file] = [arg.slice(0, at), arg.slice(at + 1)]
    if (!COLUMNS[column])
      throw new RangeError(`no such column: ${column} (there are ${Object.keys(COLUMNS).join(', ')})`)
    reports.set(column, { tests: testsOf(readFileSync(file, 'utf8')) })
  }
  if (argv.length === 0) {
    if (process.platform !== 'linux' || process.arch !== 'x64') throw new Error('name the column: <column>=<report>')
    const specs = [...new Set(ROWS.flatMap(([, names]) => names))].map((name) => `__test__/${name}.spec.js`)
    const result = await run(process.execPath, ['node_modules/ava/entrypoints/cli.mjs', '--tap', ...specs], {
      minutes: 20,
    })
    reports.set('Linux x64', { tests: testsOf(result.stdout) })
  }
  const old = present()
  const columns = Object.keys(COLUMNS)
  const rows = ROWS.map((row) => {
    const known = (column) => old.get(row[0])?.get(column) ?? UNTESTED
    const cells = columns.map((column) => (reports.has(column) ? cell(reports.get(column), row) : known(column)))
    return [row[0]].concat(cells)
  })
  writeFileSync(page, `${TEXT}\n${table(['feature', ...columns], rows)}\n${jobs()}`)
}

main(process.argv.slice(2)).catch((error) => {
  console.error(error.message)
  process.exitCode = 1
})
