import { Core } from '../core'
import { native } from '../native'
import { MAPPED_FILE } from '../sharing'

import type { NativeMapping } from '../../binding'

/** The state of a mapping that no user sees. */
export function coreOf(mapping: NativeMapping, access: 'read' | 'write', path: string): Core {
  return new Core(mapping, { access, path, isPrivate: false, sharedArrayBuffer: false, label: MAPPED_FILE })
}

/** Maps a file; `length` -1: to its end. */
export function mapFile(path: string, access: 'read' | 'write', flags: number, length: number): Core {
  return coreOf(native.NativeMapping.openSync(path, flags, 0, length, 0o666, 0), access, path)
}

/** One buffer over all of it, on whatever the engine allows. What a page has behind the end is nobody's: segments can be shorter than pages. */
export function bufferOf(core: Core): ArrayBufferLike {
  return core.kind === 'external' ? core.export(0, core.end) : core.whole()
}
