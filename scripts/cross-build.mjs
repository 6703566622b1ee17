// The native core for other systems than this one, checked as far as a binary can be checked without running it.
// `node scripts/cross-build.mjs TARGET...` (a name below, a Rust triple, or `all`), `--list`,
// `--out FOLDER` copies them there, `--features test-hooks` makes test builds, `--inspect FILE TARGET` checks one built elsewhere. Skipped or only type-checked is no failure.
import { copyFileSync, mkdirSync } from 'node:fs'
import { basename, join } from 'node:path'
import { parseArgs } from 'node:util'
import { pathToFileURL } from 'node:url'
import { build, inspect } from './lib/cross/build.mjs'
import { find, targets } from './lib/cross/targets.mjs'
import { duration, table } from './lib/table.mjs'

const head = ['target', 'build', 'size', 'symbols', 'time', 'note']

/** One target after the other, as each takes every processor there is. */
export async function buildAll(chosen, options) {
  const results = []
  for (const target of chosen) {
    console.log(`Building ${target.name} ...`)
    const result = await build(target, options)
    if (result.state === 'failed') console.log(result.output)
    console.log(`${result.state} ${target.name} (${duration(result.seconds)})${result.note && `: ${result.note}`}`)
    results.push({ target, ...result })
  }
  return results
}

export function row({ target, state, size, symbols, seconds, note }) {
  return [target.name, state, size ?? '-', symbols, duration(seconds), note]
}

/** Copies what was built into one folder, under the names that the loader knows. */
function collect(results, folder) {
  mkdirSync(folder, { recursive: true })
  for (const { file } of results) if (file) copyFileSync(file, join(folder, basename(file)))
}

async function main() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      list: { type: 'boolean' },
      inspect: { type: 'string' },
      out: { type: 'string' },
      features: { type: 'string' },
    },
  })
  if (values.list) {
    console.log(
      Object.values(targets)
        .map((each, i) => `${Object.keys(targets)[i].padEnd(22)}${each.rust}`)
        .join('\n'),
    )
    return
  }
  if (positionals.length === 0) throw new RangeError('no target given: see --list, or say `all`')
  const chosen = (positionals[0] === 'all' ? Object.keys(targets) : positionals).map((name) => find(name))
  const results = values.inspect
    ? [{ target: chosen[0], seconds: 0, ...(await inspect(chosen[0], values.inspect)) }]
    : await buildAll(chosen, { features: values.features })
  if (values.out) collect(results, values.out)
  console.log(
    `\n${table(
      head,
      results.map((each) => row(each)),
    )}`,
  )
  process.exitCode = results.some(({ state }) => state === 'failed') ? 1 : 0
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  main().catch((error) => {
    console.error(error.message)
    process.exitCode = 1
  })
}
