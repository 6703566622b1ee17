// Closing a mapping all of whose pages were touched costs what munmap costs.
import { join } from 'node:path'
import { MappedFile } from '../../index.js'
import { asked, ours } from '../harness/contestants.mjs'
import { GiB, MiB, bytesFile } from '../harness/fixtures.mjs'

export const modes = {
  full: { bytes: GiB, rounds: 9 },
  quick: { bytes: 256 * MiB, rounds: 7 },
  tiny: { bytes: MiB, rounds: 1 },
}

const workload = 'close'

export const figures = [{ workload, of: 'close(), no view', against: 'limit', most: 1.1 }]

export function setup({ bytes, folder, field }) {
  const path = bytesFile(join(folder, 'touched'), bytes)
  let file
  const closing = (touch) => ({
    before() {
      file = MappedFile.openSync(path)
      touch(file)
    },
  })
  const close = () => {
    file.close()
    return bytes
  }
  const contestants = [
    // A search touches all pages without a view.
    ours(
      'close(), no view',
      close,
      closing((it) => it.indexOf('no byte of the file')),
    ),
    ours(
      'close(), views to detach',
      close,
      closing((it) => it.bytes.indexOf('no byte of the file')),
    ),
    ...asked(field.all, 'unmap', [path]),
  ]
  return { workloads: [{ name: workload, expected: bytes, contestants }] }
}
