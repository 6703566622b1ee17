// What mappings leave behind, and what they cost while they are there.
import test from 'ava'
import { linuxOnly, sparseProblem, survives, unless } from './helpers'

import type { ExecutionContext } from 'ava'

const terabyte = unless(sparseProblem(2 ** 40), test.serial)
const gigabytes = unless(sparseProblem(2 ** 30), test.serial)

for (const how of ['dropped', 'closed'] as const) {
  linuxOnly(`of 10,000 mappings that were opened and ${how} none is left, nor a descriptor`, async (t) => {
    const { left, descriptors, grown, most } = await survives(t, 'collect.mjs', [how, '10000'])
    t.is(left, 0)
    t.is(descriptors, 0)
    // The heap of V8 grows by a few areas; what was left of mappings would be thousands.
    t.true((grown as number) < 300, `${grown as number} areas more`)
    if (how === 'closed') t.is(most, 0)
    else t.true((most as number) > 0, 'what is not collected yet is mapped')
  })
}

terabyte('a million random windows of a terabyte leave memory flat', async (t) => {
  const { wrong, external, rounds } = await survives(t, 'windows.mjs', ['million', '1000000'])
  const [first, ...later] = rounds as number[]
  t.log(`external at most ${external as number}, memory after each quarter ${(rounds as number[]).join()}`)
  t.is(wrong, 0)
  t.true((external as number) < 160 << 20, `external ${external as number}`)
  for (const memory of later) t.true(memory - first! < 32 << 20, `from ${first} to ${memory}`)
})

terabyte('every method works all over a terabyte', async (t) => {
  t.is((await survives(t, 'windows.mjs', ['terabyte']))['wrong'], 0)
})

/** Without a cause in the mappings the engine may collect all the same (a busy machine, an idle moment): ours would be there every time. */
async function hundred(t: ExecutionContext, how: string): Promise<void> {
  let { major, external, sum } = await survives(t, 'windows.mjs', [how])
  for (let more = 0; more < 3 && major !== 0; more++)
    ({ major, external, sum } = await survives(t, 'windows.mjs', [how]))
  t.log(`${major as number} major GCs, external ${external as number}`)
  t.is(sum, 0)
  t.is(major, 0)
  t.true((external as number) < 64 << 20, `external ${external as number}`)
}

gigabytes('a hundred mappings of 100 MiB in use cause no major GC, and V8 counts less than 64 MiB for them', (t) =>
  hundred(t, 'hundred'),
)

gigabytes('nor do views of all of a hundred mappings of 100 MiB that stand on SharedArrayBuffers', (t) =>
  hundred(t, 'hundredShared'),
)
