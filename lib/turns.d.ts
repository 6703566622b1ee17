/**
 * Awaiting what is there already never lets the event loop go on: timers, sockets and the signal that should end it all would wait for the last value.
 * So who hands out values without end gives up its turn now and then.
 */
export declare class Turns {
    #private;
    /** Whether it is time to let others go first. */
    get isOver(): boolean;
    /** After everything that waits now has had its turn. */
    next(): Promise<void>;
}
