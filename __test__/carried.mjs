// Which tests say nothing about a mapping that the engine's own memory carries, and why. Each entry names the tests and what they fail with:
// a test that fails otherwise has failed, and one that passes after all is counted as passed.

/** Carriers that are SharedArrayBuffers, ArrayBuffers, or nothing. */
const NONE = ['none']

/** @type {readonly { carriers: readonly string[], title: RegExp, says?: RegExp, runtimes?: RegExp, reason: string }[]} */
const known = [
  {
    carriers: NONE,
    title: /./,
    says: /ERR_VIEWS_UNAVAILABLE/,
    reason: 'it looks through a view, and was told that there is none',
  },
]

/**
 * Why a test that failed proves nothing here, if so.
 * @param {{ carrier: string, runtime: string, title: string, says: string }} test `says`: everything that its report has on it
 */
export function excuse({ carrier, runtime, title, says }) {
  return known.find(
    (one) =>
      one.carriers.includes(carrier) &&
      one.title.test(title) &&
      (one.says === undefined || one.says.test(says)) &&
      (one.runtimes === undefined || one.runtimes.test(runtime)),
  )?.reason
}
