// Workers end with mappings open; what they mapped goes with them, and the process stays.
import test from 'ava'
import { survives } from './helpers'

const jobs = {
  idle: 'comes to its end',
  spinning: 'is terminated in a loop over a view',
  flushing: 'is terminated with flushes pending',
  opening: 'is terminated while it opens files',
  throwing: 'dies of an exception',
  exiting: 'calls process.exit',
  faulting: 'is terminated after a fault',
  closing: 'closes everything and ends',
} as const

for (const [job, ends] of Object.entries(jobs)) {
  test.serial(`a worker that ${ends} leaves nothing mapped, and the others’ mappings alone`, async (t) => {
    const result = await survives(t, 'ended-workers.mjs', ['before', job])
    t.is(result['error'], job === 'throwing' ? 'on purpose' : null)
    t.true(result['works'])
    t.is(result['left'], 0)
  })

  test.serial(`the add-on loaded only in a worker that ${ends} does no harm, and loads again`, async (t) => {
    const result = await survives(t, 'ended-workers.mjs', ['alone', job])
    t.is(result['error'], job === 'throwing' ? 'on purpose' : null)
    t.is(result['between'], 0)
    t.is(result['again'], null)
    t.true(result['works'])
    t.is(result['left'], 0)
  })
}
