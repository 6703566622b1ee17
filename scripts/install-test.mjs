// The packed tarballs, installed into empty projects by every package manager and used as users use them. One table.
// `node scripts/install-test.mjs [--only npm,pnpm,...] [--binaries FOLDER]`; by default the binary of this system is built as it is shipped.
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { build } from './lib/cross/build.mjs'
import { once, Unavailable } from './lib/cross/cache.mjs'
import { npmPackage } from './lib/cross/npm.mjs'
import { find } from './lib/cross/targets.mjs'
import { pack } from './pack.mjs'
import { prepare } from './lib/prepare.mjs'
import { serve } from './lib/registry.mjs'
import { skipped, summary, total } from './lib/reports.mjs'
import { root, run } from './lib/run.mjs'
import { duration, table } from './lib/table.mjs'
import { runtime } from './runtimes.mjs'

const programs = join(root, '__test__/install')
const node = process.execPath

/** A project folder with the test programs and an empty package.json. */
function project(folder, name) {
  const path = join(folder, name)
  mkdirSync(path, { recursive: true })
  for (const file of readdirSync(programs)) copyFileSync(join(programs, file), join(path, file))
  writeFileSync(
    join(path, 'package.json'),
    JSON.stringify({ name: `uses-memmap-${name}`, version: '1.0.0', private: true }),
  )
  return path
}

/** No cache, configuration or account of the machine takes part. */
const isolated = (folder) => ({
  HOME: folder,
  XDG_CACHE_HOME: join(folder, '.cache'),
  XDG_DATA_HOME: join(folder, '.data'),
  XDG_CONFIG_HOME: join(folder, '.config'),
  npm_config_cache: join(folder, '.npm'),
  npm_config_userconfig: join(folder, '.npmrc-user'),
  npm_config_audit: 'false',
  npm_config_fund: 'false',
  npm_config_update_notifier: 'false',
  CI: '1',
})

async function step(what, command, args, options) {
  const result = await run(command, args, { minutes: 5, ...options })
  if (result.code !== 0 || result.problem) throw new Error(`${what} failed: ${result.problem}\n${result.output}`)
  return result
}

async function yarnBerry(folder, registry, linker) {
  const berry = await npmPackage('@yarnpkg/cli-dist', '4')
  const settings = [
    `nodeLinker: ${linker}`,
    `npmRegistryServer: '${registry.address}'`,
    'unsafeHttpWhitelist: [127.0.0.1]',
    'enableGlobalCache: false',
    'enableTelemetry: false',
    'pnpEnableEsmLoader: true',
  ]
  // Packages of the test registry are as old as the clock of the machine says: no waiting time for fresh releases.
  writeFileSync(join(folder, '.yarnrc.yml'), `${settings.join('\n')}\nnpmMinimalAgeGate: 0\n`)
  writeFileSync(join(folder, 'yarn.lock'), '')
  await step('yarn add', node, [join(berry, 'bin/yarn.js'), 'add', 'memmap'], {
    cwd: folder,
    env: { ...isolated(folder), YARN_ENABLE_IMMUTABLE_INSTALLS: 'false' },
  })
  return berry
}

