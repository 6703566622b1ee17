// `npm start`: from a clone to a report about a real file, with nothing installed before but Node and Rust.
import { nodeProblem } from './lib/requirements.mjs'

function fail(sentence) {
  console.error(sentence)
  process.exitCode = 1
}

// Imported only now: these files use what old versions of Node cannot even parse.
function start() {
  return import('./lib/prepare.mjs')
    .then((steps) => steps.prepare())
    .then((failed) =>
      failed ? fail(failed) : import('../examples/report.js').then((example) => example.default.main()),
    )
}

const problem = nodeProblem()
if (problem) fail(problem)
else start().catch((error) => fail(error.stack))
