import type { MappingFault } from './types';
type ErrorClass = new (message: string) => Error;
/** An error as Node makes its own: `code` on the object, `TypeError [ERR_…]: …` in the stack, a plain `name`. */
export declare function coded(Class: ErrorClass, code: string, message: string): NodeJS.ErrnoException;
/**
 * Gives an error that was made on another thread the stack of the `await` that met it: its own has one line.
 * Errors of this package only; anything else comes back as it is.
 */
export declare function recapture(error: unknown): unknown;
/** `expected` ends the sentence: `of type number`, `an instance of Buffer`. */
export declare function invalidArgType(name: string, expected: string, value: unknown): TypeError;
/** `reason` follows the name: `must be one of: 'read', 'write'`. */
export declare function invalidArgValue(name: string, value: unknown, reason?: string): TypeError;
/** `range` follows `It must be`: `>= 0 && <= 10`, `an integer`. */
export declare function outOfRange(name: string, range: string, value: unknown): RangeError;
/** Use after `close()`. */
export declare function invalidState(): Error;
/** Private pages are nowhere else: whoever transferred their buffer has taken them along. */
export declare function memoryTransferred(): Error;
/** As Node's own: whoever aborted says why in `cause`. */
export declare function abortError(cause: unknown): Error;
/** A handle of another process leads to no memory of this one. */
export declare function otherProcess(): Error;
/** Use of a reservation after `close()`. */
export declare function invalidReservation(): Error;
/** More than the engine can address through one buffer. */
export declare function bufferTooLarge(limit: number): RangeError;
/** The engine allows no buffer over foreign memory. */
export declare function viewsUnavailable(): Error;
/** `new MappedFile()`. */
export declare function illegalConstructor(makers: string): TypeError;
/** As Node says it of `toString`. */
export declare function stringTooLong(): Error;
/** The bytes of the mapping are not those of the file any more. */
export declare function mappingFault(fault: MappingFault, path: string | Uint8Array | undefined): Error;
/** A system error that no system call was needed for. */
export declare function systemError(code: 'EACCES' | 'EAGAIN' | 'EBADF' | 'EBUSY' | 'EINVAL' | 'ENOMEM' | 'ENOTSUP', syscall: string, path?: string | Uint8Array): Error;
/** A system error by its (positive) number, as the native side saw it. */
export declare function systemErrorOf(number: number, syscall: string, path?: string | Uint8Array): Error;
export {};
