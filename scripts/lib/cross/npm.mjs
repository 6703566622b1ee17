// Tools and runtimes that come as npm packages.
import { existsSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { isOlder } from '../requirements.mjs'
import { need, once } from './cache.mjs'

/** The newest version of what is wanted. */
async function newest(name, wanted) {
  const view = await need(`${name}@${wanted}`, 'npm', [
    'view',
    `${name}@${wanted}`,
    'version',
    '--json',
    '--loglevel=error',
  ])
  const versions = [JSON.parse(view.stdout)].flat()
  return versions.reduce((best, each) => (isOlder(best, each) ? each : best))
}

/**
 * The folder of an unpacked package. `wanted` is what `npm view` understands, as a major or a version.
 * @param {readonly string[]} dependencies what it needs to run, for packages that do not bring it along
 */
export async function npmPackage(name, wanted, dependencies = []) {
  const version = await newest(name, wanted)
  return once(`${name.replace('/', '+')}-${version}`, async (scratch) => {
    await need(`${name}@${version}`, 'npm', ['pack', '--silent', `${name}@${version}`], { cwd: scratch })
    const [tarball] = readdirSync(scratch)
    // Some packages (Node's own) name their top folder otherwise than `package`.
    await need(tarball, 'tar', ['-xzf', tarball, '--strip-components=1'], { cwd: scratch })
    rmSync(join(scratch, tarball))
    if (dependencies.length === 0) return
    const manifest = join(scratch, 'package.json')
    const aside = join(scratch, 'package.json.aside')
    renameSync(manifest, aside)
    writeFileSync(manifest, '{}')
    await need(
      `what ${name} needs`,
      'npm',
      ['install', '--no-audit', '--no-fund', '--loglevel=error', ...dependencies],
      { cwd: scratch },
    )
    if (existsSync(manifest)) rmSync(manifest)
    renameSync(aside, manifest)
  })
}

/** A Node of another platform. */
export async function npmNode(name, wanted, binary = 'bin/node') {
  return join(await npmPackage(name, wanted), binary)
}
