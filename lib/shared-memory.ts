import { Buffer } from 'node:buffer'

import { invalidArgType, invalidArgValue, recapture, systemError } from './errors'
import { Mapping, adopters, coreOf, openedWith } from './mapping'
import { native } from './native'
import { SHARED_MEMORY } from './sharing'
import { checkInteger, fileMode, optionalBoolean, optionsOf } from './validate'

import type { NativeMapping } from '../binding'
import type { NoSab, Opt, Sab, Seal, ShmCreate, ShmOpen } from './types'

const SEALS: readonly Seal[] = ['shrink', 'grow', 'write', 'futureWrite', 'seal']

/** In bytes, with the slash: `PSHMNAMLEN` of macOS, `NAME_MAX` elsewhere. */
const LONGEST = process.platform === 'darwin' ? 31 : 256

/** Windows: a backslash leads into another namespace. */
const FORBIDDEN = process.platform === 'win32' ? /[/\\\0]/ : /[/\0]/

const DEFAULT_MODE = 0o600

/**
 * Memory that processes share: by a name (shm_overview(7); a named section on Windows), or nameless (memfd_create(2)), which a child inherits
 * as a descriptor.
 *
 * A named object stays until `unlink` or a restart of the system, whatever becomes of the processes that used it. Its memory is provided
 * when it is created, so that a full /dev/shm is `ENOSPC` then and not a fault later. On Windows it goes, name and memory, with the last
 * mapping of it: somebody must keep one. Windows and macOS round the length up to whole pages: that is what `open` maps.
 */
export class SharedMemory<B extends ArrayBufferLike = ArrayBufferLike> extends Mapping<B> {
  /** Of a named object, with its slash. */
  readonly name: string | undefined

  private constructor(core: unknown, name: string | undefined) {
    super(core)
    this.name = name
  }

  static {
    adopters[SHARED_MEMORY] = (core, name) => new SharedMemory(core, name)
  }

  static #of(
    mapping: NativeMapping,
    access: 'read' | 'write',
    name: string | undefined,
    sharedArrayBuffer: boolean,
  ): SharedMemory {
    return openedWith(
      mapping,
      { access, path: undefined, isPrivate: false, sharedArrayBuffer, label: SHARED_MEMORY },
      (core) => new SharedMemory(core, name),
    )
  }

  /**
   * Makes an object of `length` bytes of zeros and maps it for writing. With `exclusive: false` one that is there already is opened.
   *
   * @param length in bytes, at least 1
   * @throws `EEXIST` where the name is taken, `EINVAL` where `exclusive: false` finds a shorter object, `ENOSPC` where there is no memory for
   * it, `ENOTSUP` where the system has no names (Android), `ERR_OUT_OF_RANGE` for length 0, `ERR_INVALID_ARG_VALUE` for a name that is not one
   * leading slash and at most 255 other bytes (macOS: 30; Windows: no backslash).
   */
  static async create(name: string, length: number, options?: ShmCreate): Promise<SharedMemory> {
    const { mode, exclusive, sharedArrayBuffer } = createRequest(name, length, options)
    const mapping = await native.NativeMapping.sharedCreate(name, length, mode, exclusive).catch(rethrow)
    return SharedMemory.#of(mapping, 'write', name, sharedArrayBuffer)
  }

  /** The twin of {@link create} that waits. */
  static createSync(name: string, length: number, options: ShmCreate & Sab): SharedMemory<SharedArrayBuffer>
  static createSync(name: string, length: number, options?: ShmCreate & NoSab): SharedMemory<ArrayBuffer>
  static createSync(name: string, length: number, options?: ShmCreate): SharedMemory
  static createSync(name: string, length: number, options?: ShmCreate): SharedMemory {
    const { mode, exclusive, sharedArrayBuffer } = createRequest(name, length, options)
    const mapping = native.NativeMapping.sharedCreateSync(name, length, mode, exclusive)
    return SharedMemory.#of(mapping, 'write', name, sharedArrayBuffer)
  }

  /**
   * Maps the whole of an object that is there.
   *
   * @throws `ENOENT` where it is not, `EACCES` where its mode does not allow it, `EAGAIN` where its creator has not given it a size yet.
   */
  static async open(name: string, options?: ShmOpen): Promise<SharedMemory> {
    const { access, sharedArrayBuffer } = openRequest(name, options)
    const mapping = await native.NativeMapping.sharedOpen(name, access === 'write').catch(rethrow)
    return SharedMemory.#of(mapping, access, name, sharedArrayBuffer)
  }

  /** The twin of {@link open} that waits. */
  static openSync(name: string, options: ShmOpen & Sab): SharedMemory<SharedArrayBuffer>
  static openSync(name: string, options?: ShmOpen & NoSab): SharedMemory<ArrayBuffer>
  static openSync(name: string, options?: ShmOpen): SharedMemory
  static openSync(name: string, options?: ShmOpen): SharedMemory {
    const { access, sharedArrayBuffer } = openRequest(name, options)
    return SharedMemory.#of(
      native.NativeMapping.sharedOpenSync(name, access === 'write'),
      access,
      name,
      sharedArrayBuffer,
    )
  }

  /**
   * Nameless memory (Linux, FreeBSD: a memfd), for a child by its `stdio`: the child opens it with `fromFd`. On Windows no descriptor can stand
   * for it (`fd` is undefined): there it is for the threads of this process, and a child needs a name.
   *
   * @param length in bytes; 0 makes an empty mapping, which nobody can open before it has a size
   * @param options `seal`: rights to take away at once; `'write'` makes this mapping read-only, too.
   * @throws `ENOTSUP` where the system has no such memory, or `seal` where it has no seals.
   * @example
   * const frame = SharedMemory.anonymous(1 << 20)
   * spawn('node', ['child.js'], { stdio: ['inherit', 'inherit', 'inherit', frame.fd] }) // SharedMemory.fromFd(3)
   */
  static anonymous(length: number, options?: Opt<{ seal: readonly Seal[] }>): SharedMemory<ArrayBuffer> {
    checkInteger(length, 'length')
    const given = options === undefined ? {} : optionsOf(options, ['seal'], 'SharedMemory.anonymous')
    const seals = given['seal'] === undefined ? [] : sealsOf(given['seal'], 'options.seal')
    const access = seals.includes('write') ? 'read' : 'write'
    const mapping = native.NativeMapping.sharedNameless(length, seals)
    return SharedMemory.#of(mapping, access, undefined, false) as SharedMemory<ArrayBuffer>
  }

  /**
   * Maps memory that was received as a descriptor, which is duplicated.
   *
   * @throws `EAGAIN` where it has no size yet, `EPERM` for `'write'` where a seal forbids it.
   */
  static fromFd(fd: number, options?: Opt<{ access: 'read' | 'write' }>): SharedMemory<ArrayBuffer> {
    checkInteger(fd, 'fd', 0, 2 ** 31 - 1)
    const given = options === undefined ? {} : optionsOf(options, ['access'], 'SharedMemory.fromFd')
    const access = accessOf(given['access'])
    const mapping = native.NativeMapping.openSync(fd, access === 'write' ? 1 : 0, 0, -1, 0, 0)
    const memory = SharedMemory.#of(mapping, access, undefined, false) as SharedMemory<ArrayBuffer>
    if (memory.byteLength > 0) return memory
    memory.close()
    throw systemError('EAGAIN', 'mmap')
  }

  /**
   * Takes a name away at once; the memory goes with its last mapping. On Windows the name goes with it, too, and no earlier: this only says
   * (`ENOENT`) when it is not there.
   */
  static unlink(name: string): void {
    checkName(name)
    native.sharedUnlink(name)
  }

  /**
   * The names of all objects of this system that may be opened.
   *
   * @throws `ENOTSUP` where the system has no list.
   */
  static list(): string[] {
    return native.sharedList()
  }

  /**
   * Takes rights away from everybody who has this memory, for ever. With `'write'` this mapping becomes `'read'` first.
   *
   * @throws `EBUSY` for `'write'` while anybody else has a writable mapping of it, another mapping holds the same memory (`Mapping.from`), or its
   * views stand on memory of the engine's (`carrier` is not `'external'`); `EPERM` where `'seal'` was sealed, and on Linux for named objects; `EINVAL` for other memory that cannot be sealed;
   * `ENOTSUP` where the system has no seals (`Mapping.isSupported('seal')`).
   */
  seal(seals: readonly Seal[]): void {
    const core = coreOf(this)
    core.checkOpen()
    const names = sealsOf(seals, 'seals')
    try {
      core.native.seal(names)
    } finally {
      core.learnAccess()
    }
  }
}

