// ftok(3), shmget(2), shmat(2), shmdt(2), shmctl(2).
import { stateOf } from '../accessors'
import { invalidArgType, systemError } from '../errors'
import { Mapping } from '../mapping'
import { native } from '../native'
import { fileMode, optionsOf } from '../validate'
import { addressOf, hint, int, size, text } from './arguments'
import { constant } from './constant'
import { coreAt } from './memory'
import { closeAll, mappingOf, originOf } from './posix-mapping'

import type { NativeMapping } from '../../binding'
import type { Core } from '../core'
import type { Opt } from '../types'

/** shmctl's `struct shmid_ds`; times are seconds since 1970, 0: never. */
export interface ShmidDs {
  readonly shm_perm: {
    readonly key: number
    readonly uid: number
    readonly gid: number
    readonly cuid: number
    readonly cgid: number
    readonly mode: number
  }
  readonly shm_segsz: number
  readonly shm_atime: number
  readonly shm_dtime: number
  readonly shm_ctime: number
  readonly shm_cpid: number
  readonly shm_lpid: number
  readonly shm_nattch: number
}

/** What `IPC_SET` changes; what is absent stays. */
export type ShmSettings = Opt<{ uid: number; gid: number; mode: number | string }>

/** States of mappings that shmat made. */
const attached = new WeakSet<Core>()

/** ftok(3): the key that C programs get for the same file and the low 8 bits of `id`. */
export function ftok(path: string, id: number): number {
  return native.posixFtok(text(path, 'path'), int(id, 'id'))
}

/**
 * shmget(2): the id of the segment with this key, or of a new one.
 *
 * @param flags permission bits, `IPC_CREAT`, `IPC_EXCL`, `SHM_HUGETLB`, `SHM_NORESERVE`.
 */
export function shmget(key: number, length: number | bigint, flags: number): number {
  return native.posixShmget(int(key, 'key'), size(length, 'size'), int(flags, 'shmflg'))
}

/**
 * shmat(2): the segment as a Mapping, `'read'` with `SHM_RDONLY`, else `'write'`.
 *
 * @param addr a free place, or `null`: wherever the kernel likes. With `SHM_REMAP` a place inside of a {@link Reservation}, else EINVAL.
 */
export function shmat(id: number, addr: bigint | null = null, flags = 0): Mapping {
  const { memory, readOnly, covered } = attach(id, addr, flags)
  const mapping = mappingOf(memory, originOf(readOnly ? 'read' : 'write', false, false))
  closeAll(covered)
  markAttached(mapping)
  return mapping
}

/** For shmat and for SysvSharedMemory. */
export function attach(
  id: number,
  addr: bigint | null,
  flags: number,
): { memory: NativeMapping; readOnly: boolean; covered: number[] } {
  const segment = int(id, 'shmid')
  const address = hint(addr, 'shmaddr')
  const bits = int(flags, 'shmflg')
  const has = (name: string): boolean => {
    const bit: unknown = constant(name)
    return typeof bit === 'number' && (bits & bit) !== 0
  }
  const readOnly = has('SHM_RDONLY')
  const over = has('SHM_REMAP')
  const covered = over ? native.posixCovered(address, BigInt(native.posixShmStat(segment)[1]!)) : []
  const memory = native.posixShmat(segment, address, bits, readOnly, has('SHM_EXEC'), over)
  return { memory, readOnly, covered }
}

/** shmdt takes it. */
export function markAttached(mapping: Mapping): void {
  attached.add(stateOf(mapping))
}

/** shmdt(2): closes the mapping that shmat made. EINVAL for any other. */
export function shmdt(addr: Mapping | bigint): void {
  const core = coreAt(addr, addressOf(addr, 'shmaddr'), 'shmdt')
  if (!attached.has(core)) throw systemError('EINVAL', 'shmdt')
  core.close()
}

/**
 * shmctl(2).
 *
 * @param cmd `IPC_STAT` returns the status; `IPC_SET` changes the owner or the mode to those of `buf`; `IPC_RMID` removes the segment,
 * whose memory goes with the last detach; `SHM_LOCK` and `SHM_UNLOCK` (Linux).
 * @throws EINVAL for an id that no segment has, and for other commands.
 */
export function shmctl(id: number, cmd: number, buf?: ShmSettings): ShmidDs | undefined {
  const segment = int(id, 'shmid')
  const command = int(cmd, 'cmd')
  switch (command) {
    case constant('IPC_STAT'):
      return status(segment)
    case constant('IPC_RMID'):
      native.posixShmRemove(segment)
      return undefined
    case constant('IPC_SET'):
      change(segment, buf)
      return undefined
    default:
      native.posixShmControl(segment, command)
      return undefined
  }
}

/** `IPC_STAT`. */
export function status(segment: number): ShmidDs {
  const [key, length, mode, uid, gid, cuid, cgid, creator, last, count, attachTime, detachTime, changeTime] =
    native.posixShmStat(segment) as [...number[]] as FixedStatus
  return {
    shm_perm: { key, uid, gid, cuid, cgid, mode },
    shm_segsz: length,
    shm_atime: attachTime,
    shm_dtime: detachTime,
    shm_ctime: changeTime,
    shm_cpid: creator,
    shm_lpid: last,
    shm_nattch: count,
  }
}

type FixedStatus = [
  number,
  number,
  number,
  number,
  number,
  number,
  number,
  number,
  number,
  number,
  number,
  number,
  number,
]

function change(segment: number, buf: unknown): void {
  if (buf === undefined) throw invalidArgType('buf', 'of type object', buf)
  const given = optionsOf(buf, ['uid', 'gid', 'mode'], 'shmctl')
  const number = (name: string): number | undefined =>
    given[name] === undefined ? undefined : int(given[name], `buf.${name}`) >>> 0
  const mode = given['mode'] === undefined ? undefined : fileMode(given['mode'], 'buf.mode')
  native.posixShmChange(segment, number('uid'), number('gid'), mode)
}
