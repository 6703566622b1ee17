/** An async iterator whose values come in batches, each a plain iterator: only the empty-handed `next()` waits, so one value costs no more than its Promise. */
export declare class Batches<T> implements AsyncIterableIterator<T> {
    #private;
    /**
     * @param pull the next batch, `undefined` at the end
     * @param check throws when values that are there already must not be handed out any more
     * @param stop called once, when nobody wants more
     */
    constructor(pull: () => Promise<Iterator<T, undefined> | undefined>, check: () => void, stop: () => void);
    next(): Promise<IteratorResult<T, undefined>>;
    return(value?: undefined): Promise<IteratorResult<T, undefined>>;
    throw(error: unknown): Promise<never>;
    [Symbol.asyncIterator](): this;
}
