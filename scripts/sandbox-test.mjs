// `npm run test:sandbox`: files over the memory of engines that really have V8's sandbox, by the code that does it in Electron. One table.
// `node scripts/sandbox-test.mjs [--engines mini-racer,chromium] [--cycles 1500] [--seed 1]`. What cannot be fetched is skipped with its reason.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { parseArgs } from 'node:util'
import { need, Unavailable } from './lib/cross/cache.mjs'
import { skipped, summary, tap, total } from './lib/reports.mjs'
import { root, run } from './lib/run.mjs'
import { agent, chromium, miniRacer } from './lib/sandboxes.mjs'
import { duration, table } from './lib/table.mjs'
import { testBuild } from './lib/test-build.mjs'

const program = (name) => join(root, '__test__/sandbox', name)

const engines = {
  async 'mini-racer'(addon, folder, ...rest) {
    const modules = await miniRacer()
    const env = {
      PYTHONPATH: [modules, process.env.PYTHONPATH].filter(Boolean).join(delimiter),
      PYTHONDONTWRITEBYTECODE: '1',
    }
    await need('mini-racer does not start here', 'python3', ['-c', 'import py_mini_racer'], { env })
    return run('python3', [program('mini_racer.py'), addon, rest[0], folder, ...rest.slice(1)], { env })
  },
  async chromium(addon, folder, ...rest) {
    const { program: browser, libraries } = await chromium()
    await need('chromium does not start here', browser, ['--version'], { env: { LD_LIBRARY_PATH: libraries } })
    const env = { MEMMAP_SANDBOX_LIBRARIES: libraries }
    const args = [browser, await agent(folder), addon, rest[0], folder, ...rest.slice(1)]
    return run(process.execPath, [program('chromium.mjs'), ...args], { env })
  },
}

async function runEngine(name, addon, rest) {
  const folder = mkdtempSync(join(tmpdir(), 'memmap-sandbox-'))
  try {
    const result = await engines[name](addon, folder, ...rest)
    return { ...tap(result), output: result.output, seconds: result.seconds }
  } catch (error) {
    if (!(error instanceof Unavailable)) throw error
    return { ...skipped(error.message), output: '', seconds: 0 }
  } finally {
    // The browser's children end a moment after it.
    rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 })
  }
}

async function main() {
  const { values } = parseArgs({
    options: {
      engines: { type: 'string', default: Object.keys(engines).join() },
      cycles: { type: 'string', default: '1500' },
      seed: { type: 'string' },
    },
  })
  const chosen = values.engines.split(',')
  const unknown = chosen.filter((name) => engines[name] === undefined)
  if (unknown.length > 0)
    throw new RangeError(`no such engine: ${unknown} (there are ${Object.keys(engines).join(', ')})`)
  const addon = await testBuild()
  const results = []
  for (const name of chosen) {
    const one = await runEngine(name, addon, values.seed === undefined ? [values.cycles] : [values.cycles, values.seed])
    if (one.output) console.log(`\n--- ${name} ---\n${one.output.replace(/^1\.\..*\n|^TAP.*\n/gm, '')}`)
    results.push({ name, ...one })
  }
  const rows = results.map((one) => [one.name, one.passed, one.failed, one.skipped, duration(one.seconds), one.note])
  console.log(table(['engine', 'passed', 'failed', 'skipped', 'time', 'note'], rows))
  console.log(summary(total(results)))
  process.exitCode = total(results).failed > 0 ? 1 : 0
}

main().catch((error) => {
  console.error(error.message)
  process.exitCode = 1
})
