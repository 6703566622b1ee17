import { execFile } from 'node:child_process'
import { mkdtempSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { MappedFile } from '../index'
import { remove } from './helpers'

import type { OpenOptions } from '../index'

/** The package as a child process requires it. */
export const PACKAGE = join(__dirname, '..', 'index.js')

/** A folder of one spec, and files in it. */
export class Scratch {
  readonly folder: string
  #count = 0

  constructor(name: string) {
    this.folder = mkdtempSync(join(tmpdir(), `memmap-${name}-`))
  }

  file(data: string | Uint8Array): string {
    const path = join(this.folder, `${this.#count++}.bin`)
    writeFileSync(path, data)
    return path
  }

  /** All hole. */
  sparse(length: number): string {
    const path = this.file('')
    truncateSync(path, length)
    return path
  }

  map(data: string | Uint8Array, options?: OpenOptions): MappedFile {
    return MappedFile.openSync(this.file(data), options)
  }

  remove(): void {
    remove(this.folder)
  }
}

export interface Ended {
  readonly code: number | null
  readonly signal: string | null
  readonly stdout: string
  readonly stderr: string
}

/** Runs a script (CommonJS; `memmap` and `fs` are there) in a Node of its own: for what may kill or hang a process. */
export function child(script: string, args: readonly string[] = [], timeout = 30_000): Promise<Ended> {
  const source = `const memmap = require(${JSON.stringify(PACKAGE)}); const fs = require('node:fs'); const args = process.argv.slice(1);${script}`
  return new Promise((resolve) => {
    execFile(process.execPath, ['-e', source, ...args], { timeout }, (error, stdout, stderr) => {
      const code = error === null ? 0 : typeof error.code === 'number' ? error.code : null
      resolve({ code, signal: error?.signal ?? null, stdout, stderr })
    })
  })
}

/** Everything an async iteration gives. */
export async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = []
  for await (const item of items) all.push(item)
  return all
}
