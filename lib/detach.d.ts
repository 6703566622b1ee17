/**
 * Makes a buffer length 0 without touching its memory; `false` when it still reaches it.
 *
 * `napi_detach_arraybuffer` would abort the process on a buffer that the user marked untransferable (Node 24, Deno); `transfer` throws.
 */
export declare function detach(buffer: ArrayBuffer): boolean;
/**
 * The same for a resizable buffer, but the pages go on living, in the buffer that comes back; `undefined` where it cannot be emptied, or was.
 * `transfer` would copy them.
 */
export declare function moveAway(buffer: ArrayBuffer): ArrayBuffer | undefined;
