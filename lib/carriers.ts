import { native } from './native'

/** What views of a mapping stand on. */
export type CarrierKind = 'external' | 'shared' | 'wasm' | 'resizable' | 'none'

/** One buffer over a whole mapping, from the page-aligned base. */
export interface Carrier {
  readonly kind: 'shared' | 'wasm' | 'resizable'
  readonly buffer: ArrayBufferLike
  /** Where in the buffer the mapping's first page is. Absent: 0. */
  readonly at?: number
  /** Whether the engine has moved the memory away from the mapping (a memory of the user's only). Absent: it cannot. */
  moved?(): boolean
  /** Whether the user has transferred the buffer: its pages are not the mapping's any more. */
  lost?(): boolean
  /** After the file was taken away; `true` when views still reach the memory, which reads zeros then. */
  release(): boolean
}

const FORCED = ['wasm', 'resizable', 'shared', 'none'] as const

/** `MEMMAP_CARRIER`: for tests, and to find out what an engine can do. */
const forced = FORCED.find((kind) => kind === process.env['MEMMAP_CARRIER'])

let external: boolean | undefined

/** Whether the engine allows ArrayBuffers over foreign memory; V8's memory cage (Electron) does not. */
function externalAllowed(): boolean {
  return (external ??= native.externalAllowed())
}

/** What the views of a new mapping will stand on. */
export function chooseCarrier(sharedArrayBuffer: boolean): CarrierKind {
  if (forced === 'none') return 'none'
  if (sharedArrayBuffer || forced === 'shared') return 'shared'
  if (forced !== undefined) return forced
  if (externalAllowed()) return 'external'
  return native.overlaysAllowed() ? 'wasm' : 'none'
}

/** `isSupported('views')`. */
export function viewsSupported(): boolean {
  return chooseCarrier(false) !== 'none'
}

/**
 * `isSupported('wasm')`: Linux and macOS. Bun's memories move and its engine has none of V8's guarantees; 32-bit address spaces have no room.
 */
export function wasmSupported(): boolean {
  const narrow = ['arm', 'ia32', 'mips', 'mipsel'].includes(process.arch)
  return !narrow && process.versions['bun'] === undefined && native.overlaysAllowed()
}

/** Whether the pages of a private mapping must move onto the carrier: they cannot be in two places. */
export function isOverlay(kind: CarrierKind): boolean {
  return kind === 'wasm' || kind === 'resizable' || (kind === 'shared' && !sharedAllowed())
}

/** Where a carrier is forced, SharedArrayBuffers are those that the cage has. */
export function sharedAllowed(): boolean {
  return forced === undefined && externalAllowed() && native.sharedAllowed()
}
