// Which tests say nothing about a mapping that the engine's own memory carries, and why. Each entry names the tests and what they fail with:
// a test that fails otherwise has failed, and one that passes after all is counted as passed.

/** Carriers that the engine makes itself. */
const OWN = ['wasm', 'resizable', 'shared', 'refused']
const SHARED = ['shared']

/** What memmap/posix and Reservation are about: pages at an address that the caller knows. */
const AT_ADDRESS = /^(posix|reservation)/

/** Of buffers that can be detached. */
const LENGTH_AFTER_CLOSE = new RegExp(
  [
    'another does not see change by its closing',
    'that was handed out is empty',
    'every view becomes length 0',
    'close empties every view, twice is once',
    'a store through a view of a closed mapping goes nowhere',
    'closing one mapping of a file leaves the others alone',
    'handed out (are detached|have length 0)',
    'a target of another mapping that was closed is empty',
    'windows anywhere in a larger file have its bytes',
    'mappings that were opened and closed none is left',
    'who replaces the engine’s functions does not keep views alive',
    'a frozen buffer without a prototype is emptied',
  ].join('|'),
)

/** @type {readonly { carriers: readonly string[], title: RegExp, says?: RegExp, runtimes?: RegExp, reason: string }[]} */
const known = [
  {
    carriers: ['none'],
    title: /./,
    says: /ERR_VIEWS_UNAVAILABLE|This engine allows no ArrayBuffer over mapped memory/,
    reason: 'it looks through a view, and was told that there is none',
  },
  {
    carriers: ['none'],
    title: /a second writer is refused/,
    says: /the child left with 1 before: a first record|never resolved/,
    reason: 'its child writes a log, which is done through views',
  },
  {
    carriers: ['none'],
    title: /isSupported answers every feature/,
    reason: 'views are not supported, which it expects',
  },
  {
    carriers: ['none'],
    title: /Linux has what the table of platforms says/,
    says: /message: views/,
    reason: 'views are not supported, which it expects',
  },
  {
    carriers: [...OWN, 'none'],
    title: /a mapping describes itself/,
    reason: "it expects the carrier 'external'",
  },
  {
    carriers: OWN,
    title: /./,
    says: /EBUSY: resource busy or locked, mremap/,
    reason: 'a mapping that the engine carries cannot get another length or place, and says so',
  },
  {
    carriers: OWN,
    title: /^seal/,
    says: /EBUSY: resource busy or locked, fcntl \(the mapping is shared or carried by the engine\)/,
    reason: 'the carrier maps the memory for writing, too, so the right to write cannot be taken away',
  },
  {
    carriers: OWN,
    title: AT_ADDRESS,
    says: /ERR_VIEWS_UNAVAILABLE/,
    reason: 'private and mirrored pages of memmap/posix stay at their address, so the cage has no views of them',
  },
  {
    carriers: OWN,
    title: /hugePages: true stands on huge pages|the pool has its pages back after close/,
    says: /ERR_VIEWS_UNAVAILABLE/,
    reason: 'huge pages without a file cannot lie over the small ones of the engine',
  },
  {
    carriers: OWN,
    title: /a partial munmap leaves the rest|a place is taken until its mapping is closed/,
    says: /- (null|undefined)\n +\+ (\{\n +\+ +kind: )?'protected'/,
    reason:
      'what was taken out of a mapping reads zeros on a carrier, too, and a store to it goes nowhere, but nothing tells of it',
  },
  {
    carriers: OWN,
    title: /mappings made, cut and closed leave nothing behind/,
    says: /- \d\n +\+ 0|\d+ mappings, \d+ before/,
    reason:
      'tests beside it leave mappings open when they fail, and engines unmap their own memory some time after a GC',
  },
  {
    carriers: OWN,
    title: /private pages are locked without being copied/,
    says: /- 10240\n +\+ 20480/,
    reason: 'the kernel counts locked pages by halves where two map them, and the carrier is the second',
  },
  {
    carriers: OWN,
    title: /replace closes what it covers/,
    says: /-   0,\n +\+   200,/,
    reason: 'what was placed over a part of a mapping is at its address, not on the carrier, which has zeros there',
  },
  {
    carriers: OWN,
    title: /the attachment ends at close, though views are there/,
    reason: "it counts attachments, and the carrier's is one more",
  },
  {
    carriers: OWN,
    title: /close gives the memory back at once/,
    says: /Value is not `true`/,
    reason: 'it counts anonymous memory, and carried memory is shared memory',
  },
  {
    carriers: OWN,
    title: /EMFILE: no descriptor is left/,
    says: /EMFILE: too many open files, memfd_create/,
    reason: 'memory that is to be carried has a descriptor',
  },
  {
    carriers: OWN,
    title: /noReserve asks for no reservation of swap/,
    says: /Value is not `false`/,
    reason: 'what is mapped over pages of the engine is never reserved',
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
    title: /lengths past 2\^32|one Buffer over more than 4 GiB/,
    says: /ERR_VIEWS_UNAVAILABLE/,
    runtimes: /node20|deno/,
    reason: 'this engine makes no buffer of its own of that length',
  },
  {
    carriers: OWN,
    title: /terabyte/,
    says: /ERR_VIEWS_UNAVAILABLE/,
    reason: 'no engine makes a buffer of its own of that length',
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
    title: /hundred mappings of 100 MiB|a million random windows of a terabyte/,
    says: /external (at most )?\d{9,}|[1-9]\d* major GCs/,
    reason:
      'the engine counts all of a carrier at once, as it does with memory of its own, and collects for room for it',
  },
  {
    carriers: SHARED,
    title: /is one Buffer over all of it/,
    says: /Value is not `true`/,
    reason: 'it expects an ArrayBuffer',
  },
  {
    carriers: SHARED,
    title: /structuredClone with transfer/,
    says: /a clone is a copy/,
    reason: 'a SharedArrayBuffer that is cloned is the same memory',
  },
  {
    carriers: SHARED,
    title: LENGTH_AFTER_CLOSE,
    says: /^ +\+ +(0|undefined,)$|Function returned|a view outlived close|ERR_OUT_OF_RANGE|^ +# - +0,?$/m,
    reason: 'SharedArrayBuffers are never detached: they read zeros after close',
  },
  {
    carriers: SHARED,
    title: /fs\.(read|write) (that waits in the system|in flight)/,
    reason: 'what is in flight over a SharedArrayBuffer finds zeros after close',
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
