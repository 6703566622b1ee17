// The smallest test runner that reports: for suites that run where ava does not (Bun, Deno, a bare engine).

/** Why a page that is missing (SIGBUS) cannot be mended here, else ''. Stores to pages that are only to be read (SIGSEGV) can. */
export const missingPages =
  process.env.MEMMAP_EMULATOR === 'qemu' && ['arm', 's390x'].includes(process.arch)
    ? 'qemu tells a wrong address of a missing page on this processor'
    : ''

/** Why a store to a page that is only to be read cannot be mended here, else ''. */
export const deniedPages =
  process.env.MEMMAP_EMULATOR === 'qemu' && process.arch === 'ppc64'
    ? 'qemu says of a protected page that none is there (SEGV_MAPERR) on this processor'
    : ''

/**
 * Runs each test in order and prints TAP. A test that returns a string was skipped, and the string is why; `{ note }` is what it counted.
 * @param {Record<string, () => unknown>} cases by their titles
 * @param {() => void} atEnd runs whatever happened
 */
export async function tests(cases, atEnd = () => {}) {
  const titles = Object.keys(cases)
  console.log(`TAP version 13\n1..${titles.length}`)
  let number = 0
  for (const title of titles) {
    number++
    try {
      const result = await cases[title]()
      console.log(`ok ${number} - ${title}${typeof result === 'string' ? ` # SKIP ${result}` : ''}`)
      if (result?.note) console.log(`# ${result.note}`)
    } catch (error) {
      process.exitCode = 1
      console.log(`not ok ${number} - ${title}`)
      console.log(String(error?.stack ?? error).replace(/^/gm, '  # '))
    }
  }
  atEnd()
}
