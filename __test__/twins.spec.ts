import { promises } from 'node:fs'
import { pathToFileURL } from 'node:url'
import test from 'ava'
import { MappedFile } from '../index'
import { counting, file, folder, fresh, page } from './helpers'

import type { Mapping, OpenOptions, Target } from '../index'

const size = 2 * page + 1
const content = counting(size)

/** All that can be said of a mapping, or of the error in its place. */
function facts(m: Mapping): Record<string, unknown> {
  const { byteLength, fileOffset, access, path, pageSize, mapped, carrier, closed, fault } = m
  const bytes = m.read(0, byteLength).toString('latin1')
  const said = { byteLength, fileOffset, access, path, pageSize, mapped, carrier, closed, fault, bytes, size: m.size() }
  m.close()
  return said
}

function told(error: unknown): Record<string, unknown> {
  const { name, message, code, errno, syscall, path } = error as NodeJS.ErrnoException
  return { error: name, message, code, errno, syscall, path }
}

const cases: Record<string, () => [unknown, unknown?] | Promise<[unknown, unknown?]>> = {
  'a path': () => [file(content)],
  'a Buffer': () => [Buffer.from(file(content))],
  'a URL': () => [pathToFileURL(file(content))],
  'an empty file': () => [file('')],
  'a range': () => [file(content), { offset: 5, length: page }],
  'a range in bigint': () => [file(content), { offset: 5n, length: 6n }],
  'a copy': () => [file(content), { access: 'copy' }],
  'a writer': () => [file(content), { access: 'write' }],
  'an extension': () => [file(content), { access: 'write', length: 4 * page }],
  'a sparse extension': () => [file(content), { access: 'write', length: 4 * page, sparse: true }],
  creation: () => [fresh(), { access: 'write', create: true, length: 3 }],
  'exclusive creation': () => [fresh(), { access: 'write', create: 'exclusive', length: 3, mode: 0o600 }],
  'a missing file': () => [`${folder}/missing`],
  'a folder': () => [folder],
  'a range past the end': () => [file(content), { offset: size, length: 1 }],
  'an offset past the end': () => [file(content), { access: 'write', offset: size + 1 }],
  'a file that is there already': () => [file(content), { access: 'write', create: 'exclusive' }],
  'a wrong descriptor': () => [2 ** 20],
  'no target': () => [undefined],
  'a wrong option': () => [file(content), { lenght: 5 }],
  'a wrong access': () => [file(content), { access: 'none' }],
  'a wrong offset': () => [file(content), { offset: -1 }],
  'writing options without writing': () => [file(content), { create: true }],
  'a closed FileHandle': async () => {
    const handle = await promises.open(file(content))
    await handle.close()
    return [handle]
  },
}

for (const [name, make] of Object.entries(cases)) {
  test(`open and openSync agree about ${name}`, async (t) => {
    // Where the first twin would change what the second sees, each gets a file of its own; what differs then is the name.
    const [target, options] = (await make()) as [Target, OpenOptions?]
    const [again, optionsAgain] = (await make()) as [Target, OpenOptions?]
    const rename = (said: Record<string, unknown>, path: unknown) =>
      JSON.parse(JSON.stringify(said).replaceAll(JSON.stringify(path).slice(1, -1), 'PATH')) as unknown
    let sync: Record<string, unknown>
    try {
      sync = facts(MappedFile.openSync(target, options))
    } catch (error) {
      sync = told(error)
    }
    const async = await MappedFile.open(again, optionsAgain).then(facts, told)
    t.deepEqual(Object.keys(async), Object.keys(sync))
    if (typeof target === 'string') t.deepEqual(rename(async, again), rename(sync, target))
    else if (sync['path'] === undefined) t.deepEqual(async, sync)
    else t.deepEqual({ ...async, path: 0 }, { ...sync, path: 0 })
  })
}

test('a hundred openings at once are all right', async (t) => {
  const paths = Array.from({ length: 10 }, (_, i) => file(counting(1000 + i)))
  const mappings = await Promise.all(Array.from({ length: 100 }, (_, i) => MappedFile.open(paths[i % 10]!)))
  for (const [i, m] of mappings.entries()) {
    t.is(m.byteLength, 1000 + (i % 10))
    t.deepEqual(m.read(0, m.byteLength), counting(1000 + (i % 10)))
    m.close()
  }
})
