// @riaskov/mmap-io: the one maintained fork of mmap-io that builds. It cannot unmap: its buffers are unmapped when they are collected.
import { closeSync, fstatSync, openSync } from 'node:fs'
import { fromNpm } from './via/npm.mjs'
import { increment, sumOf } from '../harness/loops.mjs'

export function load() {
  const { version, module } = fromNpm('@riaskov/mmap-io')
  const mmap = module.default ?? module
  const mapped = (path, flags, protection) => {
    const fd = openSync(path, flags)
    try {
      return mmap.map(fstatSync(fd).size, protection, mmap.MAP_SHARED, fd)
    } finally {
      closeSync(fd)
    }
  }
  const words = (bytes) => new Int32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength >> 2)
  const reading = (path) => mapped(path, 'r', mmap.PROT_READ)
  const kept = new Map()
  /** Mapped once, as ours is. */
  const keep = (path) => {
    if (!kept.has(path)) kept.set(path, reading(path))
    return kept.get(path)
  }
  return {
    name: '@riaskov/mmap-io',
    version,
    verbs: {
      open: (path) => reading(path)[0],
      map: reading,
      increment: (path, count) => increment(words(mapped(path, 'r+', mmap.PROT_READ | mmap.PROT_WRITE)), count),
      sum: (path) => sumOf(words(keep(path))),
      copy(path, slice) {
        const bytes = keep(path)
        const target = Buffer.alloc(slice)
        for (let at = 0; at < bytes.length; at += slice) bytes.copy(target, 0, at, at + slice)
        return bytes.length
      },
      ring(path) {
        return mapped(path, 'r+', mmap.PROT_READ | mmap.PROT_WRITE)
      },
    },
  }
}
