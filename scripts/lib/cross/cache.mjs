// What cross building and testing fetches is kept outside the repository, each thing in a folder of its own that appears only when it is whole.
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { run } from '../run.mjs'

/** Shared with scripts/runtimes.mjs, which keeps its engines in a folder beside these. */
export const cache = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'memmap', 'cross')

/** A tool or runtime that cannot be had here: what needs it is skipped, and this is the printed reason. */
export class Unavailable extends Error {}

/**
 * The folder `name` in the cache; when it is not there, `make` fills a scratch folder that then takes its name.
 * @param {string} name
 * @param {(folder: string) => Promise<unknown>} make
 */
export async function once(name, make) {
  const folder = join(cache, name)
  if (existsSync(folder)) return folder
  mkdirSync(dirname(folder), { recursive: true })
  const scratch = mkdtempSync(join(cache, '.making-'))
  try {
    await make(scratch)
    // Another process may have been faster: its copy is as good.
    if (!existsSync(folder)) renameSync(scratch, folder)
  } finally {
    rmSync(scratch, { recursive: true, force: true })
  }
  return folder
}

/** Runs a command that fetches or unpacks something; a failure makes the thing unavailable. */
export async function need(what, command, args, options = {}) {
  const result = await run(command, args, { minutes: 15, ...options })
  if (result.code === 0 && !result.problem) return result
  const last = result.output.trim().split('\n').slice(-3).join(' / ')
  throw new Unavailable(`${what}: ${result.problem || last || `${command} ended with ${result.code}`}`)
}

/** Is there such a command on the PATH? */
export async function has(command) {
  const result = await run('sh', ['-c', `command -v ${command}`], { minutes: 1 })
  return result.code === 0
}
