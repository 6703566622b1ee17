// The package as a user gets it: packed, installed into an empty project, and used from there.
import { execFile } from 'node:child_process'
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import test from 'ava'

import { inspectSystem } from '../lib/native-help'
import { onWindows, unless } from './helpers'

const root = join(__dirname, '..')
const execute = promisify(execFile)

const folder = mkdtempSync(join(tmpdir(), 'memmap-package-'))
const project = join(folder, 'project')

interface Packed {
  readonly filename: string
  readonly size: number
  readonly files: readonly { readonly path: string }[]
}
let main: Packed

/** npm in `cwd`, away from the registry: what a package without dependencies needs is on this disk. */
async function npm(cwd: string, ...args: string[]): Promise<string> {
  const { stdout } = await execute('npm', [...args, '--offline', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd,
    shell: onWindows,
    // `npm test` hands its own settings down to npm in its children.
    env: {
      ...process.env,
      npm_config_ignore_scripts: 'true',
      npm_config_prefix: undefined,
      npm_config_local_prefix: undefined,
    },
  })
  return stdout
}

async function pack(from: string): Promise<Packed> {
  // One array of results up to npm 11, an object by package names in later ones.
  const answer: unknown = JSON.parse(await npm(from, 'pack', '--json', '--pack-destination', folder))
  return Object.values(answer as object)[0] as Packed
}

/** The folder in npm/ whose package this machine would install, with the binary that was built here. */
function platformPackage(): string {
  const report = process.report.getReport() as unknown as { header: { glibcVersionRuntime?: string } }
  const libc = report.header.glibcVersionRuntime ? 'glibc' : 'musl'
  const fits = readdirSync(join(root, 'npm')).find((name) => {
    const manifest = JSON.parse(readFileSync(join(root, 'npm', name, 'package.json'), 'utf8'))
    const suits = manifest.os.includes(process.platform) && manifest.cpu.includes(process.arch)
    return suits && (!manifest.libc || manifest.libc.includes(libc)) && existsSync(join(root, manifest.main))
  })
  if (!fits) throw new Error(`no package in npm/ with a built binary for ${process.platform} ${process.arch}`)
  return fits
}

test.before('pack the package and its binary, install both into an empty project', async () => {
  const platform = join(folder, 'platform')
  cpSync(join(root, 'npm', platformPackage()), platform, { recursive: true })
  const manifest = JSON.parse(readFileSync(join(platform, 'package.json'), 'utf8'))
  copyFileSync(join(root, manifest.main), join(platform, manifest.main))
  main = await pack(root)
  const binary = await pack(platform)
  mkdirSync(project)
  writeFileSync(join(project, 'package.json'), JSON.stringify({ name: 'empty', private: true }))
  await npm(project, 'install', join(folder, main.filename), join(folder, binary.filename))
  writeFileSync(join(project, 'data.bin'), 'some bytes')
})
test.after.always(() => rmSync(folder, { recursive: true, force: true }))

/** Runs a program in the project and gives what it printed. */
async function runs(name: string, source: string): Promise<string> {
  writeFileSync(join(project, name), source)
  const { stdout } = await execute(process.execPath, [name], { cwd: project })
  return stdout.trim()
}

test('the tarball holds what runs and what types it, and nothing else', (t) => {
  const known = /^(package\.json|README\.md|LICENSE|CHANGELOG\.md|(index|binding|lib\/.+)\.(js|d\.ts))$/
  const paths = main.files.map(({ path }) => path)
  t.deepEqual(
    paths.filter((path) => !known.test(path)),
    [],
  )
  // What can be imported has its types beside it.
  for (const path of paths.filter((each) => each.endsWith('.js') && !each.startsWith('lib/bundled-'))) {
    t.true(paths.includes(path.replace(/\.js$/, '.d.ts')), `${path} has no types`)
    if (path !== 'binding.js') t.true(existsSync(join(root, path.replace(/\.js$/, '.ts'))), `${path} has no source`)
  }
  for (const path of ['LICENSE', 'README.md', 'CHANGELOG.md', 'index.js', 'binding.js'])
    t.true(paths.includes(path), path)
})

test('the main package is small, and so is the binary of this toolchain', (t) => {
  t.true(main.size <= 200 * 1024, `${main.size} bytes`)
  const manifest = JSON.parse(readFileSync(join(root, 'npm', platformPackage(), 'package.json'), 'utf8'))
  const binary = statSync(join(root, manifest.main)).size
  // A stable toolchain links its prebuilt standard library with the symboliser of backtraces (about 200 KiB). Released binaries are built with
  // the standard library (scripts/cross-build), which holds them to 600 KiB each.
  t.true(binary <= 1280 * 1024, `${binary} bytes`)
})

test('installing runs no script and brings nothing along', (t) => {
  const manifest = JSON.parse(readFileSync(join(project, 'node_modules/memmap/package.json'), 'utf8'))
  for (const script of ['preinstall', 'install', 'postinstall', 'prepare']) t.is(manifest.scripts?.[script], undefined)
  t.is(manifest.dependencies, undefined)
  const installed = readdirSync(join(project, 'node_modules')).filter((name) => !name.startsWith('.'))
  t.is(installed.length, 2)
  t.true(installed.every((name) => name.startsWith('memmap')))
})

test('CommonJS can require it', async (t) => {
  const source = `
    const { MappedFile } = require('memmap')
    const file = MappedFile.openSync('data.bin')
    console.log(file.bytes.toString(), require('memmap/posix').PROT_READ, require('memmap/package.json').name)
    file.close()`
  t.regex(await runs('main.cjs', source), /^some bytes \d+ memmap$/)
})

