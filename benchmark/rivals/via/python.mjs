// How Python comes in: a virtual environment with numpy in the cache, made once.
import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Child } from '../../harness/child.mjs'
import { Skip } from '../../harness/skip.mjs'
import { run } from '../../../scripts/lib/run.mjs'

const home = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'memmap', 'bench-python')
const python = join(home, process.platform === 'win32' ? 'Scripts/python.exe' : 'bin/python')
const program = fileURLToPath(new URL('../../programs/rival.py', import.meta.url))

async function step(what, command, ...args) {
  const { code, output, problem } = await run(command, args, { minutes: 5 })
  if (code !== 0) throw new Skip(`${what}: ${problem || output.trim().split('\n').at(-1)}`)
  return output.trim()
}

/** `how`: mmap or numpy. */
export async function pythonRival(name, how, verbs) {
  if (!existsSync(python)) await step('no virtual environment', 'python3', '-m', 'venv', home)
  const version = await step('Python does not run', python, '-c', 'import platform; print(platform.python_version())')
  const versions = [`Python ${version}`]
  if (how === 'numpy') {
    const probe = await run(python, ['-c', 'import numpy'])
    if (probe.code !== 0) await step('no numpy', python, '-m', 'pip', 'install', '--quiet', 'numpy')
    versions.push(`numpy ${await step('no numpy', python, '-c', 'import numpy; print(numpy.__version__)')}`)
  }
  return new Child(name, python, ['-u', program, how]).participant(versions.join(', '), verbs)
}
