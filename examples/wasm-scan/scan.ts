/**
 * A WebAssembly module counts the lines of a file that lies in its own memory: no read call, no copy. Beside it, the same module over plain
 * memory, and reading the file into that memory first.
 *
 *     node examples/wasm-scan/scan.js [file]   (default: a file of 1 GiB that it makes and removes)
 */
import { closeSync, ftruncateSync, openSync, readFileSync, readSync, rmSync, statSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { mapInto } from '../../lib/wasm'

import type { WebAssemblyMemory } from '../../lib/wasm'

interface Exports {
  count(at: number, length: number, byte: number): number
}
interface Engine {
  Memory: new (descriptor: { initial: number; maximum: number }) => WebAssemblyMemory
  Module: new (bytes: Uint8Array) => object
  Instance: new (module: object, imports: object) => { readonly exports: unknown }
}
const { Memory, Module, Instance } = (globalThis as unknown as { WebAssembly: Engine }).WebAssembly

const PAGE = 65_536
const NEWLINE = 10
const ROUNDS = 5

const given = process.argv[2]
const path = given ?? makeFile(join(tmpdir(), `memmap-wasm-scan-${process.pid}`), 2 ** 30)
try {
  main(path)
} finally {
  if (given === undefined) rmSync(path)
}

function main(file: string): void {
  const { size } = statSync(file)
  const pages = Math.ceil(size / PAGE)
  const module = new Module(readFileSync(join(__dirname, 'count.wasm')))

  const mappedMemory = new Memory({ initial: 1, maximum: 65_536 })
  const mapped = new Instance(module, { env: { memory: mappedMemory } }).exports as Exports
  const mapping = mapInto(mappedMemory, file)

  const plainMemory = new Memory({ initial: pages, maximum: 65_536 })
  const plain = new Instance(module, { env: { memory: plainMemory } }).exports as Exports
  const load = (): void => readInto(file, new Uint8Array(plainMemory.buffer, 0, size))
  load()

  const times = { mapped: [] as number[], plain: [] as number[], read: [] as number[] }
  let lines = 0
  for (let round = 0; round < ROUNDS; round++) {
    lines = timed(times.mapped, () => mapped.count(mapping.at, size, NEWLINE) >>> 0)
    const again = timed(times.plain, () => plain.count(0, size, NEWLINE) >>> 0)
    timed(times.read, () => {
      load()
      return plain.count(0, size, NEWLINE)
    })
    if (again !== lines) throw new Error(`${lines} lines in the mapping, ${again} in plain memory`)
  }
  mapping.close()

  console.log(`${size} bytes, ${lines} lines; median of ${ROUNDS} rounds`)
  console.log(`mapped into the module's memory    ${milliseconds(times.mapped)}`)
  console.log(`the same bytes in plain memory     ${milliseconds(times.plain)}`)
  console.log(`read into plain memory, then that  ${milliseconds(times.read)}`)
  console.log(`mapped / plain                     ${(median(times.mapped) / median(times.plain)).toFixed(2)}`)
}

function timed(times: number[], work: () => number): number {
  const start = process.hrtime.bigint()
  const result = work()
  times.push(Number(process.hrtime.bigint() - start) / 1e6)
  return result
}

function median(values: readonly number[]): number {
  const sorted = [...values].toSorted((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)]!
}

function milliseconds(values: readonly number[]): string {
  return `${median(values).toFixed(1).padStart(8)} ms`
}

function readInto(file: string, target: Uint8Array): void {
  const fd = openSync(file, 'r')
  let done = 0
  while (done < target.byteLength) done += readSync(fd, target, done, Math.min(2 ** 30, target.byteLength - done), done)
  closeSync(fd)
}

function makeFile(file: string, size: number): string {
  const block = Buffer.from('the quick brown fox jumps over the lazy dog\n'.repeat(23_831)).subarray(0, 2 ** 20)
  const fd = openSync(file, 'w')
  for (let at = 0; at < size; at += block.byteLength) writeSync(fd, block, 0, Math.min(block.byteLength, size - at), at)
  ftruncateSync(fd, size)
  closeSync(fd)
  return file
}
