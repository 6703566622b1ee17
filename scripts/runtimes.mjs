// The engines that memmap is tested on, as real binaries out of npm packages, kept outside the repository.
// `node scripts/runtimes.mjs [name...]` prints where each one is; `runtime(name)` is the same for scripts.
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { isOlder } from './lib/requirements.mjs'
import { run } from './lib/run.mjs'
import { table } from './lib/table.mjs'

const { platform, arch } = process
const exe = platform === 'win32' ? '.exe' : ''
const cache = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'memmap', 'runtimes')
/** How long a newest version stays the newest before the registry is asked again. */
const freshDays = 7

/** Where each runtime comes from: npm package, wanted version, the binary inside it. */
const sources = {
  ...Object.fromEntries(
    [20, 22, 24, 26].map((major) => [
      `node${major}`,
      {
        package: `node-${platform === 'win32' ? 'win' : platform}-${arch === 'ia32' ? 'x86' : arch}`,
        wanted: String(major),
        binary: `bin/node${exe}`,
      },
    ]),
  ),
  bun: {
    package: `@oven/bun-${platform === 'win32' ? 'windows' : platform}-${arch === 'arm64' ? 'aarch64' : arch}`,
    wanted: 'latest',
    binary: `bin/bun${exe}`,
  },
  deno: {
    package: `@deno/${platform}-${arch}${platform === 'linux' ? '-glibc' : ''}`,
    wanted: 'latest',
    binary: `deno${exe}`,
  },
}

export const names = Object.keys(sources)

/** The newest version that the registry has of what is wanted. */
async function newest({ package: name, wanted }) {
  const answer = await run('npm', ['view', `${name}@${wanted}`, 'version', '--json', '--loglevel=error'], {
    minutes: 2,
  })
  if (answer.code !== 0) throw new Error(`the registry has no ${name}@${wanted} or cannot be reached`)
  // One version comes as a string, several as a list in the order they were published in.
  const versions = [JSON.parse(answer.stdout)].flat()
  return versions.reduce((best, version) => (isOlder(best, version) ? version : best))
}

/** Fetches and unpacks one version; a broken download never stands under its final name. */
async function fetchInto(folder, { package: name, binary }, version) {
  mkdirSync(cache, { recursive: true })
  const work = mkdtempSync(join(cache, '.fetch-'))
  try {
    const pack = await run('npm', ['pack', `${name}@${version}`, '--silent', '--pack-destination', work], {
      minutes: 10,
    })
    if (pack.code !== 0) throw new Error(`${name}@${version} could not be fetched`)
    const tarball = readdirSync(work).find((file) => file.endsWith('.tgz'))
    const unpack = await run('tar', ['-xzf', tarball], { cwd: work })
    if (unpack.code !== 0 || !existsSync(join(work, 'package', binary)))
      throw new Error(`${tarball} holds no ${binary}`)
    mkdirSync(join(folder, '..'), { recursive: true })
    // Another process may have been faster: its copy is as good.
    if (!existsSync(folder)) renameSync(join(work, 'package'), folder)
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
}

/** Versions of `name` in the cache, newest first. */
function cached(name) {
  const folder = join(cache, name)
  if (!existsSync(folder)) return []
  const versions = readdirSync(folder).filter((entry) => /^\d/.test(entry))
  return versions.toSorted((a, b) => (isOlder(a, b) ? 1 : -1))
}

/** The version to use: asked of the registry once a week, and without a network the newest that is here. */
async function choose(name) {
  const note = join(cache, name, 'newest.json')
  const [here] = cached(name)
  if (here && existsSync(note)) {
    const { version, asked } = JSON.parse(readFileSync(note, 'utf8'))
    if (Date.now() - asked < freshDays * 86_400_000 && cached(name).includes(version)) return version
  }
  try {
    const version = await newest(sources[name])
    await fetchInto(join(cache, name, version), sources[name], version)
    writeFileSync(note, JSON.stringify({ version, asked: Date.now() }))
    return version
  } catch (error) {
    if (here) return here
    throw error
  }
}

/**
 * @param {string} name one of `names`
 * @returns {Promise<{ name: string, version: string, path: string } | { name: string, skip: string }>}
 */
export async function runtime(name) {
  if (!sources[name]) throw new RangeError(`no such runtime: ${name} (there are ${names.join(', ')})`)
  let version
  try {
    version = await choose(name)
  } catch (error) {
    return { name, skip: error.message }
  }
  const path = join(cache, name, version, sources[name].binary)
  const hello = await run(path, ['--version'], { minutes: 1 })
  if (hello.code !== 0 || hello.problem) {
    return {
      name,
      skip: `${name} ${version} does not start here: ${hello.problem || hello.output.trim().split('\n')[0]}`,
    }
  }
  return { name, version, path }
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const rows = []
  for (const name of process.argv.length > 2 ? process.argv.slice(2) : names) {
    const found = await runtime(name)
    rows.push([name, found.version ?? '-', found.path ?? `skipped: ${found.skip}`])
  }
  console.log(table(['runtime', 'version', 'path'], rows))
}
