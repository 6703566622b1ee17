// What the specs share: files to map, tests that say why they are skipped, errors looked at from all sides, and children that may die.
import { spawn } from 'node:child_process'
import { closeSync, ftruncateSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { getSystemErrorMap, getSystemErrorName } from 'node:util'
import test from 'ava'
import { Mapping } from '../index'

import type { ExecutionContext } from 'ava'

export type Body = (t: ExecutionContext) => void | Promise<void>

export const page = Mapping.pageSize
export const onWindows = process.platform === 'win32'
export const onLinux = process.platform === 'linux'
/** scripts/cross-test.mjs says what the suite runs under: what an emulator gets wrong is marked test by test, with the reason. */
const emulator = process.env['MEMMAP_EMULATOR']
export const underWine = emulator === 'wine'
export const underQemu = emulator === 'qemu'
/** An emulator, or the loader of another C library, starts Node: `process.execPath` is a script, and the C compiler is not for this system. */
export const launched = emulator !== undefined
/** Why a page that is missing (SIGBUS) cannot be mended here. Stores to pages that are only to be read (SIGSEGV) can. */
export const missingPages =
  underQemu &&
  ['arm', 's390x'].includes(process.arch) &&
  'qemu tells a wrong address of a missing page on this processor'
/** Why a store to a page that is only to be read, or closed altogether, cannot be mended here. */
export const deniedPages =
  underQemu &&
  process.arch === 'ppc64' &&
  'qemu says of a protected page that none is there (SEGV_MAPERR) on this processor'
export const asRoot = process.getuid?.() === 0
/** Addresses end at 4 GiB. */
export const narrow = ['arm', 'ia32'].includes(process.arch)

/** Registers a test; where there is a problem, a skipped one whose title says why. Serial ones share something that others would disturb. */
export function unless(problem: string | undefined | false, run: typeof test | typeof test.serial = test) {
  return (title: string, body: Body): void => {
    if (problem) run.skip(`${title} (skipped: ${problem})`, body)
    else run(title, body)
  }
}

export const linuxOnly = unless(!onLinux && 'looks into /proc or uses what only Linux has')
export const posixOnly = unless(onWindows && 'Windows has no such files')
export const wideOnly = unless(narrow && 'the address space has 32 bits')
export const rootOnly = unless((!onLinux || !asRoot) && 'needs root on Linux, to mount a small disk')
export const userOnly = unless((onWindows || asRoot) && 'root may do everything, and Windows has no permission bits')

/**
 * Tests that change, cut or delete a file just after its mapping was closed. Windows holds the addresses of what is closed by placeholders; where
 * there are none the view stays until the collector has been round.
 */
export const lingering =
  onWindows &&
  !Mapping.isSupported('resizeInPlace') &&
  'this system has no placeholders: a closed file stays mapped until the buffers over it are collected'
export const atOnce = unless(lingering)

/** Removes a folder or a file with all that is in it. On Windows something may still be mapped: the system's own cleaning finds it. */
export function remove(path: string): void {
  try {
    rmSync(path, { recursive: true, force: true, maxRetries: 3 })
  } catch (error) {
    if (!onWindows) throw error
  }
}

/** Address space can be held in advance of a file's growth. */
export const reserving = unless(!Mapping.isSupported('resizeInPlace') && 'no address space can be reserved here')

/** Constants of memmap/posix as one number; what the system lacks counts 0, and no test that needs it runs there. */
export function bitsOf(...constants: readonly number[]): number {
  return constants.reduce((bits, each) => (typeof each === 'number' ? bits | each : bits), 0)
}

/** A folder of this spec's own, gone when it ends. */
export const folder = mkdtempSync(join(tmpdir(), 'memmap-test-'))
test.after.always('the folder goes', () => remove(folder))

let files = 0

/** A path in the spec's folder that nobody else has. */
export function fresh(extension = 'bin'): string {
  return join(folder, `${++files}.${extension}`)
}

/** A new file with these bytes, or this many that differ. */
export function file(content: number | string | Uint8Array): string {
  const path = fresh()
  writeFileSync(path, typeof content === 'number' ? counting(content) : content)
  return path
}

/** A new file of `length` bytes, none of which takes room on the disk. */
export function sparse(length: number): string {
  const path = fresh()
  const fd = openSync(path, 'w')
  try {
    ftruncateSync(fd, length)
  } finally {
    closeSync(fd)
  }
  return path
}

/** Why a file of `length` bytes cannot be made here, and mapped as a whole, if so. */
export function sparseProblem(length: number, mapped: 'whole' | 'in part' = 'whole'): string | undefined {
  if (mapped === 'whole' && narrow && length > 2 ** 30) return 'the address space has 32 bits'
  if (onWindows) return 'files are not sparse by themselves on Windows'
  let path: string | undefined
  try {
    path = sparse(length)
    return undefined
  } catch (error) {
    return `no sparse file of ${length} bytes here: ${(error as NodeJS.ErrnoException).code}`
  } finally {
    if (path !== undefined) rmSync(path)
  }
}

/** Bytes that tell their position: neighbours differ, and so do pages. */
export function counting(length: number): Buffer<ArrayBuffer> {
  const bytes = Buffer.alloc(length)
  for (let i = 0; i < length; i++) bytes[i] = (i * 7 + (i >>> 8) * 13 + (i >>> 16)) & 255
  return bytes
}

/** What `action` throws; the test fails if it does not. */
export function caught(t: ExecutionContext, action: () => unknown): NodeJS.ErrnoException {
  try {
    action()
  } catch (error) {
    return asError(t, error)
  }
  return t.fail('nothing was thrown') as never
}

/** What `promise` is rejected with; the test fails if it is not. */
export async function rejected(t: ExecutionContext, promise: Promise<unknown>): Promise<NodeJS.ErrnoException> {
  try {
    await promise
  } catch (error) {
    return asError(t, error)
  }
  return t.fail('nothing was rejected') as never
}

function asError(t: ExecutionContext, error: unknown): NodeJS.ErrnoException {
  t.true(error instanceof Error, String(error))
  return error as NodeJS.ErrnoException
}

interface System {
  readonly code: string
  readonly syscall?: string
  readonly path?: string
}

/** All that Node says of a system error, and says the same way. */
export function isSystemError(
  t: ExecutionContext,
  error: NodeJS.ErrnoException,
  { code, syscall, path }: System,
): void {
  t.is(error.code, code, error.message)
  t.is(error.name, 'Error')
  t.true(error.errno! < 0)
  t.is(getSystemErrorName(error.errno!), code)
  t.is(typeof error.syscall, 'string')
  if (syscall !== undefined) t.is(error.syscall, syscall)
  t.is(error.path, path)
  const [, text] = getSystemErrorMap().get(error.errno!)!
  const named = path === undefined ? '' : ` '${path}'`
  t.true(error.message.startsWith(`${code}: ${text}, ${error.syscall}${named}`), error.message)
  t.true(error.stack!.startsWith(`Error: ${error.message}`), error.stack)
}

const CLASSES: Readonly<Record<string, Function>> = {
  ERR_INVALID_ARG_TYPE: TypeError,
  ERR_INVALID_ARG_VALUE: TypeError,
  ERR_OUT_OF_RANGE: RangeError,
  ERR_BUFFER_TOO_LARGE: RangeError,
  ERR_INVALID_STATE: Error,
  ERR_FEATURE_UNAVAILABLE: Error,
}

/** An error that no system call was needed for: its class goes with its code, and its message names `mentions`. */
export function isCoded(t: ExecutionContext, error: NodeJS.ErrnoException, code: string, mentions = ''): void {
  t.is(error.code, code, error.stack)
  t.true(error instanceof CLASSES[code]!)
  t.is(error.name, CLASSES[code]!.name)
  t.is(error.errno, undefined)
  t.true(error.message.includes(mentions), `${mentions}: ${error.message}`)
}

/** The same for what `action` throws. */
export function throwsCoded(t: ExecutionContext, action: () => unknown, code: string, mentions = ''): void {
  isCoded(t, caught(t, action), code, mentions)
}

/** Runs `use` and closes the mapping, whatever happens. */
export function using<M extends Mapping, R>(mapping: M, use: (mapping: M) => R): R {
  try {
    return use(mapping)
  } finally {
    mapping.close()
  }
}

/** Lines of /proc/self/maps that name the file. */
export function mapsOf(path: string): number {
  return readFileSync('/proc/self/maps', 'utf8')
    .split('\n')
    .filter((line) => line.includes(path)).length
}

export interface Ended {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

/** Runs `__test__/crash/<script>` in a process of its own. */
export function child(script: string, args: readonly string[] = [], env: NodeJS.ProcessEnv = {}): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const argv = ['--expose-gc', '--no-warnings', join(__dirname, 'crash', script), ...args]
    const running = spawn(process.execPath, argv, {
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const out = { stdout: '', stderr: '' }
    running.stdout.setEncoding('utf8').on('data', (text: string) => (out.stdout += text))
    running.stderr.setEncoding('utf8').on('data', (text: string) => (out.stderr += text))
    running.on('error', reject)
    running.on('close', (code, signal) => resolve({ code, signal, ...out }))
  })
}

/** The child must live to its end; what it prints in its last line is JSON. */
export async function survives(
  t: ExecutionContext,
  script: string,
  args: readonly string[] = [],
  env: NodeJS.ProcessEnv = {},
): Promise<Record<string, unknown>> {
  const { code, signal, stdout, stderr } = await child(script, args, env)
  t.is(signal, null, stderr)
  t.is(code, 0, stderr)
  const last = stdout.trimEnd().split('\n').at(-1)!
  t.true(last.startsWith('{'), `${stdout}${stderr}`)
  return JSON.parse(last) as Record<string, unknown>
}
