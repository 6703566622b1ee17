// Children: started in a process group of their own, so that a time limit ends what they started too and nothing else.
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

export const root = fileURLToPath(new URL('../..', import.meta.url))
const onWindows = process.platform === 'win32'

/**
 * Runs `command` to its end and never throws for what it does.
 * @param {string} command
 * @param {readonly string[]} args
 * @param {{ cwd?: string, env?: Record<string, string>, minutes?: number, show?: boolean }} options `show`: its output goes
 *   to this terminal as it comes, and is kept as well
 * @returns {Promise<{ code: number, stdout: string, output: string, problem: string, seconds: number }>} `problem`: why it
 *   ended in no ordinary way (not found, killed by a signal, out of time), else ''
 */
export function run(command, args, { cwd = root, env = {}, minutes = 20, show = false } = {}) {
  const started = performance.now()
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      cwd,
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: !onWindows,
      // npm is a .cmd there, which Node starts only through a shell.
      shell: onWindows && command === 'npm',
    })
    let stdout = ''
    let output = ''
    let problem = ''
    child.stdout.setEncoding('utf8').on('data', (text) => {
      stdout += text
      output += text
      if (show) process.stdout.write(text)
    })
    child.stderr.setEncoding('utf8').on('data', (text) => {
      output += text
      if (show) process.stderr.write(text)
    })
    const limit = setTimeout(() => {
      problem = `ended after ${minutes} minutes`
      if (onWindows) child.kill()
      else process.kill(-child.pid, 'SIGKILL')
    }, minutes * 60_000)
    child.on('error', (error) => {
      problem = error.message
    })
    child.on('close', (code, signal) => {
      clearTimeout(limit)
      if (!problem && signal) problem = `killed by ${signal}`
      resolve({ code: code ?? 1, stdout, output, problem, seconds: (performance.now() - started) / 1000 })
    })
  })
}
