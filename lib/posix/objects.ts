// shm_open(3), shm_unlink(3), memfd_create(2), sysconf(3).
import { native } from '../native'
import { int, text } from './arguments'

/**
 * shm_open(3). The descriptor is the caller's: `fs.closeSync(fd)`. A new object has length 0: `fs.ftruncateSync(fd, length)`.
 *
 * @param oflag `O_RDONLY` or `O_RDWR`, with `O_CREAT`, `O_EXCL`, `O_TRUNC`.
 * @param mode of a new object, less the umask. Default `0o600`.
 */
export function shm_open(name: string, oflag: number, mode = 0o600): number {
  return native.posixShmOpen(text(name, 'name'), int(oflag, 'oflag'), int(mode, 'mode') >>> 0)
}

/** shm_unlink(3): the name goes; the memory when the last mapping and descriptor of it are gone. */
export function shm_unlink(name: string): void {
  native.posixShmUnlink(text(name, 'name'))
}

/** memfd_create(2): memory without a name, with the face of a file. The descriptor is the caller's. */
export function memfd_create(name: string, flags = 0): number {
  return native.posixMemfdCreate(text(name, 'name'), int(flags, 'flags') >>> 0)
}

/** sysconf(3): -1 where there is no limit. */
export function sysconf(name: number): number {
  return Number(native.posixSysconf(int(name, 'name')))
}
