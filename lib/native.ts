import type * as Binding from '../binding'

/** A failing load is a help page with its cause. */
function load(): typeof Binding {
  try {
    return require('../binding') as typeof Binding
  } catch (cause) {
    const lines = [
      `memmap could not load its native part for ${process.platform}-${process.arch}.`,
      'Possible reasons:',
      '- it was installed without optional dependencies: run `npm install --include=optional`',
      '- node_modules was copied from another system: delete it and install again on this one',
      '- there is no prebuilt binary for this system: install Rust and run `npm run build` in a clone of memmap',
      `The loader said: ${cause instanceof Error ? cause.message : String(cause)}`,
    ]
    throw new Error(lines.join('\n'), { cause })
  }
}

/** `binding.js`, which napi generates. */
export const native = load()
