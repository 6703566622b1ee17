// What `import 'memmap'` loads: each entry point as one file, and what they share in another. Node takes a third of a millisecond for every
// file that it finds, reads and compiles, and the sources are over fifty.
import { readFileSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { rolldown } from 'rolldown'
import { root } from './lib/run.mjs'

/** `./lib/posix.js`, for everything that package.json lets users import. */
const entries = Object.values(JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).exports)
  .map((target) => target.default)
  .filter(Boolean)
  .map((path) => path.slice('./'.length).replace(/\.js$/, ''))

/** They stay files of their own: explanations for when something fails. */
const apart = ['native-help', 'asar']

/** What lib/on-demand.ts loads. */
const LATER = 'lib/later'

/**
 * The enums of memmap/posix are declared ones, and export by hand what is behind them (lib/posix/enums.ts says why). To the bundler a file with
 * `exports` is CommonJS, which it wraps, and with it all that it imports: it is told what is meant.
 */
const enums = {
  name: 'enums',
  transform: {
    filter: { id: /[\\/]enums\.ts$/ },
    handler: (code) =>
      code
        .replaceAll(/^export declare enum \w+ \{[^}]*\}$/gm, '')
        .replaceAll(/^exports\.(\w+) = /gm, 'export const $1 = '),
  },
}

const bundle = await rolldown({
  cwd: root,
  input: Object.fromEntries([...entries, LATER].map((path) => [path, `./${path}.ts`])),
  platform: 'node',
  plugins: [enums],
  // With their endings: Bun takes the source where there is one.
  external: ['../binding.js', ...[...apart, 'later'].map((name) => `./${name}.js`)],
  transform: { target: 'es2022' },
  onLog(level, log) {
    // An import that leads nowhere is a warning to the bundler and a broken package to us.
    throw new Error(`${level}: ${log.message}`)
  },
})
const { output } = await bundle.write({
  dir: root,
  format: 'cjs',
  exports: 'named',
  comments: false,
  entryFileNames: '[name].js',
  chunkFileNames: 'lib/bundled-[name].js',
  codeSplitting: {
    // With all that they import; of the others' sources, what more than one of them does.
    groups: [
      { name: 'core', test: /[\\/]lib[\\/](mapping|mapped-file|anonymous-memory|shared-memory)\.ts$/, priority: 1 },
      { name: 'later', test: /[\\/]lib[\\/](?!posix\.|wasm\.|later\.)[\w-]+\.ts$/ },
    ],
  },
})

// What tsc wrote for each source would be a second copy, with a state of its own, of whatever somebody imports from there.
const kept = new Set([...output.map(({ fileName }) => fileName), ...apart.map((name) => `lib/${name}.js`)])
for (const name of readdirSync(join(root, 'lib'), { recursive: true })) {
  const path = join('lib', name).replaceAll('\\', '/')
  if (path.endsWith('.js') && !kept.has(path)) rmSync(join(root, path))
}
