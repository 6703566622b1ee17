// `npm run bench -- [case...] [--quick] [--check] [--write] [--list]`: memmap beside what a user would pick instead and beside the limit, in
// interleaved rounds. All cases at full size write benchmark/results; --write does so for the named ones.
//
// --size full | quick | tiny, --rounds N; --folder F: where the files lie; --alone: without what must be fetched or built; --cases F: other cases;
// --json F: all that was measured, as JSON.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { parseArgs } from 'node:util'
import { loadCases, program } from './harness/case.mjs'
import { complaints } from './harness/figures.mjs'
import { load, machine } from './harness/machine.mjs'
import { provide } from './harness/provide.mjs'
import { figuresTable, workloadTable } from './harness/report.mjs'
import { write } from './harness/results.mjs'
import { prepare } from '../scripts/lib/prepare.mjs'
import { duration } from '../scripts/lib/table.mjs'

const OPTIONS = {
  quick: { type: 'boolean', default: false },
  check: { type: 'boolean', default: false },
  write: { type: 'boolean', default: false },
  list: { type: 'boolean', default: false },
  size: { type: 'string', default: 'full' },
  alone: { type: 'boolean', default: false },
  cases: { type: 'string' },
  json: { type: 'string' },
  rounds: { type: 'string', default: '0' },
  folder: { type: 'string', default: tmpdir() },
}

/** Runs one in a process of its own. */
async function measured({ path }, { mode, rounds, folder, alone }) {
  const child = spawn(process.execPath, ['--expose-gc', program, path, mode, rounds, folder, alone ? 'alone' : ''], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    serialization: 'advanced',
  })
  let result
  child.on('message', (message) => {
    result = message
  })
  const [code] = await once(child, 'close')
  if (code !== 0 || result === undefined) throw new Error(`${path} failed (see above)`)
  return result
}

function show({ workloads, figures, notes }) {
  for (const note of notes) console.log(note)
  for (const workload of workloads) {
    console.log(
      `\n${workload.name} ${workload.unit} (noise ${(workload.noise[workload.metric] * 100).toFixed(1)} %)\n${workloadTable(workload)}`,
    )
  }
  if (figures.length > 0) console.log(`\n${figuresTable(figures)}`)
}

async function main() {
  const { values, positionals } = parseArgs({ options: OPTIONS, allowPositionals: true })
  const cases = await loadCases(values.cases)
  if (values.list) {
    for (const { id, name, claim } of cases) console.log(`${name.padEnd(12)} ${(id ?? '').padEnd(4)} ${claim}`)
    return 0
  }
  const unknown = positionals.find((name) => !cases.some((one) => one.name === name || one.id === name))
  if (unknown !== undefined) {
    console.error(`no such case: ${unknown} (there are ${cases.map(({ name }) => name).join(', ')})`)
    return 1
  }
  const failed = values.alone ? '' : (await prepare()) || (await provide())
  if (failed) {
    console.error(failed)
    return 1
  }
  const chosen = cases.filter(
    ({ id, name }) => positionals.length === 0 || [id, name].some((it) => positionals.includes(it)),
  )
  const mode = values.quick ? 'quick' : values.size
  const here = machine()
  console.log(`${here.processor}, ${here.processors} processors, ${here.system}, Node ${here.node}, load ${load()}`)
  const results = []
  const begun = performance.now()
  for (const one of chosen) {
    console.log(`\n${one.id === undefined ? '' : `${one.id} `}${one.name}: ${one.claim}`)
    const result = await measured(one, { ...values, mode })
    result.measured = { date: new Date().toISOString().slice(0, 10), commit: here.commit, load: load() }
    show(result)
    results.push(result)
  }
  console.log(`\n${results.length} cases in ${duration((performance.now() - begun) / 1000)}`)
  if (values.json !== undefined) writeFileSync(values.json, JSON.stringify(results))
  if (mode === 'full' && !values.alone && (values.write || positionals.length === 0)) {
    for (const path of await write(here, results, cases)) console.log(`wrote ${path}`)
  }
  const missed = complaints(results)
  for (const line of missed) console.log(`missed: ${line}`)
  return values.check && missed.length > 0 ? 1 : 0
}

process.exitCode = await main()
