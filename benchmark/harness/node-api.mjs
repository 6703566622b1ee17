// The floor under every add-on by napi-rs: benchmark/limits/src/addon.rs, in this process, as ours is.
import { existsSync, statSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { increment, sumOf } from './loops.mjs'
import { Skip } from './skip.mjs'

const library = {
  linux: 'libmemmap_limits_addon.so',
  darwin: 'libmemmap_limits_addon.dylib',
  win32: 'memmap_limits_addon.dll',
}

const pathOf = (name) => fileURLToPath(new URL(`../limits/target/release/${name}`, import.meta.url))

/** It maps, and does nothing that could be left out. */
export function addon() {
  const program = pathOf(library[process.platform] ?? '')
  if (!existsSync(program))
    throw new Skip('not built: cargo build --release --manifest-path benchmark/limits/Cargo.toml')
  const module = { exports: {} }
  process.dlopen(module, program)
  const { Map: Mapped } = module.exports
  const kept = new Map()
  /** Mapped once, as ours is. The object goes along: collected, it would unmap what the view is over. */
  const keep = (path) => {
    if (!kept.has(path)) {
      const map = Mapped.open(path, false)
      kept.set(path, { map, words: new Int32Array(map.view(statSync(path).size)) })
    }
    return kept.get(path).words
  }
  return {
    name: 'Node-API limit',
    version: 'Rust',
    verbs: {
      open(path) {
        const map = Mapped.open(path, false)
        const byte = map.read(1)[0]
        map.close()
        return byte
      },
      window(path, length) {
        const map = Mapped.open(path, false)
        const buffer = map.view(length)
        const byte = Buffer.from(buffer)[0]
        map.close(buffer)
        return byte
      },
      increment(path, count, bytes) {
        const map = Mapped.open(path, true)
        const buffer = map.view(bytes)
        const words = new Int32Array(buffer)
        increment(words, count)
        map.close(buffer)
        return count
      },
      sum: (path) => sumOf(keep(path)),
    },
  }
}