/** Each installs `memmap` into a project and says how to start a program there. */
const managers = {
  async npm(folder, { address }) {
    await step('npm install', 'npm', ['install', 'memmap', '--registry', address], {
      cwd: folder,
      env: isolated(folder),
    })
  },
  async pnpm(folder, { address }) {
    const pnpm = await npmPackage('pnpm', '10')
    const args = [
      join(pnpm, 'bin/pnpm.cjs'),
      'add',
      'memmap',
      '--registry',
      address,
      '--store-dir',
      join(folder, '.store'),
    ]
    await step('pnpm add', node, args, { cwd: folder, env: isolated(folder) })
  },
  async 'yarn classic'(folder, { address }) {
    const yarn = await npmPackage('yarn', '1')
    const args = [join(yarn, 'bin/yarn.js'), 'add', 'memmap', '--registry', address, '--non-interactive']
    await step('yarn add', node, args, { cwd: folder, env: isolated(folder) })
  },
  async 'yarn node-modules'(folder, registry) {
    await yarnBerry(folder, registry, 'node-modules')
  },
  async 'yarn pnp'(folder, registry) {
    await yarnBerry(folder, registry, 'pnp')
    // Plug'n'Play is a preload and, for ESM, a loader.
    return [
      '--require',
      join(folder, '.pnp.cjs'),
      ...(existsSync(join(folder, '.pnp.loader.mjs')) ? ['--loader', './.pnp.loader.mjs'] : []),
    ]
  },
  async bun(folder, { address }) {
    const bun = await runtime('bun')
    if (!bun.path) throw new Unavailable(bun.skip)
    writeFileSync(
      join(folder, 'bunfig.toml'),
      `[install]\nregistry = "${address}"\ncache = "${join(folder, '.bun')}"\n`,
    )
    await step('bun add', bun.path, ['add', 'memmap'], { cwd: folder, env: isolated(folder) })
  },
}

const passed = (note = '') => ({ passed: 1, failed: 0, skipped: 0, note })

/** Runs one test program in a project; it ends with the line `works`. */
async function works(folder, args, env = {}, command = node) {
  const result = await run(command, args, { cwd: folder, minutes: 3, env: { NODE_NO_WARNINGS: '1', ...env } })
  if (result.code !== 0 || !/^works\b/m.test(result.stdout))
    throw new Error(`${args.join(' ')}: ${result.problem}\n${result.output}`)
  return passed(/^works (.*)$/m.exec(result.stdout)?.[1])
}

async function bundlers() {
  const wanted = ['esbuild@0.25', 'webpack@5', 'webpack-cli@6', 'vite@6']
  return once(`bundlers-${wanted.join('-').replaceAll('@', '')}`, async (folder) => {
    writeFileSync(join(folder, 'package.json'), '{"private":true}')
    const result = await run('npm', ['install', '--no-audit', '--no-fund', '--loglevel=error', ...wanted], {
      cwd: folder,
      minutes: 5,
    })
    if (result.code !== 0)
      throw new Unavailable(`the bundlers could not be fetched: ${result.output.trim().split('\n').at(-1)}`)
  })
}

