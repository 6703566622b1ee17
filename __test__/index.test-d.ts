// What the types promise, read by tsd (exact types) and by the TypeScript versions that users may have (assignability, and
// that each line marked as an error is one). Both see the package by its name, as a user does: index.d.ts, not index.ts.
import type { FileHandle } from 'node:fs/promises'
import { AnonymousMemory, MappedFile, Mapping } from 'memmap'
import { expectAssignable, expectType } from 'tsd'

const file = MappedFile.openSync('data.bin')
const shared = MappedFile.openSync('data.bin', { sharedArrayBuffer: true })

// A mapping stands on ArrayBuffers unless it was asked for shared ones.
expectType<MappedFile<ArrayBuffer>>(file)
expectType<MappedFile<SharedArrayBuffer>>(shared)
expectType<Promise<MappedFile<ArrayBuffer>>>(MappedFile.open('data.bin'))
expectType<Promise<MappedFile<SharedArrayBuffer>>>(MappedFile.open('data.bin', { sharedArrayBuffer: true }))
expectType<MappedFile<ArrayBuffer>>(MappedFile.openSync('data.bin', { access: 'write', create: true, length: 4096 }))
expectType<AnonymousMemory<ArrayBuffer>>(AnonymousMemory.create(4096))
expectType<AnonymousMemory<SharedArrayBuffer>>(AnonymousMemory.create(4096, { sharedArrayBuffer: true }))
expectAssignable<Mapping>(file)
expectAssignable<Mapping>(shared)
expectAssignable<Mapping>(AnonymousMemory.create(4096))

// Views carry the kind of their buffer.
expectType<Buffer<ArrayBuffer>>(file.bytes)
expectType<Buffer<SharedArrayBuffer>>(shared.bytes)
expectType<Buffer<ArrayBuffer>>(file.subarray(0, 16))
expectType<Uint8Array<ArrayBuffer>>(file.view(Uint8Array))
expectType<Uint8Array<SharedArrayBuffer>>(shared.view(Uint8Array))
expectType<Int32Array<ArrayBuffer>>(file.view(Int32Array, 64, 1000))
expectType<Int32Array<SharedArrayBuffer>>(shared.view(Int32Array))
expectType<BigUint64Array<ArrayBuffer>>(file.view(BigUint64Array))
expectType<Float64Array<SharedArrayBuffer>>(shared.view(Float64Array))
expectType<DataView<ArrayBuffer>>(file.dataView())
expectType<DataView<SharedArrayBuffer>>(shared.dataView(8, 8))

// Copies are plain memory, whatever they were copied from.
expectType<Buffer<ArrayBuffer>>(file.read(0, 16))
expectType<Buffer<ArrayBuffer>>(shared.read(0, 16))

// Everything that can be opened, and nothing else.
declare const handle: FileHandle
for (const target of ['data.bin', Buffer.from('data.bin'), new URL('file:///data.bin'), handle, 3]) {
  expectType<MappedFile<ArrayBuffer>>(MappedFile.openSync(target))
}
// @ts-expect-error: no target
MappedFile.openSync()
// @ts-expect-error: not a target
MappedFile.openSync({ path: 'data.bin' })
// @ts-expect-error: mappings are made by open and create
void new MappedFile('data.bin')
// @ts-expect-error: abstract
void new Mapping()

// Options.
MappedFile.openSync('data.bin', { offset: 1n, length: 2 ** 40 })
MappedFile.openSync('data.bin', { access: 'read', offset: undefined })
MappedFile.openSync('data.bin', { access: 'write', create: 'exclusive', mode: 0o600, sparse: true, length: 1n })
// @ts-expect-error: a misspelt option
MappedFile.openSync('data.bin', { acess: 'write' })
// @ts-expect-error: a misspelt option of the asynchronous twin
void MappedFile.open('data.bin', { acess: 'write' })
// @ts-expect-error: no such access
MappedFile.openSync('data.bin', { access: 'readwrite' })
// @ts-expect-error: create needs access: 'write'
MappedFile.openSync('data.bin', { create: true })
// @ts-expect-error: create needs access: 'write'
MappedFile.openSync('data.bin', { access: 'copy', create: true })
// @ts-expect-error: so does sparse
MappedFile.openSync('data.bin', { access: 'read', sparse: true })
// @ts-expect-error: a misspelt option
AnonymousMemory.create(4096, { hugepages: true })
// @ts-expect-error: the length is needed
AnonymousMemory.create()

// Accessors have the values of DataView.
expectType<number>(file.getUint8(0))
expectType<number>(file.getInt16(0, true))
expectType<number>(file.getFloat64(0))
expectType<bigint>(file.getBigInt64(0, true))
file.setUint32(0, 1, true)
file.setBigUint64(8, 1n)
// @ts-expect-error: 64 bits are a bigint
file.setBigInt64(8, 1)
// @ts-expect-error: a single byte has no order
file.getInt8(0, true)
// @ts-expect-error: a position is a number
file.getInt32(0n)

// Properties, and what cannot be assigned.
expectType<number>(file.byteLength)
expectType<bigint>(file.address)
expectType<boolean>(file.closed)
expectType<'read' | 'write' | 'copy'>(file.access)
expectType<string | Buffer | undefined>(file.path)
expectType<number | undefined>(file.fd)
expectType<number>(Mapping.pageSize)
expectType<boolean>(Mapping.isSupported('views'))
// @ts-expect-error: read only
file.byteLength = 1
// @ts-expect-error: no such feature
Mapping.isSupported('telepathy')

// Verbs.
expectType<Promise<void>>(file.flush())
expectType<Promise<void>>(file.flush({ offset: 0, length: 4096, wait: false }))
expectType<void>(file.flushSync())
expectType<number>(file.write('text', 0))
expectType<void>(file.readInto(new Uint8Array(8), 0))
expectType<-1 | 0 | 1>(file.compare(shared))
expectType<MappedFile<ArrayBuffer>>(file.fill(0))
expectType<MappedFile<SharedArrayBuffer>>(shared.copyWithin(0, 8))
expectType<number>(file.size())
expectType<void>(file.close())
expectAssignable<Disposable>(file)
// @ts-expect-error: a misspelt option
file.flushSync({ size: 4096 })
