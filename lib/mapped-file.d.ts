import { Mapping } from './mapping';
import type { NoSab, OpenOptions, Sab, Target } from './types';
/** A file as memory. */
export declare class MappedFile<B extends ArrayBufferLike = ArrayBufferLike> extends Mapping<B> {
    #private;
    private constructor();
    /**
     * Maps a file: read-only and whole unless the options say otherwise. Empty files make empty mappings.
     *
     * System errors are Node's (`ENOENT`, `EACCES`, `EISDIR`, `ENODEV` for pipes and sockets, `ENOSPC` before anything is mapped); a range
     * that the file does not have is `ERR_OUT_OF_RANGE` unless `access: 'write'` extends it.
     *
     * @example
     * const index = await MappedFile.open('big.idx')
     * try {
     *   index.getUint32(12, true)
     * } finally {
     *   index.close()
     * }
     */
    static open(target: Target, options: OpenOptions & Sab): Promise<MappedFile<SharedArrayBuffer>>;
    static open(target: Target, options?: OpenOptions & NoSab): Promise<MappedFile<ArrayBuffer>>;
    static open(target: Target, options?: OpenOptions): Promise<MappedFile>;
    /** The twin of {@link open} that waits. */
    static openSync(target: Target, options: OpenOptions & Sab): MappedFile<SharedArrayBuffer>;
    static openSync(target: Target, options?: OpenOptions & NoSab): MappedFile<ArrayBuffer>;
    static openSync(target: Target, options?: OpenOptions): MappedFile;
}
