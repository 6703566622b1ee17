// One case in a process of its own, so that no case inherits the garbage, the compiled code or the detached buffers of another.
// As a program (started by `run.mjs`): `node --expose-gc harness/case.mjs <path> <size> <rounds or 0> <folder> [alone]`, sends its result to its parent.
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { basename, join, resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { judge } from './figures.mjs'
import { participants } from './participants.mjs'
import { play } from './rounds.mjs'

const ours = fileURLToPath(new URL('../cases', import.meta.url))

/** Those that have the number of a workload first, in that order, then by name. */
export async function loadCases(folder = ours) {
  const files = readdirSync(folder).filter((file) => file.endsWith('.mjs'))
  const cases = await Promise.all(files.map((file) => loadCase(resolve(folder, file))))
  const rank = ({ id, name }) => `${id === undefined ? 'Z' : id.slice(1).padStart(3, '0')} ${name}`
  return cases.toSorted((a, b) => (rank(a) < rank(b) ? -1 : 1))
}

/** { id?, name, claim, path, modes, figures, headlines, rivals, setup }: the claim is the first line of the file. */
export async function loadCase(path) {
  const [, id, claim] = /^\/\/ (?:(W\d+): )?(.+)\n/.exec(readFileSync(path, 'utf8'))
  const its = await import(pathToFileURL(path))
  return { id, name: basename(path, '.mjs'), claim, path, figures: [], rivals: [], headlines: [], ...its }
}

/** Runs it: { id, name, claim, parameters, notes, versions, skipped, workloads, figures }. */
export async function runCase(one, { mode, rounds, parent, alone = false, show = () => {} }) {
  const parameters = { ...one.modes[mode], ...(rounds ? { rounds } : {}) }
  const folder = mkdtempSync(join(parent, `memmap-bench-${one.name}-`))
  const field = await participants(one.rivals, alone)
  for (const { id, reason } of field.skipped) show(`  without ${id}: ${reason}`)
  let prepared
  try {
    prepared = await one.setup({ ...parameters, folder, field })
    const workloads = []
    for (const workload of prepared.workloads) {
      show(`  ${workload.name}`)
      workloads.push(await play(workload, workload.rounds ?? parameters.rounds))
    }
    const by = new Map(workloads.map((workload) => [workload.name, workload]))
    return {
      id: one.id,
      name: one.name,
      claim: one.claim,
      ...(one.grows === undefined ? {} : { grows: one.grows }),
      parameters,
      notes: prepared.notes ?? [],
      versions: field.all.map(({ name, version }) => ({ name, version })),
      skipped: field.skipped,
      workloads,
      figures: one.figures.map((figure) => judge(figure, by.get(figure.workload))),
    }
  } finally {
    await prepared?.close?.()
    await field.end()
    rmSync(folder, { recursive: true, force: true })
  }
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const [, , path, mode, rounds, parent, alone] = process.argv
  const result = await runCase(await loadCase(path), {
    mode,
    rounds: Number(rounds),
    parent,
    alone: alone === 'alone',
    show: (line) => console.log(line),
  })
  process.send(result, () => process.disconnect())
}

export const program = fileURLToPath(import.meta.url)