test('ESM imports its names, and they are the classes that require gives', async (t) => {
  const source = `
    import { createRequire } from 'node:module'
    import { AnonymousMemory, MappedFile, Mapping } from 'memmap'
    import { Prot, PROT_READ } from 'memmap/posix'
    const file = await MappedFile.open('data.bin')
    const same = createRequire(import.meta.url)('memmap').MappedFile === MappedFile
    console.log(file.bytes.toString(), same, file instanceof Mapping, typeof AnonymousMemory, Prot.PROT_READ === PROT_READ)
    file.close()`
  t.is(await runs('main.mjs', source), 'some bytes true true function true')
})

test('the generated loader is not compiled where the binary is installed as usual', async (t) => {
  const source = `
    require('memmap')
    console.log(Object.keys(require.cache).some((name) => name.endsWith('binding.js')))`
  const usual =
    process.platform === 'linux' && inspectSystem().libc === 'gnu' && !process.env['NAPI_RS_NATIVE_LIBRARY_PATH']
  t.is(await runs('loader.cjs', source), String(!usual))
})

test('what an import leaves out comes with the first mapping, before an updater replaces the files', async (t) => {
  const updated = join(folder, 'updated')
  cpSync(project, updated, { recursive: true })
  const source = `
    const { rmSync } = require('node:fs')
    const { dirname, join } = require('node:path')
    const { MappedFile } = require('memmap')
    const lib = join(dirname(require.resolve('memmap')), 'lib')
    const isLoaded = () => Object.keys(require.cache).some((name) => name.endsWith('bundled-later.js'))
    const atFirst = isLoaded()
    const file = MappedFile.openSync('data.bin')
    setImmediate(() => {
      console.log(atFirst, isLoaded())
      rmSync(lib, { recursive: true })
      console.log([...file.lines()], file.cursor().read(4).toString())
      file.close()
    })`
  writeFileSync(join(updated, 'updated.cjs'), source)
  const { stdout } = await execute(process.execPath, ['updated.cjs'], { cwd: updated })
  t.is(stdout, "false true\n[ 'some bytes' ] some\n")
})

test('what cannot be loaded is an error, and asked for again', async (t) => {
  const broken = join(folder, 'broken')
  cpSync(project, broken, { recursive: true })
  const source = `
    const { renameSync } = require('node:fs')
    const { dirname, join } = require('node:path')
    const { MappedFile } = require('memmap')
    const later = join(dirname(require.resolve('memmap')), 'lib/later.js')
    renameSync(later, later + '.away')
    const file = MappedFile.openSync('data.bin')
    setImmediate(() => {
      try { file.lines() } catch ({ code }) { console.log(code) }
      renameSync(later + '.away', later)
      console.log([...file.lines()])
      file.close()
    })`
  writeFileSync(join(broken, 'broken.cjs'), source)
  const { stdout } = await execute(process.execPath, ['broken.cjs'], { cwd: broken })
  t.is(stdout, "MODULE_NOT_FOUND\n[ 'some bytes' ]\n")
})

test('what exports does not name cannot be reached', async (t) => {
  for (const inner of ['memmap/binding.js', 'memmap/lib/posix.js']) {
    const source = `try { require('${inner}') } catch (error) { console.log(error.code) }`
    t.is(await runs('inner.cjs', source), 'ERR_PACKAGE_PATH_NOT_EXPORTED')
  }
})

const typescript = `
import { MappedFile, AnonymousMemory, type Mapping } from 'memmap'
import { PROT_READ, PROT_WRITE, Prot } from 'memmap/posix'

const file: Mapping = MappedFile.openSync('data.bin')
const first: Uint8Array<ArrayBuffer> = AnonymousMemory.create(4096).subarray(0, 16)
const value: number = file.getUint32(0, true) + first.length + Prot.PROT_READ
// @ts-expect-error: a misspelt option
MappedFile.openSync('data.bin', { acess: 'write' })
file.close()
export const both: number = PROT_READ | PROT_WRITE
export default value
`

const compiler = `@typescript/typescript-${process.platform}-${process.arch}`
const compiling = unless(!existsSync(join(root, 'node_modules', compiler)) && `there is no ${compiler}`)

for (const [resolution, module] of [
  ['node16', 'node16'],
  ['bundler', 'esnext'],
] as const) {
  compiling(`TypeScript finds its types with moduleResolution ${resolution}`, async (t) => {
    const work = join(project, resolution)
    mkdirSync(work)
    const types = join(work, 'node_modules/@types')
    mkdirSync(types, { recursive: true })
    // The one package that the types need, and an optional peer: taken from here, since nothing is fetched.
    for (const name of ['@types/node', 'undici-types']) {
      symlinkSync(join(root, 'node_modules', name), join(work, 'node_modules', name), onWindows ? 'junction' : 'dir')
    }
    writeFileSync(join(work, 'main.ts'), typescript)
    writeFileSync(join(work, 'main.mts'), typescript)
    const compilerOptions = {
      target: 'es2022',
      module,
      moduleResolution: resolution,
      types: ['node'],
      strict: true,
      skipLibCheck: false,
      noEmit: true,
    }
    writeFileSync(join(work, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['main.ts', 'main.mts'] }))
    const tsc = join(root, 'node_modules/typescript/bin/tsc')
    const outcome = await execute(process.execPath, [tsc, '-p', 'tsconfig.json'], { cwd: work }).then(
      () => '',
      (error: { stdout: string }) => error.stdout,
    )
    t.is(outcome, '')
  })
}
