/** What a program may never ask for, loaded when it does (lib/on-demand.ts). */
export { MappingCursor } from './cursor'
export { run, taskOf } from './jobs'
export { lastLinesOf, linesOf } from './lines'
export { carry } from './overlays'
export { everywhere, positionsOf } from './positions'
export { chunksOf, readStreamOf, writeStreamOf } from './streams'
export { abandonWaits, notify, wait, waitAsync } from './wait'
