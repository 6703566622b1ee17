// The packages as they are published: the main one, and one for each binary in a folder.
// `node scripts/pack.mjs --binaries FOLDER --out FOLDER [--all]`; `--all`: a promised platform without a binary is an error.
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import { notices } from './lib/crates.mjs'
import { prepare } from './lib/prepare.mjs'
import { root, run } from './lib/run.mjs'
import { table } from './lib/table.mjs'

const kibibyte = 1024
const binaryLimit = 600 * kibibyte
const mainLimit = 200 * kibibyte

const readJson = (path) => JSON.parse(readFileSync(path, 'utf8'))
const writeJson = (path, value) => writeFileSync(path, `${JSON.stringify(value, null, 2)}\n`)
export const platforms = () =>
  readdirSync(join(root, 'npm')).filter((name) => existsSync(join(root, 'npm', name, 'package.json')))

/** Fields that mean something to this repository only. */
const ours = ['scripts', 'devDependencies', 'napi', 'ava', 'tsd', 'overrides']

/** npm's provenance wants to see the repository that the workflow runs in. */
function withRepository(description) {
  const repository = process.env.GITHUB_REPOSITORY
  return repository
    ? { ...description, repository: { type: 'git', url: `git+https://github.com/${repository}.git` } }
    : description
}

/** Every file that `files` names; of a pattern that is a plain path, that file. */
function shipped(files) {
  return files.flatMap((pattern) => {
    if (!pattern.includes('*')) return existsSync(join(root, pattern)) ? [pattern] : []
    const [, folder, ending] = /^(.+?)\/\*\*\/\*(\..+)$/.exec(pattern)
    return readdirSync(join(root, folder), { recursive: true })
      .map((file) => join(folder, file))
      .filter((file) => file.endsWith(ending))
  })
}

/** The main package: what `files` names, its platform packages as optional dependencies, and nothing that runs at install. */
function stageMain(stage) {
  const description = readJson(join(root, 'package.json'))
  for (const field of ours) delete description[field]
  description.optionalDependencies = Object.fromEntries(
    platforms().map((name) => [readJson(join(root, 'npm', name, 'package.json')).name, description.version]),
  )
  for (const file of [...shipped(description.files), 'LICENSE', 'README.md'].filter((each) =>
    existsSync(join(root, each)),
  )) {
    mkdirSync(join(stage, dirname(file)), { recursive: true })
    copyFileSync(join(root, file), join(stage, file))
  }
  writeJson(join(stage, 'package.json'), withRepository(description))
}

/** A platform package: the binary, and the licences of what was linked into it. */
function stagePlatform(stage, name, binary, licences) {
  cpSync(join(root, 'npm', name), stage, { recursive: true })
  const description = readJson(join(stage, 'package.json'))
  description.version = readJson(join(root, 'package.json')).version
  writeJson(join(stage, 'package.json'), withRepository(description))
  copyFileSync(binary, join(stage, description.main))
  writeFileSync(join(stage, 'LICENSE'), `${readFileSync(join(root, 'LICENSE'), 'utf8')}\n${licences}`)
}

async function packStage(stage, out) {
  const answer = await run(
    'npm',
    ['pack', '--json', '--ignore-scripts', '--loglevel=error', '--pack-destination', out],
    { cwd: stage },
  )
  if (answer.code !== 0) throw new Error(`npm pack failed in ${stage}:\n${answer.output}`)
  // npm 11 gives a list, npm 12 an object by name.
  const [{ filename, files, size }] = Object.values(JSON.parse(answer.stdout))
  return { file: join(out, filename), files: files.map(({ path }) => path), size }
}

function checkMain({ size, files }) {
  const foreign = files.filter((path) => /(^|\/)(__test__|scripts|src|benchmark)\/|\.node$|\.(?<!d\.)ts$/.test(path))
  if (foreign.length > 0) throw new Error(`the main package holds ${foreign.join(', ')}`)
  if (size > mainLimit) throw new Error(`the tarball of the main package is ${size} bytes, more than ${mainLimit}`)
}

/**
 * @param {{ binaries: string, out: string, all?: boolean }} options
 * @returns {Promise<{ name: string, file: string, size: number }[]>} the tarballs, the main one last: it is published when the others are there
 */
export async function pack({ binaries, out, all = false }) {
  rmSync(out, { recursive: true, force: true })
  mkdirSync(out, { recursive: true })
  const licences = await notices()
  const packed = []
  for (const name of platforms()) {
    const binary = join(binaries, `memmap.${name}.node`)
    if (!existsSync(binary)) {
      if (all) throw new Error(`no binary for ${name}: ${binary}`)
      continue
    }
    if (statSync(binary).size > binaryLimit) throw new Error(`${binary} is larger than ${binaryLimit} bytes`)
    const stage = join(out, 'stage', name)
    stagePlatform(stage, name, binary, licences)
    packed.push({ name: `memmap-${name}`, ...(await packStage(stage, out)), size: statSync(binary).size })
  }
  const stage = join(out, 'stage/main')
  mkdirSync(stage, { recursive: true })
  stageMain(stage)
  const whole = await packStage(stage, out)
  checkMain(whole)
  packed.push({ name: 'memmap', ...whole })
  rmSync(join(out, 'stage'), { recursive: true })
  return packed
}

async function main() {
  const { values } = parseArgs({
    options: {
      binaries: { type: 'string', default: '.' },
      out: { type: 'string', default: 'target/packages' },
      all: { type: 'boolean' },
    },
  })
  const failed = await prepare()
  if (failed) throw new Error(failed)
  const packed = await pack({ binaries: resolve(values.binaries), out: resolve(values.out), all: values.all })
  console.log(
    table(
      ['package', 'bytes', 'tarball'],
      packed.map(({ name, size, file }) => [name, size, file]),
    ),
  )
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  main().catch((error) => {
    console.error(error.message)
    process.exitCode = 1
  })
}
