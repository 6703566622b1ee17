// What a machine must have before anything can be installed or built, each absence said in one sentence.
// Written in the syntax of old Node versions on purpose: a Node that is too old must get as far as saying so.
import { spawnSync } from 'child_process'
import { existsSync, readFileSync } from 'fs'
import { homedir } from 'os'
import { delimiter, join } from 'path'
import { fileURLToPath } from 'url'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** Is version `a` ("1.95.0") older than `b` ("1.88")? */
export function isOlder(a, b) {
  const left = a.split('.').map(Number)
  const right = b.split('.').map(Number)
  for (let i = 0; i < right.length; i++) {
    if ((left[i] || 0) !== right[i]) return (left[i] || 0) < right[i]
  }
  return false
}

/** A sentence when this Node is older than package.json asks for, else ''. */
export function nodeProblem(version = process.versions.node) {
  const wanted = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).engines.node.replace('>=', '')
  if (!isOlder(version, wanted)) return ''
  return 'memmap needs Node.js ' + wanted + ' or newer and this is ' + version + ': install it from https://nodejs.org'
}

/** rustup puts cargo where a shell that was open before does not look. */
function cargoOnPath() {
  const bin = join(homedir(), '.cargo', 'bin')
  const onPath = process.env.PATH || ''
  if (existsSync(bin) && !onPath.split(delimiter).includes(bin)) process.env.PATH = onPath + delimiter + bin
}

/** A sentence when the native core cannot be compiled here, else ''. */
export function rustProblem() {
  cargoOnPath()
  const wanted = /rust-version = "(.+)"/.exec(readFileSync(join(root, 'Cargo.toml'), 'utf8'))[1]
  const found = spawnSync('cargo', ['--version'], { encoding: 'utf8', cwd: root })
  if (found.error || found.status !== 0) {
    return (
      'cargo was not found, and memmap compiles its native core: install Rust ' +
      wanted +
      ' or newer from https://rustup.rs'
    )
  }
  const version = (/cargo (\d+\.\d+(\.\d+)?)/.exec(found.stdout) || [])[1]
  if (version && isOlder(version, wanted)) {
    return 'memmap needs Rust ' + wanted + ' or newer and this is ' + version + ': run `rustup update stable`'
  }
  if (process.platform !== 'win32' && spawnSync('cc', ['--version']).error) {
    return 'cc was not found, which Rust links with: install a C compiler (Debian: apt install gcc libc6-dev, macOS: xcode-select --install)'
  }
  return ''
}
