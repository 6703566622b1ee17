import { setImmediate } from 'node:timers'

import type * as Later from './later'

let loaded: typeof Later | undefined
let planned = false

/** Opening, views, accessors, search and control do without: compiling the rest would be a third of every import. */
export function later(): typeof Later {
  return (loaded ??= require('./later.js') as typeof Later)
}

/**
 * Whoever maps something gets the rest as soon as nothing else is to be done: later an updater may have replaced the files under the running
 * program, or there may be no descriptor left to read them.
 */
export function planLater(): void {
  if (planned) return
  planned = true
  setImmediate(() => {
    try {
      later()
    } catch {
      // Tried again, and told, when it is needed.
    }
  }).unref()
}
