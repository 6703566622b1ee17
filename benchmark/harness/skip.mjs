/** A participant that this machine has not, or cannot build: why. */
export class Skip extends Error {}
