import { Mapping } from '../mapping';
import type { NativeMapping } from '../../binding';
import type { Opt } from '../types';
/** shmctl's `struct shmid_ds`; times are seconds since 1970, 0: never. */
export interface ShmidDs {
    readonly shm_perm: {
        readonly key: number;
        readonly uid: number;
        readonly gid: number;
        readonly cuid: number;
        readonly cgid: number;
        readonly mode: number;
    };
    readonly shm_segsz: number;
    readonly shm_atime: number;
    readonly shm_dtime: number;
    readonly shm_ctime: number;
    readonly shm_cpid: number;
    readonly shm_lpid: number;
    readonly shm_nattch: number;
}
/** What `IPC_SET` changes; what is absent stays. */
export type ShmSettings = Opt<{
    uid: number;
    gid: number;
    mode: number | string;
}>;
/** ftok(3): the key that C programs get for the same file and the low 8 bits of `id`. */
export declare function ftok(path: string, id: number): number;
/**
 * shmget(2): the id of the segment with this key, or of a new one.
 *
 * @param flags permission bits, `IPC_CREAT`, `IPC_EXCL`, `SHM_HUGETLB`, `SHM_NORESERVE`.
 */
export declare function shmget(key: number, length: number | bigint, flags: number): number;
/**
 * shmat(2): the segment as a Mapping, `'read'` with `SHM_RDONLY`, else `'write'`.
 *
 * @param addr a free place, or `null`: wherever the kernel likes. With `SHM_REMAP` a place inside of a {@link Reservation}, else EINVAL.
 */
export declare function shmat(id: number, addr?: bigint | null, flags?: number): Mapping;
/** For shmat and for SysvSharedMemory. */
export declare function attach(id: number, addr: bigint | null, flags: number): {
    memory: NativeMapping;
    readOnly: boolean;
    covered: number[];
};
/** shmdt takes it. */
export declare function markAttached(mapping: Mapping): void;
/** shmdt(2): closes the mapping that shmat made. EINVAL for any other. */
export declare function shmdt(addr: Mapping | bigint): void;
/**
 * shmctl(2).
 *
 * @param cmd `IPC_STAT` returns the status; `IPC_SET` changes the owner or the mode to those of `buf`; `IPC_RMID` removes the segment,
 * whose memory goes with the last detach; `SHM_LOCK` and `SHM_UNLOCK` (Linux).
 * @throws EINVAL for an id that no segment has, and for other commands.
 */
export declare function shmctl(id: number, cmd: number, buf?: ShmSettings): ShmidDs | undefined;
/** `IPC_STAT`. */
export declare function status(segment: number): ShmidDs;
