// How a search program comes in: a process for each search, its start included, as anyone who calls it pays for it.
import { run } from '../../../scripts/lib/run.mjs'
import { Skip } from '../../harness/skip.mjs'

/** Exit code 1 is "not found". */
async function search(program, args) {
  const { code, problem, output, stdout } = await run(program, args, { env: { LC_ALL: 'C' } })
  if (problem !== '' || code > 1) throw new Error(`${program} ${args.join(' ')}: ${problem || output}`)
  return stdout
}

export async function searchTool(name, program, find, count) {
  const version = await run(program, ['--version'])
  if (version.code !== 0) throw new Skip(`not installed: ${program}`)
  return {
    name,
    version: version.output.split('\n')[0],
    elsewhere: true,
    verbs: {
      async find(path, needle) {
        const found = await search(program, [...find, needle, path])
        return { processor: undefined, result: found === '' ? -1 : Number(found.split(':')[0]) }
      },
      count: async (path) => ({
        processor: undefined,
        result: Number((await search(program, [...count, path])) || 0),
      }),
    },
  }
}