/** Uses of an npm project that is already installed. */
const uses = {
  // The compilers of this repository, on the declarations as they are in the tarball.
  async typescript(folder) {
    for (const compiler of ['typescript/bin/tsc', 'typescript57/bin/tsc', 'typescript59/bin/tsc']) {
      const path = existsSync(join(root, 'node_modules', compiler))
        ? compiler
        : compiler.replace('bin/tsc', 'lib/tsc.js')
      await step('tsc', node, [join(root, 'node_modules', path), '-p', 'tsconfig.json'], { cwd: folder })
      await works(folder, ['compiled/typed.js'])
    }
    return passed()
  },
  async esbuild(folder) {
    const bin = join(await bundlers(), 'node_modules/esbuild/bin/esbuild')
    const flags = ['--bundle', '--platform=node', '--external:memmap', '--outfile=bundle/esbuild.cjs']
    await step('esbuild', bin, ['cjs.cjs', ...flags], { cwd: folder })
    return works(folder, ['bundle/esbuild.cjs'])
  },
  async webpack(folder) {
    const bin = join(await bundlers(), 'node_modules/webpack-cli/bin/cli.js')
    await step('webpack', node, [bin, '--config', 'webpack.config.cjs'], {
      cwd: folder,
      env: { NODE_PATH: join(await bundlers(), 'node_modules') },
    })
    return works(folder, ['bundle/webpack.cjs'])
  },
  async vite(folder) {
    const bin = join(await bundlers(), 'node_modules/vite/bin/vite.js')
    await step(
      'vite build --ssr',
      node,
      [bin, 'build', '--ssr', 'esm.mjs', '--outDir', 'bundle/vite', '--logLevel', 'warn'],
      { cwd: folder },
    )
    const [file] = readdirSync(join(folder, 'bundle/vite'))
    return works(folder, [join('bundle/vite', file)])
  },
  /** Without the externals the user must be told, not left with a riddle. */
  async 'bundled by mistake'(folder) {
    const bin = join(await bundlers(), 'node_modules/esbuild/bin/esbuild')
    await step(
      'esbuild',
      bin,
      ['cjs.cjs', '--bundle', '--platform=node', '--external:memmap-*', '--outfile=lonely/deep/bundle.cjs'],
      { cwd: folder },
    )
    const lonely = mkdtempSync(join(tmpdir(), 'memmap-lonely-'))
    try {
      copyFileSync(join(folder, 'lonely/deep/bundle.cjs'), join(lonely, 'bundle.cjs'))
      const result = await run(node, ['bundle.cjs'], { cwd: lonely, minutes: 1 })
      if (result.code === 0 || !result.output.includes('--external:memmap'))
        throw new Error(`no help was given:\n${result.output}`)
    } finally {
      rmSync(lonely, { recursive: true })
    }
    return passed()
  },
  async 'single executable'(folder) {
    const executable = join(folder, 'sea')
    writeFileSync(
      join(folder, 'sea.json'),
      JSON.stringify({ main: 'sea.cjs', output: 'sea.blob', disableExperimentalSEAWarning: true }),
    )
    await step('the blob', node, ['--experimental-sea-config', 'sea.json'], { cwd: folder })
    copyFileSync(realpathSync(node), executable)
    const postject = await npmPackage('postject', '1.0.0-alpha.6', ['commander@9'])
    const fuse = [
      '--sentinel-fuse',
      'NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2',
      ...(process.platform === 'darwin' ? ['--macho-segment-name', 'NODE_SEA'] : []),
    ]
    await step('postject', node, [join(postject, 'dist/cli.js'), executable, 'NODE_SEA_BLOB', 'sea.blob', ...fuse], {
      cwd: folder,
    })
    return works(folder, [], {}, executable)
  },
  /** Nothing but the runtime, its libraries and the project: no compiler, no shell, no npm. */
  async 'minimal root file system'(folder) {
    if (process.platform !== 'linux' || process.getuid() !== 0)
      return skipped('a root file system of its own needs root on Linux')
    const minimal = mkdtempSync(join(tmpdir(), 'memmap-root-'))
    try {
      const modules = join(folder, 'node_modules')
      const ours = readdirSync(modules, { recursive: true }).find((name) => /memmap-.*\.node$/.test(name))
      // What a C library brings as well: before glibc 2.34 a part of it was a file of its own, which binaries for old systems ask for.
      const { stdout } = await step('ldd', 'ldd', [realpathSync(node), join(modules, ours)], {})
      for (const [, library] of stdout.matchAll(/(\/\S+\.so\S*)/g)) {
        if (library.endsWith(':')) continue
        mkdirSync(join(minimal, dirname(library)), { recursive: true })
        copyFileSync(realpathSync(library), join(minimal, library))
      }
      for (const name of ['app', 'tmp', 'bin']) mkdirSync(join(minimal, name), { recursive: true })
      copyFileSync(realpathSync(node), join(minimal, 'bin/node'))
      for (const name of ['node_modules', 'esm.mjs', 'cjs.cjs', 'use.cjs'])
        cpSync(join(folder, name), join(minimal, 'app', name), { recursive: true })
      return await works(minimal, [minimal, '/bin/node', '/app/esm.mjs'], {}, 'chroot')
    } finally {
      rmSync(minimal, { recursive: true })
    }
  },
  async 'import time'(folder) {
    const { note } = await works(folder, ['import-time.cjs'])
    return passed(note)
  },
  /** As with --omit=optional: the loader says what to do. */
  async 'without optional packages'(folder) {
    const modules = join(folder, 'without/node_modules')
    mkdirSync(modules, { recursive: true })
    cpSync(join(folder, 'node_modules/memmap'), join(modules, 'memmap'), { recursive: true })
    copyFileSync(join(folder, 'cjs.cjs'), join(folder, 'without/cjs.cjs'))
    copyFileSync(join(folder, 'use.cjs'), join(folder, 'without/use.cjs'))
    const away = mkdtempSync(join(tmpdir(), 'memmap-without-'))
    try {
      cpSync(join(folder, 'without'), away, { recursive: true })
      const result = await run(node, ['cjs.cjs'], { cwd: away, minutes: 1 })
      if (result.code === 0 || !/memmap-\S+ is not installed[^]*--include=optional/.test(result.output)) {
        throw new Error(`no help was given:\n${result.output}`)
      }
    } finally {
      rmSync(away, { recursive: true })
    }
    return passed()
  },
}

