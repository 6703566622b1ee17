// `npm test`: everything that is held to be true about this repository, in one table. The last line is the count.
// `node scripts/test.mjs --only ava,cargo` runs some steps, `--list` names them all.
import { nodeProblem } from './lib/requirements.mjs'

const problem = nodeProblem()
if (problem) {
  console.error(problem)
  console.log('0 passed, 1 failed')
  process.exitCode = 1
} else {
  // Imported only now: these files use what old versions of Node cannot even parse.
  import('./lib/checks.mjs')
    .then((checks) => checks.main(process.argv.slice(2)))
    .then((ok) => {
      process.exitCode = ok ? 0 : 1
    })
    .catch((error) => {
      console.error(error.stack)
      console.log('0 passed, 1 failed')
      process.exitCode = 1
    })
}
