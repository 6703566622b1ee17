// W9: Copying a mapped file out in slices costs what memcpy costs.
import { join } from 'node:path'
import { MappedFile } from '../../index.js'
import { asked, ours } from '../harness/contestants.mjs'
import { GiB, MiB, bytesFile } from '../harness/fixtures.mjs'

const SLICE = MiB

export const modes = {
  full: { bytes: GiB, rounds: 11 },
  quick: { bytes: 256 * MiB, rounds: 7 },
  tiny: { bytes: 4 * MiB, rounds: 1 },
}

export const rivals = ['node-fs', 'riaskov-mmap-io', 'bun-mmap', 'python-mmap']

const workload = 'slices of 1 MiB'

export const figures = [{ workload, of: 'readInto', against: 'limit', most: 1.08 }]

export const headlines = [
  { what: 'copy 1 GiB out, 1 MiB at a time', workload, of: 'readInto', rival: 'fs.readSync', limit: 'limit' },
]

export function setup({ bytes, folder, field }) {
  const path = bytesFile(join(folder, 'bytes'), bytes)
  const file = MappedFile.openSync(path)
  const buffer = file.bytes
  const target = Buffer.alloc(SLICE)
  const slices = (action) => () => {
    for (let at = 0; at < bytes; at += SLICE) action(at)
    return bytes
  }
  const contestants = [
    ours(
      'readInto',
      slices((at) => file.readInto(target, at)),
    ),
    ours(
      'bytes.copy',
      slices((at) => buffer.copy(target, 0, at, at + SLICE)),
    ),
    ...asked(field.all, 'copy', [path, SLICE]),
  ]
  return { workloads: [{ name: workload, expected: bytes, contestants }], close: () => file.close() }
}
