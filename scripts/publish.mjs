// Publishes what scripts/pack.mjs packs, with provenance; run by the release workflow for a tag.
// `node scripts/publish.mjs --binaries FOLDER --tag v1.2.3 [--by-hand] [--dry-run]`; `--by-hand`: without provenance, which npm makes in CI only
// (docs/contributing.md says when).
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { prepare } from './lib/prepare.mjs'
import { root, run } from './lib/run.mjs'
import { sbom } from './lib/sbom.mjs'
import { pack } from './pack.mjs'

const { values } = parseArgs({
  options: {
    binaries: { type: 'string', default: '.' },
    tag: { type: 'string' },
    'by-hand': { type: 'boolean', default: false },
    'dry-run': { type: 'boolean', default: false },
  },
})
const description = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
if (values.tag !== `v${description.version}`)
  throw new Error(`the tag is ${values.tag} and package.json says ${description.version}`)

const failed = await prepare()
if (failed) throw new Error(failed)
const packed = await pack({ binaries: resolve(values.binaries), out: join(root, 'target/packages'), all: true })
mkdirSync(join(root, 'target/sbom'), { recursive: true })
writeFileSync(join(root, 'target/sbom/memmap.cdx.json'), `${JSON.stringify(await sbom(description), null, 2)}\n`)

// The main package is the last: whoever gets it finds all the others.
for (const { name, file } of packed) {
  const there = await run('npm', ['view', `${name}@${description.version}`, 'version', '--loglevel=error'], {
    minutes: 2,
  })
  if (there.code === 0 && there.stdout.trim()) {
    console.log(`${name} ${description.version} is published already`)
    continue
  }
  const provenance = values['by-hand'] || values['dry-run'] ? [] : ['--provenance']
  const dry = values['dry-run'] ? ['--dry-run'] : []
  const tag = description.version.includes('-') ? ['--tag', 'next'] : []
  const answer = await run('npm', ['publish', file, '--access', 'public', ...provenance, ...dry, ...tag], {
    minutes: 5,
    show: true,
  })
  if (answer.code !== 0) throw new Error(`npm publish ${name} failed`)
}
