// The main process's work: a file of any size, searched on other threads.
'use strict'
const { MappedFile } = require('memmap')

/** How many bytes of a line are shown. */
const LONGEST = 200

/**
 * Counts a needle and takes copies of the first lines that hold it.
 * @param {string} path
 * @param {string} needle
 * @param {{ limit?: number, signal?: AbortSignal, onProgress?: (progress: { done: number, total: number }) => void }} options
 */
exports.search = async function search(path, needle, { limit = 5, signal, onProgress } = {}) {
  const file = await MappedFile.open(path)
  try {
    const count = await file.countAsync(needle, { threads: 2, signal, onProgress })
    const lines = []
    if (limit > 0) {
      for await (const position of file.indexesOf(needle, { signal })) {
        lines.push({ position, text: lineAround(file, position) })
        if (lines.length >= limit) break
      }
    }
    return { bytes: file.byteLength, count, lines }
  } finally {
    file.close()
  }
}

/** A copy: what leaves this process, or outlives the mapping, must be one. */
function lineAround(file, position) {
  const before = Math.min(position, LONGEST)
  const near = file.read(position - before, Math.min(before + LONGEST, file.byteLength - (position - before)))
  const from = near.lastIndexOf(10, before - 1) + 1
  const to = near.indexOf(10, before)
  return near.toString('utf8', before === 0 ? 0 : from, to < 0 ? near.length : to)
}
