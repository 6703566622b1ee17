// The workflows, checked by actionlint (a Go module), with shellcheck where that is installed.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { need, once, has, Unavailable } from './lib/cross/cache.mjs'
import { skipped, summary, verdict } from './lib/reports.mjs'
import { run } from './lib/run.mjs'

const version = 'v1.7.12'

let counts
try {
  if (!(await has('go'))) throw new Unavailable('go was not found, and actionlint is a Go program')
  const bin = await once(`actionlint-${version}`, (folder) =>
    need('actionlint', 'go', ['install', `github.com/rhysd/actionlint/cmd/actionlint@${version}`], {
      env: { GOBIN: folder },
    }),
  )
  const path = join(bin, 'actionlint')
  const result = await run(existsSync(path) ? path : `${path}.exe`, [], { minutes: 2 })
  process.stdout.write(result.output)
  counts = verdict(result)
  console.log(`actionlint ${version}: ${counts.failed ? `exit code ${result.code}` : 'no problem'}`)
} catch (error) {
  if (!(error instanceof Unavailable)) throw error
  console.log(`skipped: ${error.message}`)
  counts = skipped(error.message)
}
console.log(summary(counts))
process.exitCode = counts.failed > 0 ? 1 : 0