function createRequest(name: unknown, length: unknown, options: unknown) {
  checkName(name)
  checkInteger(length, 'length', 1)
  const given =
    options === undefined ? {} : optionsOf(options, ['mode', 'exclusive', 'sharedArrayBuffer'], 'SharedMemory.create')
  return {
    mode: given['mode'] === undefined ? DEFAULT_MODE : fileMode(given['mode'], 'options.mode'),
    exclusive: optionalBoolean(given['exclusive'], 'options.exclusive') ?? true,
    sharedArrayBuffer: optionalBoolean(given['sharedArrayBuffer'], 'options.sharedArrayBuffer') ?? false,
  }
}

function openRequest(name: unknown, options: unknown) {
  checkName(name)
  const given = options === undefined ? {} : optionsOf(options, ['access', 'sharedArrayBuffer'], 'SharedMemory.open')
  return {
    access: accessOf(given['access']),
    sharedArrayBuffer: optionalBoolean(given['sharedArrayBuffer'], 'options.sharedArrayBuffer') ?? false,
  }
}

/** shm_open(3): "a name of the form /somename", for which all systems agree. */
function checkName(name: unknown): asserts name is string {
  if (typeof name !== 'string') throw invalidArgType('name', 'of type string', name)
  const rest = name.slice(1)
  const sound = name.startsWith('/') && rest !== '' && rest !== '.' && rest !== '..' && !FORBIDDEN.test(rest)
  if (!sound) throw invalidArgValue('name', name, 'must be a slash and then a name without slashes')
  if (Buffer.byteLength(name) > LONGEST) throw invalidArgValue('name', name, `must have at most ${LONGEST} bytes`)
}

function accessOf(value: unknown): 'read' | 'write' {
  if (value === undefined || value === 'read') return 'read'
  if (value === 'write') return value
  if (typeof value !== 'string') throw invalidArgType('options.access', 'of type string', value)
  throw invalidArgValue('options.access', value, "must be one of: 'read', 'write'")
}

function sealsOf(value: unknown, name: string): Seal[] {
  if (!Array.isArray(value)) throw invalidArgType(name, 'an instance of Array', value)
  for (const seal of value) {
    if (!SEALS.includes(seal as Seal)) throw invalidArgValue(name, seal, `must hold: '${SEALS.join("', '")}'`)
  }
  return [...new Set(value as Seal[])]
}

function rethrow(error: unknown): never {
  throw recapture(error)
}
