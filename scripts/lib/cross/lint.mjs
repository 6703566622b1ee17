// Clippy for systems that this machine is not: their files under src/os and src/futex are compiled by nothing else here that refuses warnings.
import { run } from '../run.mjs'
import { skipped, verdict } from '../reports.mjs'

/** One of each family. Of Windows the msvc target: that one needs no import library to be checked. */
export const linted = ['aarch64-apple-darwin', 'x86_64-unknown-freebsd', 'x86_64-pc-windows-msvc']

/** Whether the standard library of a target is here, or could be fetched. */
async function present(triple) {
  const { code, stdout } = await run('rustc', ['--print', 'target-libdir', '--target', triple], { minutes: 1 })
  if (code !== 0) return 'there is no rustc'
  const found = await run('sh', ['-c', 'ls "$1"/libstd-*', 'sh', stdout.trim()], { minutes: 1 })
  if (found.code === 0) return ''
  const added = await run('rustup', ['target', 'add', triple], { minutes: 5 })
  return added.code === 0 && !added.problem ? '' : `its standard library is not here (rustup target add ${triple})`
}

/** @returns counts, with the seconds it took and what clippy said */
export async function lint(triple) {
  const missing = await present(triple)
  if (missing) return { ...skipped(missing), seconds: 0, output: '' }
  const args = ['clippy', '--quiet', '--locked', '--target', triple, '--all-features', '--', '--deny', 'warnings']
  const result = await run('cargo', args, { minutes: 10 })
  return { ...verdict(result), seconds: result.seconds, output: result.output }
}
