// MEMMAP_FAULT_GUARD=0: what a truncated file does then. The suite expects this program to die.
import { truncateSync } from 'node:fs'
import { MappedFile, Mapping } from '../../index.js'
import { PAGE, file, pages } from './kit.mjs'

if (Mapping.isSupported('faultGuard')) throw new Error('there is a guard')
const path = file(pages(4))
const mapping = MappedFile.openSync(path)
const view = Mapping.isSupported('views') ? mapping.bytes : undefined
truncateSync(path, PAGE)
console.log('ready')
// Left for the next run of the suite to find: a process that dies by a signal removes nothing.
globalThis.sum = view === undefined ? mapping.getUint8(2 * PAGE) : view[2 * PAGE]
console.log('done: it lives')
