import { stateOf } from '../accessors'
import { invalidArgValue } from '../errors'
import { Mapping, openedWith } from '../mapping'
import { native } from '../native'
import { checkInteger, fileMode, optionalBoolean, optionsOf } from '../validate'
import { constant } from './constant'
import { originOf } from './posix-mapping'
import { attach, ftok, markAttached, shmget, status } from './segments'

import type { Opt } from '../types'

/** Options of {@link SysvSharedMemory.create}. */
export type SysvCreateOptions = Opt<{
  /** Permissions, as `node:fs` takes them. Default `0o600`. */
  mode: number | string
  /** The key must be free (EEXIST). Default `true`. */
  exclusive: boolean
}>

/** Options of {@link SysvSharedMemory.open} and `attach`. */
export type SysvOpenOptions = Opt<{
  /** Default `'read'`. */
  access: 'read' | 'write'
}>

/** What the system says about a segment. */
export interface SysvStatus {
  /** 0 for none, also once the segment is removed. */
  readonly key: number
  /** In bytes, as it was asked for. */
  readonly length: number
  /** Permission bits; on Linux also `SHM_DEST` and `SHM_LOCKED`. */
  readonly mode: number
  readonly uid: number
  readonly gid: number
  readonly creatorUid: number
  readonly creatorGid: number
  /** The process that made it. */
  readonly creatorPid: number
  /** The process that attached or detached it last; 0: none yet. */
  readonly lastPid: number
  /** How often it is attached now, in all processes. */
  readonly attached: number
  readonly attachTime: Date | null
  readonly detachTime: Date | null
  readonly changeTime: Date
}

/**
 * A System V shared memory segment, which other programs find by its key and `ipcs -m` lists. It lives until `remove()` **and** the last
 * detach, also when every process is gone: whoever creates it sees to it that it is removed. ENOTSUP on Windows and Android.
 *
 * @example
 * const segment = SysvSharedMemory.create(SysvSharedMemory.ftok('/etc/hostname', 1), 4096)
 * try {
 *   segment.setInt32(0, 42, true)
 * } finally {
 *   segment.remove()
 *   segment.close()
 * }
 */
export class SysvSharedMemory extends Mapping<ArrayBuffer> {
  /** By which shmat and `ipcrm -m` know it. */
  readonly id: number

  private constructor(core: unknown, id: number) {
    super(core)
    this.id = id
    markAttached(this)
  }

  static #attach(id: number, readOnly: boolean): SysvSharedMemory {
    const { memory } = attach(id, null, readOnly ? constant('SHM_RDONLY') : 0)
    const origin = originOf(readOnly ? 'read' : 'write', false, false)
    return openedWith(memory, origin, (core) => new SysvSharedMemory(core, id))
  }

  /** A new segment of zeros, attached for writing. Key `IPC_PRIVATE` (0): only the id finds it. */
  static create(key: number, length: number, options: SysvCreateOptions = {}): SysvSharedMemory {
    checkInteger(length, 'length', 1)
    const given = optionsOf(options, ['mode', 'exclusive'], 'SysvSharedMemory.create')
    const mode = given['mode'] === undefined ? 0o600 : fileMode(given['mode'], 'options.mode')
    const exclusive = optionalBoolean(given['exclusive'], 'options.exclusive') ?? true
    const flags = constant('IPC_CREAT') | (exclusive ? constant('IPC_EXCL') : 0) | (mode & 0o777)
    const id = shmget(key, length, flags)
    try {
      return SysvSharedMemory.#attach(id, false)
    } catch (error) {
      // One that was there before is not ours to remove.
      if (exclusive) native.posixShmRemove(id)
      throw error
    }
  }

  /** The segment with this key; ENOENT if there is none. */
  static open(key: number, options?: SysvOpenOptions): SysvSharedMemory {
    const readOnly = isReadOnly(options, 'SysvSharedMemory.open')
    return SysvSharedMemory.#attach(shmget(key, 0, 0), readOnly)
  }

  /** The segment with this id; EINVAL if there is none. */
  static attach(id: number, options?: SysvOpenOptions): SysvSharedMemory {
    return SysvSharedMemory.#attach(id, isReadOnly(options, 'SysvSharedMemory.attach'))
  }

  /** ftok(3): a key from an existing file and the low 8 bits of a number, the same as C programs get. */
  static ftok(path: string, id: number): number {
    return ftok(path, id)
  }

  /** Asks the system; also after `close()`, as long as the segment is there. */
  stat(): SysvStatus {
    const { shm_perm: owner, ...found } = status(this.id)
    const time = (seconds: number): Date | null => (seconds === 0 ? null : new Date(seconds * 1000))
    return {
      key: owner.key,
      length: found.shm_segsz,
      mode: owner.mode,
      uid: owner.uid,
      gid: owner.gid,
      creatorUid: owner.cuid,
      creatorGid: owner.cgid,
      creatorPid: found.shm_cpid,
      lastPid: found.shm_lpid,
      attached: found.shm_nattch,
      attachTime: time(found.shm_atime),
      detachTime: time(found.shm_dtime),
      changeTime: new Date(found.shm_ctime * 1000),
    }
  }

  /** No process finds it any more; its memory goes with the last detach. A second call is EINVAL, unless it is still attached somewhere. */
  remove(): void {
    native.posixShmRemove(this.id)
  }

  /** How much of it there is; the segment keeps its length. */
  override size(): number {
    const core = stateOf(this)
    core.checkOpen()
    return core.byteLength
  }
}

function isReadOnly(options: unknown, caller: string): boolean {
  if (options === undefined) return true
  const { access } = optionsOf(options, ['access'], caller)
  if (access === undefined || access === 'read') return true
  if (access === 'write') return false
  throw invalidArgValue('options.access', access, "must be one of: 'read', 'write'")
}