async function attempt(name, action, results) {
  const started = performance.now()
  let counts
  try {
    counts = await action()
  } catch (error) {
    if (error instanceof Unavailable) counts = skipped(error.message)
    else {
      console.log(`\n--- ${name} ---\n${error.message}`)
      counts = { passed: 0, failed: 1, skipped: 0, note: error.message.split('\n')[0] }
    }
  }
  const seconds = (performance.now() - started) / 1000
  console.log(`${counts.failed ? 'FAILED' : counts.skipped ? 'skipped' : 'done'} ${name} (${duration(seconds)})`)
  results.push({ name, seconds, ...counts })
  return counts.failed === 0
}

/** @returns {Promise<string>} the folder of the binary of this very system */
async function ownBinary() {
  const libc =
    process.platform === 'linux' ? `-${process.report.getReport().header.glibcVersionRuntime ? 'gnu' : 'musl'}` : ''
  const made = await build(
    find(`${process.platform}-${process.arch}${libc}${process.platform === 'win32' ? '-msvc' : ''}`),
  )
  if (!made.file || made.state !== 'built')
    throw new Error(`the binary of this system: ${made.state}, ${made.note}\n${made.output}`)
  return dirname(made.file)
}

async function main() {
  const { values } = parseArgs({ options: { only: { type: 'string' }, binaries: { type: 'string' } } })
  const only = values.only?.split(',')
  const failed = await prepare()
  if (failed) throw new Error(failed)
  const scratch = mkdtempSync(join(tmpdir(), 'memmap-install-'))
  const results = []
  try {
    const packed = await pack({
      binaries: values.binaries ? resolve(values.binaries) : await ownBinary(),
      out: join(scratch, 'packages'),
    })
    const registry = await serve(packed.map(({ file }) => file))
    try {
      for (const [name, install] of Object.entries(managers)) {
        if (only && !only.includes(name) && name !== 'npm') continue
        const folder = project(scratch, name.replace(' ', '-'))
        let flags
        const installed = await attempt(
          `${name}: install`,
          async () => {
            flags = (await install(folder, registry)) ?? []
            return passed()
          },
          results,
        )
        if (!installed || !flags) continue
        await attempt(`${name}: ESM`, () => works(folder, [...flags, 'esm.mjs']), results)
        await attempt(`${name}: CommonJS`, () => works(folder, [...flags, 'cjs.cjs']), results)
        if (name !== 'npm') continue
        // The types of Node come from this repository: the test registry has no package but memmap.
        mkdirSync(join(folder, 'node_modules/@types'), { recursive: true })
        for (const types of ['@types/node', 'undici-types'])
          symlinkSync(join(root, 'node_modules', types), join(folder, 'node_modules', types))
        for (const [use, action] of Object.entries(uses)) {
          if (!only || only.includes(use)) await attempt(use, () => action(folder), results)
        }
      }
    } finally {
      registry.close()
    }
  } finally {
    if (!process.env.MEMMAP_KEEP) rmSync(scratch, { recursive: true, force: true })
  }
  const rows = results.map((one) => [one.name, one.passed, one.failed, one.skipped, duration(one.seconds), one.note])
  console.log(
    `\n${table(['install', 'passed', 'failed', 'skipped', 'time', 'note'], rows)}\n\n${summary(total(results))}`,
  )
  process.exitCode = total(results).failed > 0 ? 1 : 0
}

// Programs on the PATH of children come from this Node first: yarn and pnpm start `node` by name.
process.env.PATH = dirname(node) + delimiter + process.env.PATH
main().catch((error) => {
  console.error(error.stack)
  process.exitCode = 1
})
