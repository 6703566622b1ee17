// How rivals out of npm come in: benchmark/package.json names them, all of them optional.
import { createRequire } from 'node:module'
import { versionOf } from '../../harness/provide.mjs'
import { Skip } from '../../harness/skip.mjs'

const require = createRequire(import.meta.url)

/** The module and its version, or a Skip that says why not. */
export function fromNpm(name) {
  const version = versionOf(name)
  if (version === undefined)
    throw new Skip(`npm could not install it here (npm install --prefix benchmark ${name} says why)`)
  try {
    return { version, module: require(name) }
  } catch (error) {
    throw new Skip(`${version} does not load on ${process.version}: ${error.message.split('\n')[0]}`)
  }
}
