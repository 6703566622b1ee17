// W3: Searching a mapped file is as fast as the memchr crate, on one thread or two, and does not stop the event loop.
import { join } from 'node:path'
import { MappedFile } from '../../index.js'
import { asked, ours, rival, stalled } from '../harness/contestants.mjs'
import { GiB, MiB, textFile } from '../harness/fixtures.mjs'

export const modes = {
  full: { bytes: GiB, rounds: 7 },
  quick: { bytes: 256 * MiB, rounds: 5 },
  tiny: { bytes: MiB, rounds: 1 },
}

export const rivals = ['bun-mmap', 'python-mmap', 'ripgrep', 'grep']

/** None of them is in the text. */
const NEEDLES = { '1 byte': '~', '8 bytes': 'qzjxvkwy', '20 bytes': 'zebra crossing ahead' }
const NEWLINE = 10
const TWO = ', 2 threads'

export const figures = [
  ...Object.keys(NEEDLES).flatMap((workload) => [
    { workload, of: 'indexOf', against: 'limit', most: 1.05 },
    { workload: workload + TWO, of: 'indexOfAsync', against: 'limit', most: 1.1 },
    { workload: workload + TWO, of: 'indexOfAsync', metric: 'stall', most: 5, unit: 'ms' },
  ]),
  { workload: '8 bytes', of: 'indexOf', against: 'Buffer.indexOf', least: 8 },
  { workload: 'newlines', of: 'count', against: 'limit', most: 1.05 },
  { workload: 'newlines', of: 'count', against: 'Buffer.indexOf', least: 14, floor: 'limit' },
  { workload: `newlines${TWO}`, of: 'countAsync', against: 'limit', most: 1.1 },
  { workload: `newlines${TWO}`, of: 'countAsync', metric: 'stall', most: 5, unit: 'ms' },
]

export const headlines = [
  { what: 'search 1 GiB for 8 bytes', workload: '8 bytes', of: 'indexOf', rival: 'Buffer.indexOf', limit: 'limit' },
  { what: 'count the newlines of 1 GiB', workload: 'newlines', of: 'count', rival: 'ripgrep', limit: 'limit' },
]

export function setup({ bytes, folder, field }) {
  const path = textFile(join(folder, 'text'), bytes)
  const file = MappedFile.openSync(path)
  const buffer = file.bytes
  const limits = field.all.filter(({ kind }) => kind === 'limit')
  const searches = Object.entries(NEEDLES).flatMap(([name, needle]) => [
    {
      name,
      expected: -1,
      fresh: true,
      contestants: [
        ours('indexOf', () => file.indexOf(needle)),
        rival('Buffer.indexOf', () => buffer.indexOf(needle)),
        ...asked(field.all, 'find', [path, needle, 1]),
      ],
    },
    {
      name: name + TWO,
      expected: -1,
      fresh: true,
      contestants: [
        ours('indexOfAsync', () => stalled(() => file.indexOfAsync(needle, { threads: 2 }))),
        ours('indexOfAsync, 1 thread', () => stalled(() => file.indexOfAsync(needle, { threads: 1 }))),
        ...asked(limits, 'find', [path, needle, 2]),
      ],
    },
  ])
  const expected = file.count('\n')
  const counts = [
    {
      name: 'newlines',
      expected,
      fresh: true,
      contestants: [
        ours('count', () => file.count('\n')),
        rival('Buffer.indexOf', () => {
          let count = 0
          for (let at = buffer.indexOf(NEWLINE); at >= 0; at = buffer.indexOf(NEWLINE, at + 1)) count++
          return count
        }),
        ...asked(field.all, 'count', [path, NEWLINE, 1]),
      ],
    },
    {
      name: `newlines${TWO}`,
      expected,
      fresh: true,
      contestants: [
        ours('countAsync', () => stalled(() => file.countAsync('\n', { threads: 2 }))),
        ...asked(limits, 'count', [path, NEWLINE, 2]),
      ],
    },
  ]
  return { workloads: [...searches, ...counts], close: () => file.close() }
}
