// What Electron is started with: a packaged app that tests itself, and the example beside the package of this repository.
import { cpSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { need, once } from './cross/cache.mjs'
import { root } from './run.mjs'

/** @electron/asar 4 needs Node 22. */
const packer = '3.4.1'

/** Add-ons in this folder that are for this system, as the names of their packages end. */
function addons() {
  return readdirSync(root)
    .map((name) => /^memmap\.(.+)\.node$/.exec(name)?.[1])
    .filter((name) => {
      if (!name) return false
      const { os, cpu } = JSON.parse(readFileSync(join(root, 'npm', name, 'package.json'), 'utf8'))
      return os.includes(process.platform) && cpu.includes(process.arch)
    })
}

/** The package as npm would install it: without its sources, the binary in a package of its own, which it names. */
function installInto(modules) {
  const memmap = join(modules, 'memmap')
  mkdirSync(memmap, { recursive: true })
  for (const name of ['index.js', 'binding.js']) cpSync(join(root, name), join(memmap, name))
  const filter = (path) => !basename(path).includes('.') || path.endsWith('.js')
  cpSync(join(root, 'lib'), join(memmap, 'lib'), { recursive: true, filter })
  const { devDependencies: _, scripts: __, ...manifest } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  const optionalDependencies = Object.fromEntries(addons().map((name) => [`memmap-${name}`, manifest.version]))
  writeFileSync(join(memmap, 'package.json'), JSON.stringify({ ...manifest, optionalDependencies }))
  for (const name of addons()) {
    const folder = join(modules, `memmap-${name}`)
    mkdirSync(folder)
    cpSync(join(root, 'npm', name, 'package.json'), join(folder, 'package.json'))
    cpSync(join(root, `memmap.${name}.node`), join(folder, `memmap.${name}.node`))
  }
  return manifest.version
}

/**
 * An app whose program is __test__/electron/packaged.cjs, as it is before it is packed.
 * @param {object} [more] for its package.json
 */
export function layApp(app, more = {}) {
  for (const name of ['data', 'kept']) mkdirSync(join(app, name), { recursive: true })
  cpSync(join(root, '__test__/electron/packaged.cjs'), join(app, 'packaged.cjs'))
  for (const name of ['preload.cjs', 'renderer.html', 'renderer.cjs']) {
    cpSync(join(root, 'examples/electron', name), join(app, 'page', name))
  }
  writeFileSync(join(app, 'kept/inside.bin'), 'inside')
  writeFileSync(join(app, 'data/outside.bin'), 'outside')
  const version = installInto(join(app, 'node_modules'))
  const manifest = { name: 'packaged', version: '1.0.0', main: 'packaged.cjs', dependencies: { memmap: version } }
  writeFileSync(join(app, 'package.json'), JSON.stringify({ ...manifest, ...more }))
}

/** @returns {Promise<string>} the path of app.asar */
export async function packApp(folder) {
  const tool = await once(`asar-${packer}`, (scratch) => {
    const args = ['--prefix', scratch, '--no-audit', '--no-fund', '--loglevel=error', `@electron/asar@${packer}`]
    return need(`@electron/asar ${packer}`, 'npm', ['install', ...args])
  })
  const app = join(folder, 'app')
  layApp(app)
  const archive = join(folder, 'app.asar')
  const bin = join(tool, 'node_modules/@electron/asar/bin/asar.js')
  await need('asar', process.execPath, [bin, 'pack', app, archive, '--unpack', '{**/*.node,**/data/**}'])
  return archive
}

/** @returns {string} the example's folder, where it finds this package as its dependency */
export function copyExample(folder) {
  const example = mkdtempSync(join(folder, 'example-'))
  cpSync(join(root, 'examples/electron'), example, { recursive: true })
  mkdirSync(join(example, 'node_modules'))
  symlinkSync(root, join(example, 'node_modules/memmap'), 'junction')
  return example
}
