// electron-builder and Electron Forge, with the settings of examples/electron, over an Electron that is here already: neither fetches one.
import { cpSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { need, once, Unavailable } from './cross/cache.mjs'
import { layApp } from './electron-app.mjs'
import { root, run } from './run.mjs'
import { runtime } from '../runtimes.mjs'

const example = join(root, 'examples/electron')

/** The version of a package that the example names, in the cache. */
async function tool(name) {
  const { devDependencies } = JSON.parse(readFileSync(join(example, 'package.json'), 'utf8'))
  const range = devDependencies[name]
  const folder = `${name.replace('/', '-')}-${range.replace(/\W/, '')}`
  const modules = await once(folder, (scratch) => {
    const args = ['--prefix', scratch, '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error']
    return need(name, 'npm', ['install', ...args, `${name}@${range}`])
  })
  return join(modules, 'node_modules', name)
}

function onLinuxOnly() {
  if (process.platform !== 'linux') throw new Unavailable('packagers are tried on Linux')
}

/** A packager that fails is a failure, unlike one that cannot be fetched. */
async function pack(name, args, cwd, node = process.execPath) {
  const result = await run(node, args, { cwd, minutes: 10 })
  if (result.code !== 0 || result.problem) throw new Error(`${name}: ${result.problem || result.output}`)
}

/**
 * @param {string} electron the program of an unpacked Electron
 * @param {string} version its version
 * @returns {Promise<string>} the program of the packaged app
 */
export async function packWithBuilder(scratch, electron, version) {
  onLinuxOnly()
  const cli = join(await tool('electron-builder'), 'cli.js')
  const app = mkdtempSync(join(scratch, 'builder-'))
  const { build } = JSON.parse(readFileSync(join(example, 'package.json'), 'utf8'))
  // Of all settings, only the list of the example's own files does not hold for another app.
  layApp(app, { build: { ...build, files: ['**/*'], electronDist: dirname(electron), electronVersion: version } })
  await pack('electron-builder', [cli, '--dir', '--publish=never'], app)
  const folder = readdirSync(join(app, 'dist')).find((each) => each.endsWith('-unpacked'))
  return join(app, 'dist', folder, 'packaged')
}

/** The same by Electron Forge. */
export async function packWithForge(scratch, electron, version) {
  onLinuxOnly()
  const cli = join(await tool('@electron-forge/cli'), 'dist/electron-forge.js')
  const app = mkdtempSync(join(scratch, 'forge-'))
  layApp(app, { devDependencies: { electron: version } })
  // Forge reads the version that is installed.
  mkdirSync(join(app, 'node_modules/electron'))
  writeFileSync(join(app, 'node_modules/electron/package.json'), JSON.stringify({ name: 'electron', version }))
  const zips = mkdtempSync(join(scratch, 'zips-'))
  const zip = join(zips, `electron-v${version}-linux-${process.arch}.zip`)
  await need('zip', 'python3', ['-m', 'zipfile', '-c', zip, ...readdirSync(dirname(electron))], {
    cwd: dirname(electron),
  })
  cpSync(join(example, 'forge.config.cjs'), join(app, 'example.config.cjs'))
  const config = `const config = require('./example.config.cjs')
config.packagerConfig.electronZipDir = ${JSON.stringify(zips)}
module.exports = config
`
  writeFileSync(join(app, 'forge.config.cjs'), config)
  // Forge 8 needs Node 22; before 8, npm has to fetch a part of it from GitHub.
  const node = await runtime('node22')
  if (node.path === undefined) throw new Unavailable(node.skip)
  await pack('electron-forge', [cli, 'package'], app, node.path)
  return join(app, `out/packaged-linux-${process.arch}`, 'packaged')
}
