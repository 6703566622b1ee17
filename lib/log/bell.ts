import { join } from 'node:path'

import * as flag from '../flags'
import { native } from '../native'
import { notify, waitAsync } from '../wait'
import { bufferOf, mapFile } from './map'

import type { Core } from '../core'

const LENGTH = 4096
/** Bytes of the two words. */
const ARMED = 0
const COUNT = 4
const NAME = 'bell'

/** What readers sleep on: the file `bell`, because the log itself is read-only to them. */
export class Bell {
  readonly core: Core
  readonly words: Int32Array

  private constructor(core: Core) {
    this.core = core
    this.words = new Int32Array(bufferOf(core), 0, LENGTH / 4)
  }

  /** The writer makes the file; a reader only opens it, and gets `undefined` where it may not write it or the system has no such waits. */
  static open(directory: string, writer: boolean): Bell | undefined {
    const path = join(directory, NAME)
    if (!writer && !native.isSupported('wait')) return undefined
    try {
      const flags = flag.ACCESS_WRITE | (writer ? flag.CREATE : 0)
      return new Bell(mapFile(path, 'write', flags, LENGTH))
    } catch (error) {
      if (writer) throw error
      return undefined
    }
  }

  /** Somebody sleeps: it arms again when it wants to sleep once more. */
  ring(): void {
    Atomics.store(this.words, ARMED >> 2, 0)
    Atomics.add(this.words, COUNT >> 2, 1)
    if (native.isSupported('wait')) notify(this.core, COUNT, undefined)
  }

  /** To be called before the last look at the log; gives what to pass to `sleep`. */
  arm(): number {
    const count = Atomics.load(this.words, COUNT >> 2)
    Atomics.store(this.words, ARMED >> 2, 1)
    return count
  }

  /** Until it rings, or for `ms`: false then. */
  async sleep(count: number, ms: number, signal: AbortSignal): Promise<boolean> {
    return (await waitAsync(this.core, COUNT, count, { timeoutMs: ms, signal })) !== 'timed-out'
  }

  close(): void {
    this.core.close()
  }
}
