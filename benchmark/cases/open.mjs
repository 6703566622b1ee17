// W4: Opening, mapping, reading the first byte and closing costs little more than the system calls, however large the file is.
import { join } from 'node:path'
import { MappedFile } from '../../index.js'
import { asked, each, ours } from '../harness/contestants.mjs'
import { GiB, MiB, bytesFile, sparseFile } from '../harness/fixtures.mjs'

export const modes = {
  full: { large: GiB, repeated: 500, rounds: 15 },
  quick: { large: GiB, repeated: 200, rounds: 9 },
  tiny: { large: MiB, repeated: 5, rounds: 1 },
}

export const rivals = [
  'node-fs',
  'riaskov-mmap-io',
  'bun-mmap',
  'python-mmap',
  'numpy-memmap',
  'java-mapped-byte-buffer',
  'java-memory-segment',
]

const SMALL = 'a small file (4 KiB)'
const LARGE = 'a large file (1 GiB)'
const READ = 'openSync, read'
const WINDOW = 'openSync, subarray(0, 4096)'
const ADDON = 'Node-API limit'
const ADDON_WINDOW = 'Node-API limit, a view of 4 KiB'
const PAGE = 4096

export const figures = [
  { workload: SMALL, of: READ, against: 'limit', most: 1.3, floor: ADDON },
  { workload: LARGE, of: READ, against: 'limit', most: 2, floor: ADDON },
  { workload: LARGE, of: WINDOW, most: 25, unit: 'us', floor: ADDON_WINDOW },
]

export const headlines = [
  { what: 'first byte of a file of 1 GiB', workload: LARGE, of: READ, rival: 'fs.readFileSync', limit: 'limit' },
  { what: 'the same of 4 KiB', workload: SMALL, of: READ, rival: 'fs.readFileSync', limit: 'limit' },
  { what: 'the same, beside one fs.readSync', workload: SMALL, of: READ, rival: 'fs.readSync' },
]

const forms = {
  [READ]: (file) => file.read(0, 1)[0],
  'openSync, getUint8': (file) => file.getUint8(0),
  [WINDOW]: (file) => file.subarray(0, PAGE)[0],
}

export function setup({ large, repeated, folder, field }) {
  const files = {
    [SMALL]: bytesFile(join(folder, 'small'), PAGE),
    [LARGE]: sparseFile(join(folder, 'large'), large),
  }
  const timed = (action) => () => each(repeated, action)
  const workloads = Object.entries(files).map(([name, path]) => ({
    name,
    expected: 0,
    contestants: [
      ...Object.entries(forms).map(([form, first]) =>
        ours(
          form,
          timed(() => {
            const file = MappedFile.openSync(path)
            const byte = first(file)
            file.close()
            return byte
          }),
        ),
      ),
      ...asked(field.all, 'open', [path, repeated], { around: (run) => each(repeated, run) }),
      ...asked(field.all, 'window', [path, PAGE], { around: (run) => each(repeated, run), name: ADDON_WINDOW }),
    ],
  }))
  return { workloads, notes: ['the large file is sparse; fs.readFileSync reads all of it'] }
}
