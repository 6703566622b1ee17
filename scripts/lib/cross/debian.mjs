// Debian packages as data: resolved by a private apt state and unpacked, so that neither the machine's packages nor its architectures change.
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { dirname, isAbsolute, join, relative } from 'node:path'
import { has, need, once, Unavailable } from './cache.mjs'

const keyring = '/usr/share/keyrings/debian-archive-keyring.gpg'

/** Where this machine gets its Debian from, so that its mirror serves the foreign packages too. */
function mirror() {
  const sources = '/etc/apt/sources.list.d/debian.sources'
  const found = existsSync(sources) && /^URIs: *(\S+)/m.exec(readFileSync(sources, 'utf8'))
  if (!found) throw new Unavailable(`${sources} names no mirror of Debian`)
  return found[1]
}

/** apt's options for a state of its own in `folder`. */
function privateApt(folder, architecture) {
  return Object.entries({
    'APT::Architecture': architecture,
    'APT::Architectures': architecture,
    'APT::Install-Recommends': '0',
    'APT::Sandbox::User': 'root',
    'Debug::NoLocking': '1',
    'Dir::State::Lists': join(folder, 'lists'),
    'Dir::State::status': join(folder, 'status'),
    'Dir::Cache': join(folder, 'cache'),
    'Dir::Etc::sourcelist': join(folder, 'list'),
    'Dir::Etc::sourceparts': '/dev/null',
    'Dir::Etc::preferencesparts': '/dev/null',
  }).map(([key, value]) => `-o${key}=${value}`)
}

async function download(folder, { architecture, suite, packages, alone }) {
  for (const each of ['lists/partial', 'cache/archives/partial']) mkdirSync(join(folder, each), { recursive: true })
  writeFileSync(join(folder, 'status'), '')
  writeFileSync(join(folder, 'list'), `deb [signed-by=${keyring}] ${mirror()} ${suite} main\n`)
  const options = ['-q', ...privateApt(folder, architecture)]
  await need(`apt-get update (${suite}, ${architecture})`, 'apt-get', [...options, 'update'])
  const archives = join(folder, 'cache/archives')
  if (alone) {
    // `apt-get download` takes no dependencies; it writes into the current folder.
    await need(`packages ${packages.join(' ')}`, 'apt-get', [...options, 'download', ...packages], { cwd: archives })
  } else {
    await need(`packages ${packages.join(' ')}`, 'apt-get', [
      ...options,
      '-y',
      '--download-only',
      'install',
      ...packages,
    ])
  }
  return readdirSync(archives)
    .filter((name) => name.endsWith('.deb'))
    .map((name) => join(archives, name))
}

/** Links to absolute paths (a loader's of its library) would lead out of the tree, into this machine's own folders. */
function relativeLinks(folder) {
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isSymbolicLink()) continue
    const path = join(entry.parentPath ?? entry.path, entry.name)
    const target = readlinkSync(path)
    if (!isAbsolute(target)) continue
    rmSync(path)
    symlinkSync(relative(dirname(path), join(folder, target)), path)
  }
}

/**
 * A tree with these packages unpacked (and what they depend on, unless `alone`). No code of theirs is run.
 * @param {string} name the folder's name in the cache
 * @param {{ architecture: string, suite: string, packages: readonly string[], alone?: boolean }} wanted
 */
export async function tree(name, wanted) {
  if (!(await has('apt-get')) || !(await has('dpkg-deb')) || !existsSync(keyring)) {
    throw new Unavailable(`${wanted.packages[0]} comes from Debian, and this machine has no apt with Debian's keys`)
  }
  return once(name, async (folder) => {
    const state = join(folder, '.apt')
    // Merged /usr, as in Debian itself: packages of older suites bring real /lib folders.
    for (const each of ['lib', 'lib64', 'bin', 'sbin']) {
      mkdirSync(join(folder, 'usr', each), { recursive: true })
      symlinkSync(`usr/${each}`, join(folder, each))
    }
    for (const deb of await download(state, wanted)) {
      const unpack = 'dpkg-deb --fsys-tarfile "$1" | tar -x -C "$2" --keep-directory-symlink'
      await need(`unpacking ${deb}`, 'sh', ['-c', unpack, 'sh', deb, folder])
    }
    rmSync(state, { recursive: true })
    relativeLinks(folder)
  })
}

/** Copies a file between trees, making the folders on its way. */
export function copyInto(from, to) {
  mkdirSync(join(to, '..'), { recursive: true })
  copyFileSync(from, to)
}
