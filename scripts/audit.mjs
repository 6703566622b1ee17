// Known holes, licences and sources of what is linked or installed. What needs a tool or a server that is not here is skipped with the reason.
// `--quick` leaves out cargo-deny where it would have to be compiled first, which takes ten minutes.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { cache, need, once, Unavailable } from './lib/cross/cache.mjs'
import { notices } from './lib/crates.mjs'
import { skipped, summary, total, verdict } from './lib/reports.mjs'
import { root, run } from './lib/run.mjs'
import { sbom } from './lib/sbom.mjs'
import { table } from './lib/table.mjs'

const denyVersion = '0.18.9'
const quick = process.argv.includes('--quick')

/** npm's own answer: 1 for findings, and another text where there is no audit server. */
async function npmAudit(...args) {
  const result = await run('npm', ['audit', '--json', ...args], { minutes: 3 })
  let report
  try {
    report = JSON.parse(result.stdout)
  } catch {
    throw new Unavailable(`npm audit gave no report: ${result.output.trim().split('\n').at(-1)}`)
  }
  if (report.error)
    throw new Unavailable(`the registry answers no audits: ${report.error.summary || report.error.code}`)
  if (!report.metadata) throw new Unavailable('the registry answers no audits')
  return { ...verdict(result), output: result.output }
}

async function cargoDeny() {
  if (quick && !existsSync(join(cache, `cargo-deny-${denyVersion}`)))
    throw new Unavailable('cargo-deny is not here, and --quick compiles none')
  const folder = await once(`cargo-deny-${denyVersion}`, (scratch) =>
    need('cargo-deny', 'cargo', ['install', '--locked', '--quiet', '--root', scratch, `cargo-deny@${denyVersion}`], {
      minutes: 30,
    }),
  )
  const deny = join(folder, 'bin/cargo-deny')
  const checks = await run(deny, ['check', 'licenses', 'bans', 'sources'], { minutes: 5 })
  const advisories = await run(deny, ['check', 'advisories'], { minutes: 5 })
  const unreachable = /failed to fetch advisory database|failed to (clone|fetch)/i.test(advisories.output)
  const results = [
    verdict(checks),
    unreachable ? skipped('the advisory database cannot be reached') : verdict(advisories),
  ]
  return { ...total(results), note: results[1].note, output: checks.output + (unreachable ? '' : advisories.output) }
}

/** Every linked crate has a licence text to ship. */
async function licences() {
  const text = await notices()
  return { passed: 1, failed: 0, skipped: 0, note: `${text.split('-'.repeat(80)).length} texts`, output: '' }
}

async function materials() {
  const document = await sbom(JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')))
  mkdirSync(join(root, 'target/sbom'), { recursive: true })
  writeFileSync(join(root, 'target/sbom/memmap.cdx.json'), `${JSON.stringify(document, null, 2)}\n`)
  return {
    passed: 1,
    failed: 0,
    skipped: 0,
    note: `${document.components.length} crates in target/sbom/memmap.cdx.json`,
    output: '',
  }
}

const steps = {
  // Users install nothing but memmap; what builds it is checked for what is severe.
  'npm audit, what users get': () => npmAudit('--omit=dev'),
  'npm audit, development': () => npmAudit('--audit-level=high'),
  'cargo deny': cargoDeny,
  licences,
  'bill of materials': materials,
}

const results = []
for (const [name, step] of Object.entries(steps)) {
  let one
  try {
    one = await step()
  } catch (error) {
    if (!(error instanceof Unavailable)) throw error
    one = skipped(error.message)
  }
  if (one.failed > 0) console.log(`--- ${name} ---\n${one.output}`)
  results.push({ name, ...one })
}
const rows = results.map((one) => [one.name, one.passed, one.failed, one.skipped, one.note])
console.log(`${table(['audit', 'passed', 'failed', 'skipped', 'note'], rows)}\n\n${summary(total(results))}`)
process.exitCode = total(results).failed > 0 ? 1 : 0
