import { Mapping } from './mapping';
import type { NoSab, Opt, Sab, Seal, ShmCreate, ShmOpen } from './types';
/**
 * Memory that processes share: by a name (shm_overview(7); a named section on Windows), or nameless (memfd_create(2)), which a child inherits
 * as a descriptor.
 *
 * A named object stays until `unlink` or a restart of the system, whatever becomes of the processes that used it. Its memory is provided
 * when it is created, so that a full /dev/shm is `ENOSPC` then and not a fault later. On Windows it goes, name and memory, with the last
 * mapping of it: somebody must keep one. Windows and macOS round the length up to whole pages: that is what `open` maps.
 */
export declare class SharedMemory<B extends ArrayBufferLike = ArrayBufferLike> extends Mapping<B> {
    #private;
    /** Of a named object, with its slash. */
    readonly name: string | undefined;
    private constructor();
    /**
     * Makes an object of `length` bytes of zeros and maps it for writing. With `exclusive: false` one that is there already is opened.
     *
     * @param length in bytes, at least 1
     * @throws `EEXIST` where the name is taken, `EINVAL` where `exclusive: false` finds a shorter object, `ENOSPC` where there is no memory for
     * it, `ENOTSUP` where the system has no names (Android), `ERR_OUT_OF_RANGE` for length 0, `ERR_INVALID_ARG_VALUE` for a name that is not one
     * leading slash and at most 255 other bytes (macOS: 30; Windows: no backslash).
     */
    static create(name: string, length: number, options?: ShmCreate): Promise<SharedMemory>;
    /** The twin of {@link create} that waits. */
    static createSync(name: string, length: number, options: ShmCreate & Sab): SharedMemory<SharedArrayBuffer>;
    static createSync(name: string, length: number, options?: ShmCreate & NoSab): SharedMemory<ArrayBuffer>;
    static createSync(name: string, length: number, options?: ShmCreate): SharedMemory;
    /**
     * Maps the whole of an object that is there.
     *
     * @throws `ENOENT` where it is not, `EACCES` where its mode does not allow it, `EAGAIN` where its creator has not given it a size yet.
     */
    static open(name: string, options?: ShmOpen): Promise<SharedMemory>;
    /** The twin of {@link open} that waits. */
    static openSync(name: string, options: ShmOpen & Sab): SharedMemory<SharedArrayBuffer>;
    static openSync(name: string, options?: ShmOpen & NoSab): SharedMemory<ArrayBuffer>;
    static openSync(name: string, options?: ShmOpen): SharedMemory;
    /**
     * Nameless memory (Linux, FreeBSD: a memfd), for a child by its `stdio`: the child opens it with `fromFd`. On Windows no descriptor can stand
     * for it (`fd` is undefined): there it is for the threads of this process, and a child needs a name.
     *
     * @param length in bytes; 0 makes an empty mapping, which nobody can open before it has a size
     * @param options `seal`: rights to take away at once; `'write'` makes this mapping read-only, too.
     * @throws `ENOTSUP` where the system has no such memory, or `seal` where it has no seals.
     * @example
     * const frame = SharedMemory.anonymous(1 << 20)
     * spawn('node', ['child.js'], { stdio: ['inherit', 'inherit', 'inherit', frame.fd] }) // SharedMemory.fromFd(3)
     */
    static anonymous(length: number, options?: Opt<{
        seal: readonly Seal[];
    }>): SharedMemory<ArrayBuffer>;
    /**
     * Maps memory that was received as a descriptor, which is duplicated.
     *
     * @throws `EAGAIN` where it has no size yet, `EPERM` for `'write'` where a seal forbids it.
     */
    static fromFd(fd: number, options?: Opt<{
        access: 'read' | 'write';
    }>): SharedMemory<ArrayBuffer>;
    /**
     * Takes a name away at once; the memory goes with its last mapping. On Windows the name goes with it, too, and no earlier: this only says
     * (`ENOENT`) when it is not there.
     */
    static unlink(name: string): void;
    /**
     * The names of all objects of this system that may be opened.
     *
     * @throws `ENOTSUP` where the system has no list.
     */
    static list(): string[];
    /**
     * Takes rights away from everybody who has this memory, for ever. With `'write'` this mapping becomes `'read'` first.
     *
     * @throws `EBUSY` for `'write'` while anybody else has a writable mapping of it, another mapping holds the same memory (`Mapping.from`), or its
     * views stand on memory of the engine's (`carrier` is not `'external'`); `EPERM` where `'seal'` was sealed, and on Linux for named objects; `EINVAL` for other memory that cannot be sealed;
     * `ENOTSUP` where the system has no seals (`Mapping.isSupported('seal')`).
     */
    seal(seals: readonly Seal[]): void;
}
