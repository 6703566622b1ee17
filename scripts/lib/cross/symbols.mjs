// What a Linux binary asks of the C library it will be loaded beside.
import { isOlder } from '../requirements.mjs'
import { need } from './cache.mjs'

/**
 * Symbols newer than the oldest supported glibc become *unversioned* undefined symbols when zig links against that glibc: such a
 * binary links, and fails in dlopen on old systems. Weak ones are looked up by the Rust standard library, which copes.
 * @param {string} dump `readelf --dyn-syms --wide`
 */
export function read(dump) {
  const unversioned = []
  let newest = ''
  for (const line of dump.split('\n')) {
    // Num: Value Size Type Bind Vis Ndx Name; ppc64le prints its local entry offset before Ndx.
    const fields = line.trim().split(/\s+/)
    const index = fields.indexOf('UND')
    const name = fields[index + 1]
    if (index < 6 || !name) continue
    const version = /@GLIBC_(\d+(?:\.\d+)+)/.exec(name)
    if (version && (!newest || isOlder(newest, version[1]))) newest = version[1]
    if (!name.includes('@') && fields[4] === 'GLOBAL') unversioned.push(name)
  }
  return { unversioned, newest }
}

/**
 * @param {string} file
 * @param {string} oldest the glibc that it must load on
 * @returns {Promise<string[]>} what is wrong, and the newest version asked for
 */
export async function check(file, oldest) {
  const { stdout } = await need('readelf (binutils)', 'readelf', ['--dyn-syms', '--wide', file], { minutes: 1 })
  const { unversioned, newest } = read(stdout)
  const problems = unversioned.map((name) => `${name} has no version`)
  if (newest && isOlder(oldest, newest)) problems.push(`needs GLIBC_${newest}`)
  // Every binary here calls malloc: a table without one version was not understood.
  if (!newest) problems.push('no versioned symbol found')
  return { problems, newest }
}
