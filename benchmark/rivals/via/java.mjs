// How Java comes in: the first JDK of version 22 or newer (java.lang.foreign is final there), run from source.
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Child } from '../../harness/child.mjs'
import { Skip } from '../../harness/skip.mjs'
import { run } from '../../../scripts/lib/run.mjs'

const OLDEST = 22
const program = fileURLToPath(new URL('../../programs/Rival.java', import.meta.url))
/** Where distributions put them. */
const HOMES = '/usr/lib/jvm'

async function find() {
  const homes = existsSync(HOMES) ? readdirSync(HOMES).map((name) => join(HOMES, name, 'bin/java')) : []
  const home = process.env.JAVA_HOME === undefined ? [] : [join(process.env.JAVA_HOME, 'bin/java')]
  for (const java of [...home, 'java', ...homes.toSorted().toReversed()]) {
    const { code, output } = await run(java, ['-version'], { minutes: 1 })
    const version = /version "((\d+)[^"]*)"/.exec(output)
    if (code === 0 && Number(version?.[2]) >= OLDEST) return { java, version: version[1] }
  }
  throw new Skip(`no JDK of version ${OLDEST} or newer`)
}

/** `how`: buffer or segment. */
export async function javaRival(name, how) {
  const { java, version } = await find()
  return new Child(name, java, [program, how]).participant(`Java ${version}`, ['open', 'sum', 'increment'])
}
