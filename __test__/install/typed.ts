import { AnonymousMemory, type Mapping, MappedFile } from 'memmap'

const file: Mapping<ArrayBuffer> = MappedFile.openSync(__filename)
const first: Buffer<ArrayBuffer> = file.read(0, 2)
file.close()
const memory = AnonymousMemory.create(8)
const view: Int32Array<ArrayBuffer> = memory.view(Int32Array)
view[1] = 7
if (memory.getInt32(4, true) !== 7 && memory.getInt32(4) !== 7) throw new Error('the view is not the memory')
memory.close()
console.log(first.length === 2 ? 'works' : 'fails')
