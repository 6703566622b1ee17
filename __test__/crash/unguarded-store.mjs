// MEMMAP_FAULT_GUARD=0 on Windows: what a store to a mapping for reading does then. The suite expects this program to die, and the file to
// be as it was.
import { MappedFile, Mapping } from '../../index.js'

if (Mapping.isSupported('faultGuard')) throw new Error('there is a guard')
const view = MappedFile.openSync(process.argv[2]).bytes
console.log('ready')
view[2] = 1
console.log('done: it lives')
