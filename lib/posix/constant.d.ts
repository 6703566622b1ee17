/** The ENOTSUP for a constant, or later a call, that this platform lacks. */
export declare function notOffered(name: string): NodeJS.ErrnoException;
/** The number of `name`; an absent one is always the same object, and is typed as the number that it refuses to be. */
export declare function constant(name: string): number;
