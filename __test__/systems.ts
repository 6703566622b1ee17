// What the specs of memory controls and shared memory need of the system: the kernel's own books, small disks, limits, compilers.
import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { chmodSync, mkdtempSync, readFileSync, rmdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { getSystemErrorName } from 'node:util'
import { threadId } from 'node:worker_threads'
import test from 'ava'
import { asRoot, caught, folder, onLinux, onWindows, unless } from './helpers'

import type { ExecutionContext } from 'ava'
import type { Mapping, Seal, SharedMemory } from '../index'

/** What /proc/self/smaps says of a range, its entries added up: sizes in bytes, flags of all. */
export interface Books {
  readonly sizes: Readonly<Record<string, number>>
  readonly flags: ReadonlySet<string>
  /** `rw-s` and the like, one for each piece. */
  readonly rights: readonly string[]
}

export function books(m: Mapping): Books {
  const from = m.address - (m.address % BigInt(m.pageSize))
  const to = m.address + BigInt(m.byteLength)
  const sizes: Record<string, number> = {}
  const flags = new Set<string>()
  const rights: string[] = []
  let inside = false
  for (const line of readFileSync('/proc/self/smaps', 'utf8').split('\n')) {
    const range = /^([0-9a-f]+)-([0-9a-f]+) (\S+)/.exec(line)
    if (range) {
      inside = BigInt(`0x${range[1]}`) < to && BigInt(`0x${range[2]}`) > from
      if (inside) rights.push(range[3]!)
    } else if (inside) {
      const [name, rest] = line.split(':') as [string, string | undefined]
      if (name === 'VmFlags') for (const flag of rest!.trim().split(' ')) flags.add(flag)
      else if (rest?.endsWith(' kB')) sizes[name] = (sizes[name] ?? 0) + Number.parseInt(rest, 10) * 1024
    }
  }
  return { sizes, flags, rights }
}

/** QEMU's user mode has no smaps of its own. */
export const booksProblem: string | undefined = (() => {
  if (!onLinux) return 'looks into /proc'
  try {
    return readFileSync('/proc/self/smaps', 'utf8').includes('VmFlags') ? undefined : 'smaps has no VmFlags here'
  } catch {
    return 'no smaps here'
  }
})()
export const withBooks = unless(booksProblem)

/** A file system of its own for one spec, unmounted when it ends; or why there is none. */
export function disk(
  type: string,
  options: string,
  device = 'memmap-test',
): { path: string; problem?: undefined } | { problem: string } {
  if (!onLinux || !asRoot) return { problem: 'needs root on Linux, to mount a disk' }
  const path = mkdtempSync(join(tmpdir(), 'memmap-mount-'))
  const { status, stderr } = spawnSync('mount', ['-t', type, '-o', options, device, path], { encoding: 'utf8' })
  if (status !== 0) {
    rmdirSync(path)
    return { problem: `no ${type} can be mounted: ${(stderr ?? '').trim().split('\n')[0]}` }
  }
  test.after.always(`${type} goes`, () => {
    execFileSync('umount', ['-l', path])
    rmdirSync(path)
  })
  return { path }
}

// Children that are somebody else look into it.
if (onLinux) chmodSync(folder, 0o755)

let names = 0

/** A name of shared memory that nobody else has. */
export function shmName(): string {
  // Each spec is a thread.
  return `/mm${process.pid}-${threadId}-${++names}`
}

const INDEX = JSON.stringify(join(__dirname, '../index.js'))

export interface ChildOptions {
  /** After loading: user `nobody`, who may do what files allow. */
  readonly nobody?: boolean
  /** Arguments of the shell's `ulimit`, one call each. */
  readonly limits?: readonly string[]
  /** Descriptors that it inherits, from 3 on. */
  readonly fds?: readonly number[]
  /** Command that starts it. */
  readonly by?: readonly string[]
  readonly env?: NodeJS.ProcessEnv
}

/**
 * Runs the body of an async function in a process of its own, with the package's exports and these in scope: `code(action)`: the code of
 * what is thrown, or 'nothing'. What it returns comes back as JSON.
 */
export function elsewhere(body: string, options: ChildOptions = {}): Promise<unknown> {
  const { nobody = false, limits = [], fds = [], by = [], env = {} } = options
  const program = `
    const { MappedFile, AnonymousMemory, SharedMemory, Mapping } = require(${INDEX})
    const fs = require('node:fs')
    const code = (action) => { try { action(); return 'nothing' } catch (error) { return error.code } }
    ${nobody ? 'process.setgroups([]); process.setgid(65534); process.setuid(65534)' : ''}
    ;(async () => { ${body} })().then((value) => console.log(JSON.stringify({ value })))`
  const command = [...by, process.execPath, '--no-warnings', '-e', program]
  const argv =
    limits.length === 0
      ? command
      : ['sh', '-c', `${limits.map((limit) => `ulimit ${limit} && `).join('')}exec "$@"`, 'sh', ...command]
  return new Promise((resolve, reject) => {
    const child = spawn(argv[0]!, argv.slice(1), {
      stdio: ['ignore', 'pipe', 'pipe', ...fds],
      env: { ...process.env, ...env },
    })
    let [out, problems] = ['', '']
    child.stdout!.setEncoding('utf8').on('data', (text: string) => (out += text))
    child.stderr!.setEncoding('utf8').on('data', (text: string) => (problems += text))
    child.on('error', reject)
    child.on('close', (status, signal) => {
      if (status === 0) resolve((JSON.parse(out.trimEnd().split('\n').at(-1)!) as { value: unknown }).value)
      else reject(new Error(`the child ended with ${signal ?? status}: ${problems}`))
    })
  })
}

export const nobodyProblem: string | undefined | false =
  (!onLinux || !asRoot) && 'needs root on Linux, to become nobody'
export const asNobody = unless(nobodyProblem)

/** A C program of `__test__/c`, compiled; or why not. */
export function compiled(
  name: string,
  ...libraries: string[]
): { program: string; problem?: undefined } | { problem: string } {
  if (onWindows) return { problem: 'POSIX programs' }
  const program = join(folder, name)
  const source = join(__dirname, 'c', `${name}.c`)
  const { error, status, stderr } = spawnSync(
    'cc',
    ['-Wall', '-Wextra', '-Werror', '-O1', '-o', program, source, ...libraries],
    { encoding: 'utf8' },
  )
  if (error) return { problem: 'no C compiler here' }
  // That it does not compile is no reason to skip.
  if (status !== 0) throw new Error(stderr)
  return { program }
}

/** Why Python cannot take part, if so. */
export const pythonProblem: string | undefined = (() => {
  if (onWindows) return 'POSIX shared memory'
  const { error, status, stdout } = spawnSync(
    'python3',
    ['-c', 'import sys, mmap, multiprocessing.shared_memory; print(sys.version_info >= (3, 8))'],
    { encoding: 'utf8' },
  )
  return error || status !== 0 || !stdout.includes('True') ? 'no Python 3.8 here' : undefined
})()

/** What `action` throws is a system error of this code (and call); the path is that of the mapping, whichever it is. */
export function fails(
  t: ExecutionContext,
  action: () => unknown,
  code: string,
  syscall?: string,
): NodeJS.ErrnoException {
  const error = caught(t, action)
  t.is(error.code, code, error.stack)
  t.is(getSystemErrorName(error.errno!), code)
  t.true(error.message.startsWith(`${code}: `), error.message)
  t.true(error.message.includes(`, ${error.syscall}`), error.message)
  if (syscall !== undefined) t.is(error.syscall, syscall)
  return error
}

const pause = new Int32Array(new SharedArrayBuffer(4))

/** While another test's child is between fork and exec it has all mappings that can write, too: then the kernel says EBUSY. */
export function sealWriting(m: SharedMemory, seals: readonly Seal[] = ['write']): void {
  for (let tries = 0; ; tries++) {
    try {
      m.seal(seals)
      return
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EBUSY' || tries === 100) throw error
      Atomics.wait(pause, 0, 0, 10)
    }
  }
}
