// What package.json promises, what npm/ publishes, what the loader knows and what scripts/cross-build.mjs builds are one list.
import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import test from 'ava'
import { published } from '../lib/native-help'

interface Target {
  name: string
  platform: string
  rust: string
  glibc?: string
}
interface Targets {
  targets: Record<string, Omit<Target, 'name'>>
  find(name: string): Target
  promised(): string[]
}
/** Scripts are ES modules without types. */
const scripts = (file: string) =>
  import(pathToFileURL(join(__dirname, '..', 'scripts/lib/cross', file)).href) as Promise<unknown>
const load = async () => (await scripts('targets.mjs')) as Targets
const npm = join(__dirname, '../npm')

test('every promised target is built, published and known to the loader', async (t) => {
  const { promised, find, targets } = await load()
  const platforms = promised().map((triple) => find(triple).platform)
  t.deepEqual(
    promised().map((triple) => find(triple).rust),
    promised(),
  )
  t.deepEqual(platforms.toSorted(), readdirSync(npm).toSorted())
  t.deepEqual(platforms.toSorted(), [...published].toSorted())
  t.deepEqual([...new Set(Object.values(targets).map(({ platform }) => platform))].toSorted(), platforms.toSorted())
})

test('a target is found by its own name before the platform that it is built for', async (t) => {
  const { find, targets } = await load()
  for (const name of Object.keys(targets)) t.is(find(name).name, name)
  t.is(find('aarch64-apple-darwin').name, 'darwin-arm64')
  t.is(find('x86_64-unknown-linux-gnu.2.28').glibc, '2.28')
  t.throws(() => find('sparc'), { instanceOf: RangeError, message: /no such target: sparc/ })
})

test('each platform package holds one binary, for one system, and nothing that runs', (t) => {
  const { version } = JSON.parse(readFileSync(join(npm, '../package.json'), 'utf8')) as { version: string }
  for (const name of readdirSync(npm)) {
    const manifest = JSON.parse(readFileSync(join(npm, name, 'package.json'), 'utf8')) as Record<string, unknown>
    t.is(manifest['name'], `memmap-${name}`)
    t.is(manifest['version'], version)
    t.deepEqual(manifest['files'], [`memmap.${name}.node`])
    t.is(manifest['main'], `memmap.${name}.node`)
    const [system, processor, library] = name.split('-') as [string, string, string | undefined]
    t.deepEqual([manifest['os'], manifest['cpu']], [[system], [processor]])
    if (system === 'linux') t.deepEqual(manifest['libc'], [library === 'musl' ? 'musl' : 'glibc'])
    for (const field of ['scripts', 'dependencies', 'gypfile']) t.false(field in manifest, `${name}: ${field}`)
  }
})
