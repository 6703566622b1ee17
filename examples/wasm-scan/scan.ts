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
const ROUNDS = 15
const WIDTH = 36

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
  const times = { first: [] as number[], mapped: [] as number[], plain: [] as number[], read: [] as number[] }

  const plainMemory = new Memory({ initial: pages, maximum: 65_536 })
  const plain = new Instance(module, { env: { memory: plainMemory } }).exports as Exports
  const load = (): void => readInto(file, new Uint8Array(plainMemory.buffer, 0, size))
  const scanPlain = (): number => plain.count(0, size, NEWLINE) >>> 0
  // Both instances share the module's code: from here on it is the optimised one.
  for (let i = 0; i < 3; i++) timed(times.read, () => (load(), scanPlain()))

  const mappedMemory = new Memory({ initial: 1, maximum: 65_536 })
  const mapped = new Instance(module, { env: { memory: mappedMemory } }).exports as Exports
  const mapping = mapInto(mappedMemory, file)
  const scanMapped = (): number => mapped.count(mapping.at, size, NEWLINE) >>> 0
  const lines = timed(times.first, scanMapped)

  for (let round = 0; round < ROUNDS; round++) {
    const scans = [() => timed(times.mapped, scanMapped), () => timed(times.plain, scanPlain)]
    // Whoever comes second may profit from the first, or suffer.
    for (const scan of round % 2 === 0 ? scans : scans.toReversed()) {
      const again = scan()
      if (again !== lines) throw new Error(`${lines} lines in the mapping, ${again} now`)
    }
  }
  mapping.close()

  console.log(`${size} bytes, ${lines} lines; best and median of ${ROUNDS} rounds, in milliseconds`)
  row('mapped into the module’s memory', times.mapped)
  row('the same bytes in plain memory', times.plain)
  row('read into plain memory, then that', times.read)
  row('mapped, the first time: page faults', times.first)
  const ratio = (pick: (values: readonly number[]) => number): string =>
    (pick(times.mapped) / pick(times.plain)).toFixed(2).padStart(8)
  console.log(`${'mapped / plain'.padEnd(WIDTH)}${ratio(best)}${ratio(median)}`)
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

function best(values: readonly number[]): number {
  return Math.min(...values)
}

function row(what: string, values: readonly number[]): void {
  const columns = [best(values), median(values)].map((value) => value.toFixed(1).padStart(8))
  console.log(`${what.padEnd(WIDTH)}${columns.join('')}`)
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
