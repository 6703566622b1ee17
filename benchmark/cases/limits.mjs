// The Rust program of benchmark/limits as a child that answers one request at a time, so that its rounds lie between ours.
// `cargo build --release --manifest-path benchmark/limits/Cargo.toml` builds it; MEMMAP_LIMITS names it when it lies elsewhere.
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const built = fileURLToPath(new URL('../limits/target/release/memmap-limits', import.meta.url))

/** `undefined`, with a word about it, where it was not built. */
export function limits(path) {
  const program = process.env.MEMMAP_LIMITS ?? built
  if (!existsSync(program)) {
    console.log('without the limits: cargo build --release --manifest-path benchmark/limits/Cargo.toml')
    return undefined
  }
  const child = spawn(program, [path], { stdio: ['pipe', 'pipe', 'inherit'] })
  const lines = createInterface({ input: child.stdout })
  return {
    /** As `measured`, by the program's own clocks, and what it found. */
    async ask(request) {
      child.stdin.write(`${request}\n`)
      const [line] = await once(lines, 'line')
      const [clock, processor, result] = line.split(' ').map(Number)
      return { clock: clock / 1e6, processor: processor / 1e6, result }
    },
    end: () => child.stdin.end(),
  }
}

/** Milliseconds by the clock and of processor time of all threads: others' work on the machine moves the second less. */
export async function measured(action) {
  const usage = process.cpuUsage()
  const begun = performance.now()
  await action()
  const clock = performance.now() - begun
  const { user, system } = process.cpuUsage(usage)
  return { clock, processor: (user + system) / 1000 }
}

/** The same, of one list of measurements; with another list, round by round, how many times it. */
export function medians(list, other) {
  const of = (key) =>
    Float64Array.from(list.map((one, i) => one[key] / (other === undefined ? 1 : other[i][key]))).toSorted()[
      list.length >> 1
    ]
  return { clock: of('clock'), processor: of('processor') }
}

/** One line of a table: medians, and the ratios to a limit or rival, if there is one. */
export function row(name, list, other) {
  const { clock, processor } = medians(list)
  const line = `${name.padEnd(44)}${processor.toFixed(1).padStart(11)}${clock.toFixed(1).padStart(9)}`
  if (other === undefined) return line
  const ratio = medians(list, other)
  return `${line}${ratio.processor.toFixed(2).padStart(9)}${ratio.clock.toFixed(2).padStart(7)}`
}

/** Its head. */
export function head(title) {
  return `${title.padEnd(44)}  processor    clock  times of the limit (processor, clock)`
}
