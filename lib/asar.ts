/** A folder or file of the path that is an Electron archive, with something behind it. */
const INSIDE = /^(.*?\.asar)[\\/]+(.+)$/i

/**
 * Electron's `fs` reads out of `.asar` archives; the system, which maps, sees one file there and nothing in it. Says so in the error
 * that a path inside one ends in; every other error comes back as it is.
 */
export function explainArchive(error: unknown, target: unknown): unknown {
  if (!(error instanceof Error) || (typeof target !== 'string' && !(target instanceof Uint8Array))) return error
  const { code } = error as NodeJS.ErrnoException
  // Windows has one error for both.
  if (code !== 'ENOTDIR' && code !== 'ENOENT') return error
  const match = INSIDE.exec(String(target))
  if (match === null) return error
  const [, archive, inside] = match
  const unpacked = `${archive}.unpacked/${inside}`
  rewrite(
    error,
    `${error.message}. A file inside an .asar archive cannot be mapped: list it in asarUnpack ` +
      `(electron-builder) or asar.unpack (Electron Forge), and open '${unpacked}'`,
  )
  return error
}

/** The stack begins with the message that it was captured with. */
function rewrite(error: Error, message: string): void {
  const { message: before, stack } = error
  error.message = message
  if (stack !== undefined) error.stack = stack.replace(before, () => message)
}
