import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'

import { native } from '../native'
import { Bell } from './bell'
import {
  discard,
  discardUnused,
  isZeros,
  lockPath,
  readSegmentFiles,
  segmentPath,
  setAside,
  syncDirectorySync,
  syncFileSync,
} from './directory'
import { HEADER, encodeHeader, newId } from './format'
import { judge, takeInventory } from './recovery'
import { Segment } from './segment'
import { Writer } from './writer'

import type { NativeLock } from '../../binding'
import type { LogFindings } from './findings'
import type { LogSettings } from './options'
import type { Inventory, LogRecovery, Verdict } from './recovery'

/** A writer that holds the lock of its directory. */
export interface Opened {
  readonly writer: Writer
  readonly bell: Bell
  readonly lock: NativeLock
  readonly recovery: LogRecovery
}

/** What is to be read between the two halves of opening; waiting for it is all that `open` and `openSync` do differently. */
export interface Opening {
  readonly inventory: Inventory
  finish(findings: LogFindings[]): Opened
  /** Gives the lock back after a failure. */
  abandon(): void
}

/** Takes the lock. A directory that is somebody else's is an error before anything is written. */
export function beginOpen(directory: string, settings: LogSettings): Opening {
  makeDirectory(directory)
  takeInventory(directory, readSegmentFiles(directory))
  const lock = native.NativeLock.acquire(lockPath(directory))
  try {
    // Only now nobody else writes.
    const inventory = takeInventory(directory, readSegmentFiles(directory))
    const finish = (findings: LogFindings[]) => {
      try {
        return finishOpen(directory, settings, lock, inventory, judge(inventory, findings))
      } catch (error) {
        lock.release()
        throw error
      }
    }
    return { inventory, finish, abandon: () => lock.release() }
  } catch (error) {
    lock.release()
    throw error
  }
}

function finishOpen(
  directory: string,
  settings: LogSettings,
  lock: NativeLock,
  inventory: Inventory,
  verdict: Verdict,
): Opened {
  for (const { file } of verdict.aside) setAside(file.path)
  for (const { file } of verdict.unused) {
    if (file.parsed.kind === 'zeros' && !isZeros(file.path)) setAside(file.path)
    else discard(file.path)
  }
  discardUnused(directory)
  const id = inventory.id ?? newId()
  const last = lastSegment(directory, settings, id, verdict)
  try {
    return beginWriting(directory, settings, lock, inventory, verdict, id, last)
  } catch (error) {
    last.segment.close()
    throw error
  }
}

function beginWriting(
  directory: string,
  settings: LogSettings,
  lock: NativeLock,
  inventory: Inventory,
  verdict: Verdict,
  id: Buffer,
  { segment, offset, cut }: LastSegment,
): Opened {
  const { durable, start } = inventory.marks
  // What was cut must never come back behind records that are appended now, so it is gone from the disk before they are there.
  if (cut > 0) segment.core.native.flushSync(0, segment.length, 0)
  if (verdict.aside.length + verdict.unused.length > 0) syncDirectorySync(directory)
  const others = verdict.end === undefined ? verdict.kept : verdict.kept.slice(0, -1)
  const sealed = others.map(({ file, header, sealedAt }) => ({
    base: file.base,
    length: header.length,
    path: file.path,
    sealedAt: sealedAt || header.created,
    synced: file.base + header.length <= durable,
  }))
  const end = segment.base + offset
  // From HEADER on, before which there is no record, the start also says that retention may have deleted files.
  const from = Math.max(start, forgets(settings) ? HEADER : 0)
  const marks = { durable: Math.min(durable, end), start: Math.min(from, end) }
  if (settings.flush !== 'never') {
    for (const one of sealed) {
      if (!one.synced) syncFileSync(one.path)
      one.synced = true
    }
    if (end > durable || segment.header.created === 0) segment.core.native.flushSync(0, segment.length, 0)
    syncDirectorySync(directory)
    marks.durable = end
  } else if (verdict.kept.length === 0) {
    // Whatever a power loss takes of a new log, it is known as one.
    segment.core.native.flushSync(0, HEADER, 0)
    syncDirectorySync(directory)
  }
  segment.mark(marks)
  const bell = Bell.open(directory, true)!
  bell.mark(id, marks)
  const writer = new Writer({ directory, settings, bell, id, marks, sealed, segment, offset })
  // Also what was given up before: whoever read it then may have closed it.
  writer.retain()
  const { recovered, damaged } = verdict
  return { writer, bell, lock, recovery: Object.freeze({ recovered, cut, damaged: Object.freeze(damaged) }) }
}

function forgets({ bytes, segments, ageMs }: LogSettings): boolean {
  return Math.min(bytes, segments, ageMs) < Infinity
}

/** With the names of directories that are new on the disk: a flush later on covers what is in them only. */
function makeDirectory(directory: string): void {
  const first = mkdirSync(directory, { recursive: true })
  if (first === undefined) return
  for (let made = directory; made.length >= first.length; made = dirname(made)) syncDirectorySync(dirname(made))
}

interface LastSegment {
  readonly segment: Segment
  readonly offset: number
  readonly cut: number
}

/** Where the log goes on: behind the last record, with nothing but zeros after it, or in a new segment. */
function lastSegment(directory: string, settings: LogSettings, id: Buffer, verdict: Verdict): LastSegment {
  const last = verdict.kept.at(-1)
  if (verdict.end !== undefined) {
    const segment = Segment.open(last!.file.path, last!.header)
    try {
      return { segment, offset: verdict.end, cut: segment.core.native.logErase(verdict.end) }
    } catch (error) {
      segment.close()
      throw error
    }
  }
  if (verdict.seal !== undefined) {
    const old = Segment.open(last!.file.path, last!.header)
    try {
      old.core.native.logErase(verdict.seal)
      old.sealAt(verdict.seal)
      old.core.native.flushSync(0, old.length, 0)
    } finally {
      old.close()
    }
  }
  const number = last === undefined ? 0 : last.header.number + 1
  const header = { id, base: verdict.next, number, length: settings.segmentSize, created: Date.now() }
  const path = segmentPath(directory, header.base)
  const mapping = native.NativeSegmentMaker.makeSync(path, header.length, encodeHeader(header))
  return { segment: new Segment(path, header, mapping), offset: HEADER, cut: 0 }
}
