// Why the native part did not load, and what to do about it. Most installations that fail do so in one of few ways, and each leaves its traces.
import { existsSync, readdirSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'

/** Systems that a binary is published for, as the ends of the package names. */
export const published: readonly string[] = [
  'linux-x64-gnu',
  'linux-x64-musl',
  'linux-arm64-gnu',
  'linux-arm64-musl',
  'linux-arm-gnueabihf',
  'linux-riscv64-gnu',
  'linux-ppc64-gnu',
  'linux-s390x-gnu',
  'win32-x64-msvc',
  'win32-ia32-msvc',
  'win32-arm64-msvc',
  'darwin-x64',
  'darwin-arm64',
  'freebsd-x64',
  'android-arm64',
]

/** What is known about this system and installation. */
export interface System {
  readonly platform: string
  readonly arch: string
  /** Linux only. */
  readonly libc: 'gnu' | 'musl' | ''
  /** Whether this code still lies in a package named memmap, or was copied into a bundle. */
  readonly bundled: boolean
  /** Ends of the names of the platform packages that are installed. */
  readonly installed: readonly string[]
  /** NAPI_RS_NATIVE_LIBRARY_PATH */
  readonly override: string | undefined
}

function libc(): System['libc'] {
  if (process.platform !== 'linux') return ''
  // Without this the report asks the name server about every open connection.
  if (process.report) Object.assign(process.report, { excludeNetwork: true })
  const report = process.report?.getReport() as { header?: { glibcVersionRuntime?: string } } | undefined
  return report?.header?.glibcVersionRuntime ? 'gnu' : 'musl'
}

/** Looks around; reads folders only, and never throws. */
export function inspectSystem(): System {
  const root = dirname(__dirname)
  // npm and yarn put the platform packages beside memmap, older npm also inside it.
  const folders = [join(root, 'node_modules'), dirname(root)]
  const found = new Set<string>()
  for (const folder of folders) {
    try {
      for (const name of readdirSync(folder)) if (name.startsWith('memmap-')) found.add(name.slice('memmap-'.length))
    } catch {
      // No such folder: nothing is installed in it.
    }
  }
  // pnpm and Plug'n'Play keep them where only the resolver knows.
  const { resolve } = createRequire(__filename)
  for (const name of published) {
    try {
      resolve(`memmap-${name}`)
      found.add(name)
    } catch {
      // Not installed.
    }
  }
  return {
    platform: process.platform,
    arch: process.arch,
    libc: libc(),
    bundled: !existsSync(join(root, 'binding.js')),
    installed: published.filter((name) => found.has(name)),
    override: process.env['NAPI_RS_NATIVE_LIBRARY_PATH'],
  }
}

/** `linux-x64-musl`: the end of the name of the package that this system needs. */
function wanted({ platform, arch, libc: ending }: System): string | undefined {
  const start = `${platform}-${arch}`
  return published.find(
    (name) => name === start || (name.startsWith(`${start}-`) && (!ending || name.includes(ending))),
  )
}

/** Every message of an error and what caused it, the deepest last. */
function messages(cause: unknown): string[] {
  const texts: string[] = []
  for (let each = cause; each instanceof Error && texts.length < 20; each = each.cause) texts.push(each.message)
  return texts.length > 0 ? texts : [String(cause)]
}

/** What the dynamic linker said, where it is not only that some file does not exist. */
function linkerSaid(texts: readonly string[]): string | undefined {
  const missing = /^Cannot find (native binding|module)|Required package/
  return texts.find((text) => !missing.test(text))?.split('\n')[0]
}

function reasons(system: System, cause: unknown): string[] {
  const name = wanted(system)
  const said = linkerSaid(messages(cause))
  if (system.override) {
    return [`NAPI_RS_NATIVE_LIBRARY_PATH is set to '${system.override}', which could not be loaded: unset it.`]
  }
  if (system.bundled) {
    return [
      'memmap was copied into a bundle, and its native part cannot be: tell the bundler that memmap is external',
      '(esbuild --external:memmap, webpack externals: { memmap: "commonjs memmap" }, vite ssr.external and rollup external: ["memmap"])',
      'and install memmap where the bundle runs.',
    ]
  }
  if (!name) {
    return [
      'There is no prebuilt binary for this system. There are:',
      `  ${published.join(' ')}`,
      'To build one: install Rust and a C compiler, clone the repository of memmap, run `npm ci && npm run build` there and install that folder.',
    ]
  }
  if (system.installed.includes(name)) {
    const old = said && /GLIBC_(\S+)/.exec(said)
    if (old)
      return [
        `memmap-${name} is installed and needs a newer system: glibc ${old[1]}. musl systems need memmap-${name.replace('gnu', 'musl')}.`,
      ]
    return [
      `memmap-${name} is installed and could not be loaded. Its file may be damaged, lie on a file system mounted noexec,`,
      'or be held back by security software: delete node_modules and install again.',
    ]
  }
  const select = [
    `--os=${system.platform}`,
    `--cpu=${system.arch}`,
    ...(system.libc ? [`--libc=${system.libc === 'gnu' ? 'glibc' : 'musl'}`] : []),
  ]
  if (system.installed.length > 0) {
    return [
      `This system needs the package memmap-${name}, and installed are: ${system.installed.map((each) => `memmap-${each}`).join(', ')}.`,
      'node_modules was copied from another system or container. Install on the system (or in the image) that runs it,',
      `or install for it: npm install ${select.join(' ')} memmap`,
      'pnpm and yarn: name the system under supportedArchitectures.',
    ]
  }
  return [
    `The package memmap-${name} is not installed. It is an optional dependency of memmap, which is left out by`,
    '--omit=optional, --no-optional and NODE_ENV-specific installs that copy them, and by lock files that were written on another system.',
    'Delete node_modules (and the lock file, if that was it), then: npm install --include=optional',
  ]
}

/** The help page. */
export function explain(system: System, cause: unknown): string {
  const { platform, arch, libc: ending } = system
  const said = linkerSaid(messages(cause))
  return [
    `memmap could not load its native part (${[platform, arch, ending].filter(Boolean).join('-')}, Node-API ${process.versions['napi'] ?? 'unknown'}).`,
    '',
    ...reasons(system, cause),
    ...(said ? ['', `The loader said: ${said}`] : []),
  ].join('\n')
}
