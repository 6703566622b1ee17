/**
 * shm_open(3). The descriptor is the caller's: `fs.closeSync(fd)`. A new object has length 0: `fs.ftruncateSync(fd, length)`.
 *
 * @param oflag `O_RDONLY` or `O_RDWR`, with `O_CREAT`, `O_EXCL`, `O_TRUNC`.
 * @param mode of a new object, less the umask. Default `0o600`.
 */
export declare function shm_open(name: string, oflag: number, mode?: number): number;
/** shm_unlink(3): the name goes; the memory when the last mapping and descriptor of it are gone. */
export declare function shm_unlink(name: string): void;
/** memfd_create(2): memory without a name, with the face of a file. The descriptor is the caller's. */
export declare function memfd_create(name: string, flags?: number): number;
/** sysconf(3): -1 where there is no limit. */
export declare function sysconf(name: number): number;
