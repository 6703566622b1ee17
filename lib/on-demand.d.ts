import type * as Later from './later';
/** Opening, views, accessors, search and control do without: compiling the rest would be a third of every import. */
export declare function later(): typeof Later;
/**
 * Whoever maps something gets the rest as soon as nothing else is to be done: later an updater may have replaced the files under the running
 * program, or there may be no descriptor left to read them.
 */
export declare function planLater(): void;
