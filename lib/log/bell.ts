import * as flag from '../flags'
import { native } from '../native'
import { notify, waitAsync } from '../wait'
import { bellPath } from './directory'
import { writeBellMarks } from './format'
import { bufferOf, mapFile } from './map'

import type { Core } from '../core'
import type { Marks } from './format'

const LENGTH = 4096
/** Bytes of the two words. */
const ARMED = 0
const COUNT = 4

/** What readers sleep on: the file `bell`, because the log itself is read-only to them. */
export class Bell {
  readonly core: Core
  readonly words: Int32Array
  readonly #bytes: Uint8Array
  #turn = 0

  private constructor(core: Core) {
    this.core = core
    const buffer = bufferOf(core)
    this.words = new Int32Array(buffer, 0, LENGTH / 4)
    this.#bytes = new Uint8Array(buffer, 0, LENGTH)
  }

  /** The writer makes the file; a reader only opens it, and gets `undefined` where it may not write it or the system has no such waits. */
  static open(directory: string, writer: boolean): Bell | undefined {
    const path = bellPath(directory)
    if (!writer && !native.isSupported('wait')) return undefined
    try {
      if (writer) return new Bell(mapFile(path, 'write', flag.ACCESS_WRITE | flag.CREATE, LENGTH))
      // Making a file longer is the writer's business.
      const core = mapFile(path, 'write', flag.ACCESS_WRITE, -1)
      if (core.byteLength >= LENGTH) return new Bell(core)
      core.close()
      return undefined
    } catch (error) {
      if (writer) throw error
      return undefined
    }
  }

  /** Somebody sleeps: it arms again when it wants to sleep once more. */
  ring(): void {
    Atomics.store(this.words, ARMED >> 2, 0)
    Atomics.add(this.words, COUNT >> 2, 1)
    if (!native.isSupported('wait')) return
    try {
      notify(this.core, COUNT, undefined)
    } catch {
      // Somebody has cut the file: nobody can sleep there, and readers look by themselves.
    }
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

  /** Notes how far the log has come. */
  mark(id: Buffer, marks: Marks): void {
    // A flush may end after the log was closed.
    if (!this.core.closed) writeBellMarks(this.#bytes, id, marks, this.#turn++)
  }

  close(): void {
    this.core.close()
  }
}
