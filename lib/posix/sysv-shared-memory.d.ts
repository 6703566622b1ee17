import { Mapping } from '../mapping';
import type { Opt } from '../types';
/** Options of {@link SysvSharedMemory.create}. */
export type SysvCreateOptions = Opt<{
    /** Permissions, as `node:fs` takes them. Default `0o600`. */
    mode: number | string;
    /** The key must be free (EEXIST). Default `true`. */
    exclusive: boolean;
}>;
/** Options of {@link SysvSharedMemory.open} and `attach`. */
export type SysvOpenOptions = Opt<{
    /** Default `'read'`. */
    access: 'read' | 'write';
}>;
/** What the system says about a segment. */
export interface SysvStatus {
    /** 0 for none, also once the segment is removed. */
    readonly key: number;
    /** In bytes, as it was asked for. */
    readonly length: number;
    /** Permission bits; on Linux also `SHM_DEST` and `SHM_LOCKED`. */
    readonly mode: number;
    readonly uid: number;
    readonly gid: number;
    readonly creatorUid: number;
    readonly creatorGid: number;
    /** The process that made it. */
    readonly creatorPid: number;
    /** The process that attached or detached it last; 0: none yet. */
    readonly lastPid: number;
    /** How often it is attached now, in all processes. */
    readonly attached: number;
    readonly attachTime: Date | null;
    readonly detachTime: Date | null;
    readonly changeTime: Date;
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
export declare class SysvSharedMemory extends Mapping<ArrayBuffer> {
    #private;
    /** By which shmat and `ipcrm -m` know it. */
    readonly id: number;
    private constructor();
    /** A new segment of zeros, attached for writing. Key `IPC_PRIVATE` (0): only the id finds it. */
    static create(key: number, length: number, options?: SysvCreateOptions): SysvSharedMemory;
    /** The segment with this key; ENOENT if there is none. */
    static open(key: number, options?: SysvOpenOptions): SysvSharedMemory;
    /** The segment with this id; EINVAL if there is none. */
    static attach(id: number, options?: SysvOpenOptions): SysvSharedMemory;
    /** ftok(3): a key from an existing file and the low 8 bits of a number, the same as C programs get. */
    static ftok(path: string, id: number): number;
    /** Asks the system; also after `close()`, as long as the segment is there. */
    stat(): SysvStatus;
    /** No process finds it any more; its memory goes with the last detach. A second call is EINVAL, unless it is still attached somewhere. */
    remove(): void;
    /** How much of it there is; the segment keeps its length. */
    size(): number;
}
