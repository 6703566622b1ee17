// How opening, searching, loading and appending grow with the size of a file, up to 1 TiB where nothing is read.
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { MappedFile } from '../../index.js'
import { MappedLog } from '../../lib/log/index.js'
import { asked, each, ours, stalled } from '../harness/contestants.mjs'
import { GiB, MiB, recordOf, sparseFile } from '../harness/fixtures.mjs'

const TiB = 1024 * GiB

export const modes = {
  full: { largestBytes: TiB, readBytes: 4 * GiB, logBytes: GiB, repeated: 200, rounds: 5 },
  quick: { largestBytes: TiB, readBytes: GiB / 2, logBytes: 64 * MiB, repeated: 50, rounds: 3 },
  tiny: { largestBytes: 16 * MiB, readBytes: 4 * MiB, logBytes: 4 * MiB, repeated: 3, rounds: 1 },
}

export const grows = 'bytes'

const RECORD = 512
const SIZES = [MiB, 16 * MiB, 256 * MiB, GiB, 4 * GiB, 16 * GiB, 64 * GiB, TiB]
const NEEDLE = 'not in zeros'

const upTo = (most) => SIZES.filter((size) => size <= most)
const named = (line, at, unit, contestants, per = 1) => ({
  name: `${line}, ${at / MiB} MiB`,
  line,
  at,
  unit,
  contestants,
  per,
})

export function setup({ largestBytes, readBytes, logBytes, repeated, folder, field }) {
  const limits = field.all.filter(({ kind }) => kind === 'limit')
  const path = (size) => sparseFile(join(folder, `sparse-${size}`), size)
  const log = join(folder, 'log')
  const record = recordOf(RECORD)
  const opening = upTo(largestBytes).map((size) => {
    const file = path(size)
    // Addresses of a mapping that had a buffer come back a turn of the event loop after close(): a process has 128 TiB of them.
    const times = Math.min(repeated, Math.floor((16 * TiB) / size))
    const open = (look) => () =>
      each(times, () => {
        const mapped = MappedFile.openSync(file)
        const byte = look(mapped)
        mapped.close()
        return byte
      })
    return named('open, look, close', size, 'once', [
      ours(
        'read',
        open((it) => it.read(size - 1, 1)[0]),
      ),
      ours(
        'subarray',
        open((it) => it.subarray(0, 4096)[0]),
      ),
      ...asked(limits, 'open', [file, times]),
    ])
  })
  const searching = upTo(readBytes).flatMap((size) => {
    const file = path(size)
    const mapped = () => MappedFile.openSync(file)
    const using = (action) => async () => {
      const it = mapped()
      try {
        return await action(it)
      } finally {
        it.close()
      }
    }
    return [
      named('search', size, '', [
        ours(
          'indexOf',
          using((it) => it.indexOf(NEEDLE)),
        ),
        ...asked(limits, 'find', [file, NEEDLE, 1]),
      ]),
      named('load, warm', size, '', [
        ours(
          'load',
          using((it) => stalled(() => it.load())),
        ),
        ...asked(limits, 'touch', [file]),
      ]),
    ]
  })
  const appending = upTo(logBytes).map((size) => {
    const count = size / RECORD
    const append = () => {
      const it = MappedLog.openSync(log, { flush: 'never' })
      for (let turn = 0; turn < count; turn++) it.append(record)
      it.close()
    }
    const removed = { after: () => rmSync(log, { recursive: true }) }
    return named('append', size, 'a record', [ours('append', append, removed)], count)
  })
  return {
    workloads: [...opening, ...searching, ...appending],
    notes: ['all files are sparse, so that no disk and no cache limits their size'],
  }
}
