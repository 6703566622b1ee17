import {
  closeSync,
  existsSync,
  fstatSync,
  fsyncSync,
  openSync,
  promises,
  readSync,
  readdirSync,
  renameSync,
  statSync,
  unlinkSync,
} from 'node:fs'
import { join } from 'node:path'

import { HEADER, baseOf, fileName, parseHeader } from './format'

import type { Parsed } from './format'

/** A file with the name of a segment. */
export interface SegmentFile {
  readonly base: number
  readonly path: string
  readonly size: number
  /** Which file it is, as long as something has it open or mapped. */
  readonly inode: bigint
  readonly parsed: Parsed
}

export const segmentPath = (directory: string, base: number): string => join(directory, fileName(base))

/** The positions of all segments, in order. */
export function listBases(directory: string): number[] {
  const bases = []
  for (const name of readdirSync(directory)) {
    const base = baseOf(name)
    if (base !== undefined && Number.isSafeInteger(base)) bases.push(base)
  }
  return bases.toSorted((a, b) => a - b)
}

/** Reads one header and has it used while the file is open; `undefined` if there is no such file. */
export function withSegmentFile<R>(directory: string, base: number, use: (file: SegmentFile) => R): R | undefined {
  const path = segmentPath(directory, base)
  let fd: number
  try {
    fd = openSync(path, 'r')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
  try {
    const bytes = Buffer.alloc(HEADER)
    const length = readSync(fd, bytes, 0, HEADER, 0)
    // Of the open file: retention may have deleted its name by now.
    const { size, ino } = fstatSync(fd, { bigint: true })
    return use({ base, path, size: Number(size), inode: ino, parsed: parseHeader(bytes.subarray(0, length)) })
  } finally {
    closeSync(fd)
  }
}

export function readSegmentFile(directory: string, base: number): SegmentFile | undefined {
  return withSegmentFile(directory, base, (file) => file)
}

/** What its name stands for now; `undefined` if for nothing. */
export function statSegment(directory: string, base: number): { size: number; inode: bigint } | undefined {
  const stats = statSync(segmentPath(directory, base), { bigint: true, throwIfNoEntry: false })
  return stats && { size: Number(stats.size), inode: stats.ino }
}

export function readSegmentFiles(directory: string): SegmentFile[] {
  const files: SegmentFile[] = []
  const bases = listBases(directory)
  for (const [at, base] of bases.entries()) {
    let file = readSegmentFile(directory, base)
    // A listing may miss a file that was made while it went on, and have the ones after it.
    for (const until = bases[at + 1] ?? base; file !== undefined;) {
      files.push(file)
      const next = endOf(file)
      file = next !== undefined && next < until ? readSegmentFile(directory, next) : undefined
    }
  }
  return files
}

/** Where the segment after this one begins, if its header is its own. */
function endOf({ base, parsed }: SegmentFile): number | undefined {
  return parsed.kind === 'valid' && parsed.header.base === base ? base + parsed.header.length : undefined
}

/** The file that a writer locks. */
export const lockPath = (directory: string): string => join(directory, 'lock')

/** What readers sleep on, and where the writer notes how far it has come. */
export const bellPath = (directory: string): string => join(directory, 'bell')

/** The beginning of `bell`, as far as there is one that can be read. */
export function readBell(directory: string, length: number): Buffer {
  const bytes = Buffer.alloc(length)
  try {
    const fd = openSync(bellPath(directory), 'r')
    try {
      return bytes.subarray(0, readSync(fd, bytes, 0, length, 0))
    } finally {
      closeSync(fd)
    }
  } catch {
    return bytes.subarray(0, 0)
  }
}

/** A writer has been here. */
export const isLogDirectory = (directory: string): boolean => existsSync(lockPath(directory))

/** Nothing was ever written into this file. */
export function isZeros(path: string): boolean {
  const fd = openSync(path, 'r')
  try {
    const chunk = Buffer.alloc(1 << 20)
    for (let length = 1; length > 0;) {
      length = readSync(fd, chunk)
      if (chunk.subarray(0, length).some((byte) => byte !== 0)) return false
    }
    return true
  } finally {
    closeSync(fd)
  }
}

/** Takes a segment out of the log without losing a byte of it. */
export function setAside(path: string): void {
  rename(path, 'aside')
}

function rename(path: string, ending: string): void {
  let name = `${path}.${ending}`
  for (let turn = 1; existsSync(name); turn++) name = `${path}.${ending}.${turn}`
  renameSync(path, name)
}

/** Deletes a file that may be gone already. */
export function remove(path: string): void {
  try {
    unlinkSync(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
}

/** The same of a file that others may have mapped, which Windows then does not delete: false, and it is to be tried again. */
export function removeIfFree(path: string): boolean {
  try {
    remove(path)
    return true
  } catch (error) {
    if (process.platform === 'win32' && ['EPERM', 'EACCES', 'EBUSY'].includes((error as NodeJS.ErrnoException).code!))
      return false
    throw error
  }
}

/**
 * Deletes a segment that was made and not written, so that its name is free at once. What a reader has mapped Windows does not delete, but renames:
 * `discardUnused` comes back to it.
 */
export function discard(path: string): void {
  if (!removeIfFree(path)) rename(path, UNUSED)
}

const UNUSED = 'unused'

/** Deletes what `discard` could only rename, as far as nobody has it mapped any more. */
export function discardUnused(directory: string): void {
  if (process.platform !== 'win32') return
  for (const name of readdirSync(directory)) {
    if (/^\d{16}\.seg\.unused(\.\d+)?$/.test(name)) removeIfFree(join(directory, name))
  }
}

/** Windows has no fsync of directories. */
const SYNCS = process.platform !== 'win32'

/** fsync of a file by its path, which also writes what an unmapped mapping had stored. */
export function syncFileSync(path: string): void {
  const fd = openSync(path, 'r+')
  try {
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
}

export async function syncFile(path: string): Promise<void> {
  const file = await promises.open(path, 'r+')
  try {
    await file.sync()
  } finally {
    await file.close()
  }
}

/** fsync of a directory: the names in it are durable. */
export function syncDirectorySync(path: string): void {
  if (!SYNCS) return
  const fd = openSync(path, 'r')
  try {
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
}

export async function syncDirectory(path: string): Promise<void> {
  if (!SYNCS) return
  const directory = await promises.open(path, 'r')
  try {
    await directory.sync()
  } finally {
    await directory.close()
  }
}
