// Which tests say nothing about a mapping that the engine's own memory carries, and why. Each entry names the tests and what they fail with:
// a test that fails otherwise has failed, and one that passes after all is counted as passed.

/** Carriers that the engine makes itself. */
const OWN = ['wasm', 'resizable', 'shared', 'refused']
const SHARED = ['shared']

/** What memmap/posix and Reservation are about: pages at an address that the caller knows. */
const AT_ADDRESS = /^(posix|reservation)/

/** @type {readonly { carriers: readonly string[], title: RegExp, says?: RegExp, runtimes?: RegExp, reason: string }[]} */
const known = [
  {
    carriers: ['none'],
    title: /./,
    says: /ERR_VIEWS_UNAVAILABLE/,
    reason: 'it looks through a view, and was told that there is none',
  },
  {
    carriers: ['none'],
    title: /isSupported answers every feature/,
    reason: 'views are not supported, which it expects',
  },
  {
    carriers: [...OWN, 'none'],
    title: /a mapping describes itself/,
    reason: "it expects the carrier 'external'",
  },
  {
    carriers: OWN,
    title: AT_ADDRESS,
    says: /ERR_VIEWS_UNAVAILABLE/,
    reason: 'private and mirrored pages of memmap/posix stay at their address, so the cage has no views of them',
  },
  {
    carriers: OWN,
    title: AT_ADDRESS,
    says: /EBUSY/,
    reason: 'a mapping that the engine carries cannot get another length or place',
  },
  {
    carriers: OWN,
    title: /a partial munmap leaves|mappings made, cut and closed|a place is taken until|replace closes what it covers/,
    reason: 'it cuts a hole into a mapping and looks through a view of all of it, which shows the file there, too',
  },
  {
    carriers: OWN,
    title: /the attachment ends at close, though views are there/,
    reason: "it counts attachments, and the carrier's is one more",
  },
  {
    carriers: OWN,
    title: /close gives the memory back at once/,
    reason: 'it counts anonymous memory, and carried memory is shared memory',
  },
  {
    carriers: OWN,
    title: /what is unreachable is collected|mappings that were opened and dropped none is left/,
    reason: 'what the engine carries is given back by close(), not by a collector: it warns once',
  },
  {
    carriers: OWN,
    title: /cold sequential reading leaves little/,
    reason: 'it looks at what is in memory of one mapping, and the carrier maps the file once more',
  },
  {
    carriers: OWN,
    title: /lengths past 2\^32|one Buffer over more than 4 GiB|terabyte/,
    says: /ERR_VIEWS_UNAVAILABLE/,
    runtimes: /node20|deno/,
    reason: 'this engine makes no buffer of its own of that length',
  },
  {
    carriers: OWN,
    title: /^hostile .*transferred|a buffer that was marked untransferable/,
    says: /not detachable|DataCloneError|could not be cloned|cannot be resized or transferred|is not a function/,
    reason: 'the user cannot transfer the buffer of a carrier',
  },
  {
    carriers: [...OWN, 'none'],
    title: /may exit with a buffer that was marked untransferable/,
    reason: 'it is known to fail with external buffers, and these are none',
  },
  {
    carriers: OWN,
    title: /million random windows|hundred mappings of 100 MiB/,
    reason: 'the engine counts all of a carrier at once, as it does with memory of its own',
  },
  {
    carriers: SHARED,
    title:
      /close|detached|length 0|one Buffer over all of it|windows anywhere in a larger file|what one mapping exports|is empty/,
    reason: 'SharedArrayBuffers are never detached: they read zeros after close',
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
