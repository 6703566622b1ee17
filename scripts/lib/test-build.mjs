// The add-on with test hooks (`npm run build:test`): the handler's delays, external buffers that are refused, a C ABI.
import { existsSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { filesIn } from './prepare.mjs'
import { root, run } from './run.mjs'

const folder = join(root, 'target/test-hooks/addon')

function built() {
  const name = existsSync(folder) ? readdirSync(folder).find((each) => each.endsWith('.node')) : undefined
  return name && join(folder, name)
}

/** Its path; built when it is not there or older than the sources. */
export async function testBuild() {
  const there = built()
  const newest = Math.max(...filesIn('src', '.rs').map((path) => statSync(path).mtimeMs))
  if (there && statSync(there).mtimeMs >= newest) return there
  console.log('Building the native core with test hooks (npm run build:test) ...')
  const result = await run('npm', ['run', 'build:test'], { minutes: 30 })
  if (result.code !== 0) throw new Error(`npm run build:test failed\n${result.output}`)
  return built()
}
