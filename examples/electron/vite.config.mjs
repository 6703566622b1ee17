// The bundled variant: `npm run bundle`, then `electron dist/main.cjs`.
// Webpack, likewise: `target: 'electron-main'`, `externals: { memmap: 'commonjs memmap' }`, `node: { __dirname: false }`.
import { cpSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const here = (path) => fileURLToPath(new URL(path, import.meta.url))

export default {
  build: {
    lib: { entry: { main: here('main.cjs'), utility: here('utility.cjs') }, formats: ['cjs'] },
    outDir: here('dist'),
    minify: false,
    target: 'node20',
    rollupOptions: {
      // memmap looks for its binary beside itself: it stays in node_modules, as one of `dependencies`, so that packagers take it along.
      external: ['memmap', 'electron', /^node:/],
      output: { entryFileNames: '[name].cjs', chunkFileNames: '[name]-[hash].cjs' },
    },
    // What is external is required, not imported.
    commonjsOptions: { include: [/\.cjs$/], extensions: ['.cjs', '.js'], ignore: ['memmap', 'electron'] },
  },
  plugins: [
    {
      name: 'copy-the-rest',
      closeBundle() {
        // A preload script of a sandboxed page is one file: it can require nothing of its own.
        const files = ['preload.cjs', 'renderer.html', 'renderer.cjs', 'data']
        for (const path of files) cpSync(here(path), here(`dist/${path}`), { recursive: true })
      },
    },
  ],
}
