// Runs the programs of `crash/` for the suites: whatever can kill a process happens in a child.
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const { bun, deno } = process.versions
export const long = process.env.MEMMAP_TEST_LONG === '1'

/** How this engine runs a program that may call the collector. */
function command(program, args) {
  const path = fileURLToPath(new URL(`crash/${program}.mjs`, import.meta.url))
  if (bun) return [path, ...args]
  if (deno) {
    return ['run', '--allow-all', '--no-lock', '--cached-only', '--v8-flags=--expose-gc', path, ...args]
  }
  return ['--expose-gc', '--no-warnings', path, ...args]
}

/** By kill(1), where there is one: Deno's `child.kill` does not know every signal. */
export function send(child, signal) {
  if (process.platform === 'win32') {
    child.kill(signal)
    return
  }
  spawnSync('kill', [`-${signal.replace('SIG', '')}`, String(child.pid)])
}

/**
 * Runs a program to its end and never throws for what it does.
 * @param {string} program
 * @param {{ args?: string[], env?: Record<string, string>, limit?: string, seconds?: number, whenReady?: (child) => void }} options `limit`: of the shell's
 *   `ulimit`; `whenReady`: called once it has printed `ready`
 */
export function run(program, { args = [], env = {}, limit: limits, seconds = long ? 280 : 110, whenReady } = {}) {
  return new Promise((resolve) => {
    const own = [process.execPath, ...command(program, args)]
    const [first, ...rest] = limits ? ['sh', '-c', `ulimit ${limits} && exec "$@"`, 'sh', ...own] : own
    const child = spawn(first, rest, {
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let output = ''
    let stdout = ''
    let problem = ''
    child.stdout.setEncoding('utf8').on('data', (text) => {
      stdout += text
      output += text
      if (whenReady && /^ready$/m.test(stdout)) {
        whenReady(child)
        whenReady = undefined
      }
    })
    child.stderr.setEncoding('utf8').on('data', (text) => {
      output += text
    })
    const limit = setTimeout(() => {
      problem = `no end after ${seconds} s`
      send(child, 'SIGKILL')
    }, seconds * 1000)
    child.on('error', (error) => {
      problem = error.message
    })
    child.on('close', (code, signal) => {
      clearTimeout(limit)
      resolve({ code, signal, stdout, output, problem })
    })
  })
}

/** Runs a program that must live: gives what it counted, or a skip with its reason. */
export async function lives(program, options = {}) {
  const { exitCode = 0, ...rest } = options
  const { code, signal, stdout, output, problem } = await run(program, rest)
  const end = `${problem || (signal ? `killed by ${signal}` : `exit code ${code}`)}\n${output.slice(-4000)}`
  assert.ok(!problem && !signal && code === exitCode, `${program} ${rest.args?.join(' ') ?? ''}: ${end}`)
  const skipped = /^skip: (.*)$/m.exec(stdout)
  if (skipped) return skipped[1]
  const counts = /^done: (.*)$/m.exec(stdout)
  assert.ok(counts, `${program} did not come to its end: ${end}`)
  return { note: counts[1] }
}
