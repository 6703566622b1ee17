import { native } from './native'

/** Captured before anybody can replace it; Node 20 has none. */
const transfer = (ArrayBuffer.prototype as { transfer?: (length: number) => ArrayBuffer }).transfer
const apply = Reflect.apply

/**
 * Makes a buffer length 0 without touching its memory; `false` when it still reaches it.
 *
 * `napi_detach_arraybuffer` would abort the process on a buffer that the user marked untransferable (Node 24, Deno); `transfer` throws.
 */
export function detach(buffer: ArrayBuffer): boolean {
  try {
    if (transfer === undefined) native.detach(buffer)
    else apply(transfer, buffer, [0])
  } catch {
    return false
  }
  return buffer.byteLength === 0
}

const clone = structuredClone

/**
 * The same for a resizable buffer, but the pages go on living, in the buffer that comes back; `undefined` where it cannot be emptied, or was.
 * `transfer` would copy them.
 */
export function moveAway(buffer: ArrayBuffer): ArrayBuffer | undefined {
  if (buffer.byteLength === 0) return undefined
  try {
    const heir = clone(buffer, { transfer: [buffer] })
    return buffer.byteLength === 0 ? heir : undefined
  } catch {
    return undefined
  }
}
