import test from 'ava'
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { explain, inspectSystem, type System } from '../lib/native-help'

const linux: System = {
  platform: 'linux',
  arch: 'x64',
  libc: 'gnu',
  bundled: false,
  installed: [],
  override: undefined,
}
const missing = new Error('Cannot find native binding. npm has a bug')

test('a missing optional package is named, with the way to install it', (t) => {
  const page = explain(linux, missing)
  t.regex(page, /memmap-linux-x64-gnu is not installed/)
  t.regex(page, /npm install --include=optional/)
  t.notRegex(page, /The loader said/)
})

test('packages of another system mean a copied node_modules', (t) => {
  const page = explain({ ...linux, libc: 'musl', installed: ['win32-x64-msvc', 'linux-x64-gnu'] }, missing)
  t.regex(
    page,
    /needs the package memmap-linux-x64-musl, and installed are: memmap-win32-x64-msvc, memmap-linux-x64-gnu/,
  )
  t.regex(page, /npm install --os=linux --cpu=x64 --libc=musl memmap/)
})

test('a system that nothing is published for gets the list of those that there are', (t) => {
  const page = explain({ ...linux, platform: 'sunos', libc: '' }, missing)
  t.regex(page, /no prebuilt binary for this system/)
  t.regex(page, /darwin-arm64/)
})

test('every published system finds its own package and no other', (t) => {
  const systems: [string, string, System['libc'], string][] = [
    ['linux', 'x64', 'musl', 'linux-x64-musl'],
    ['linux', 'arm64', 'gnu', 'linux-arm64-gnu'],
    ['linux', 'arm', 'gnu', 'linux-arm-gnueabihf'],
    ['linux', 'ppc64', 'gnu', 'linux-ppc64-gnu'],
    ['win32', 'ia32', '', 'win32-ia32-msvc'],
    ['darwin', 'arm64', '', 'darwin-arm64'],
    ['freebsd', 'x64', '', 'freebsd-x64'],
    ['android', 'arm64', '', 'android-arm64'],
  ]
  for (const [platform, arch, libc, name] of systems) {
    t.regex(explain({ ...linux, platform, arch, libc }, missing), new RegExp(`package memmap-${name} is not installed`))
  }
})

test('what the dynamic linker said is shown, also from deep inside', (t) => {
  const linker = new Error("/lib/libc.so.6: version `GLIBC_2.99' not found")
  const cause = new Error('Cannot find native binding.', {
    cause: new Error("Cannot find module 'memmap-linux-x64-gnu'", { cause: linker }),
  })
  const page = explain({ ...linux, installed: ['linux-x64-gnu'] }, cause)
  t.regex(page, /needs a newer system: glibc 2\.99/)
  t.regex(page, /The loader said: \/lib\/libc/)
})

test('a bundle is told to leave memmap out', (t) => {
  t.regex(explain({ ...linux, bundled: true }, missing), /--external:memmap/)
})

test('a thrown value that is no error is shown too', (t) => {
  t.regex(explain(linux, 'odd'), /The loader said: odd/)
})

test('this installation is seen as what it is', (t) => {
  const system = inspectSystem()
  t.is(system.platform, process.platform)
  t.is(system.arch, process.arch)
  t.false(system.bundled)
})

test('a load that fails throws the help page, with a code and the cause', (t) => {
  const program = `
    try { require(${JSON.stringify(join(__dirname, '../index'))}) }
    catch (error) { console.log(JSON.stringify({ code: error.code, cause: error.cause instanceof Error, message: error.message })) }`
  const child = spawnSync(process.execPath, ['-e', program], {
    encoding: 'utf8',
    env: { ...process.env, NAPI_RS_NATIVE_LIBRARY_PATH: join(__dirname, 'nothing.node') },
  })
  t.is(child.status, 0, child.stderr)
  const { code, cause, message } = JSON.parse(child.stdout) as { code: string; cause: boolean; message: string }
  t.is(code, 'ERR_NATIVE_UNAVAILABLE')
  t.true(cause)
  t.regex(message, /NAPI_RS_NATIVE_LIBRARY_PATH is set to .*nothing\.node/)
})

test('the usual binary is loaded without the generated loader, which is there for everything else', (t) => {
  const program = `
    const { Mapping } = require(${JSON.stringify(join(__dirname, '../index'))})
    console.log(JSON.stringify({ page: Mapping.pageSize, loader: Object.keys(require.cache).some((name) => name.endsWith('binding.js')) }))`
  const { NAPI_RS_NATIVE_LIBRARY_PATH: override, ...environment } = process.env
  const used = (more: NodeJS.ProcessEnv): { page: number; loader: boolean } => {
    const child = spawnSync(process.execPath, ['-e', program], { encoding: 'utf8', env: { ...environment, ...more } })
    t.is(child.status, 0, child.stderr)
    return JSON.parse(child.stdout) as { page: number; loader: boolean }
  }
  // Where a test run names its binary, nothing else may be loaded.
  if (override !== undefined) {
    t.true(used({ NAPI_RS_NATIVE_LIBRARY_PATH: override }).loader)
    return
  }
  t.true(used({ NAPI_RS_ENFORCE_VERSION_CHECK: '1' }).loader)
  const usual = process.platform === 'linux' && inspectSystem().libc === 'gnu'
  if (usual) t.false(used({}).loader)
  t.is(used({}).page, used({ NAPI_RS_ENFORCE_VERSION_CHECK: '1' }).page)
})
