/**
 * Electron's `fs` reads out of `.asar` archives; the system, which maps, sees one file there and nothing in it. Says so in the error
 * that a path inside one ends in; every other error comes back as it is.
 */
export declare function explainArchive(error: unknown, target: unknown): unknown;
