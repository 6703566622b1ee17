import type * as Binding from '../binding'

/** A failing load is a help page with its cause. */
function load(): typeof Binding {
  try {
    return require('../binding.js') as typeof Binding
  } catch (cause) {
    const { explain, inspectSystem } = require('./native-help') as typeof import('./native-help')
    const error = new Error(explain(inspectSystem(), cause), { cause })
    throw Object.assign(error, { code: 'ERR_NATIVE_UNAVAILABLE' })
  }
}

/** `binding.js`, which napi generates. */
export const native = load()
