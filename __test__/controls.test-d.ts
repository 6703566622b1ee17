// Types of memory controls, resizing and shared memory: see index.test-d.ts.
import { AnonymousMemory, MappedFile, Mapping, SharedMemory } from 'memmap'
import { expectAssignable, expectType } from 'tsd'

import type { Advice, Feature, Protection, Residency, Seal } from 'memmap'

const file = MappedFile.openSync('data.bin', { access: 'write', capacity: 1n << 40n })

// Shared memory stands on ArrayBuffers unless it was asked for shared ones.
const memory = SharedMemory.createSync('/frames', 4096)
expectType<SharedMemory<ArrayBuffer>>(memory)
expectType<SharedMemory<SharedArrayBuffer>>(SharedMemory.createSync('/frames', 4096, { sharedArrayBuffer: true }))
expectType<SharedMemory<ArrayBuffer>>(SharedMemory.openSync('/frames', { access: 'write' }))
expectType<SharedMemory<SharedArrayBuffer>>(SharedMemory.openSync('/frames', { sharedArrayBuffer: true }))
expectType<SharedMemory<ArrayBuffer>>(SharedMemory.anonymous(4096, { seal: ['shrink', 'futureWrite'] }))
expectType<SharedMemory<ArrayBuffer>>(SharedMemory.fromFd(3, { access: 'read' }))
expectAssignable<Promise<SharedMemory>>(SharedMemory.create('/frames', 4096, { mode: 0o660, exclusive: false }))
expectAssignable<Promise<SharedMemory>>(SharedMemory.open('/frames'))
expectAssignable<Mapping>(memory)
expectType<Int32Array<ArrayBuffer>>(memory.view(Int32Array))
expectType<string | undefined>(memory.name)
expectType<void>(memory.seal(['write']))
expectType<void>(SharedMemory.unlink('/frames'))
expectType<string[]>(SharedMemory.list())
const seals: Seal[] = ['shrink', 'grow', 'write', 'futureWrite', 'seal']
SharedMemory.anonymous(1, { seal: seals })
SharedMemory.anonymous(1, { seal: ['grow'] as const })
// @ts-expect-error: no such seal
SharedMemory.anonymous(1, { seal: ['exec'] })
// @ts-expect-error: a copy is not shared
SharedMemory.openSync('/frames', { access: 'copy' })
// @ts-expect-error: the length is needed
SharedMemory.createSync('/frames')
// @ts-expect-error: a misspelt option
SharedMemory.createSync('/frames', 1, { exclusiv: true })
// @ts-expect-error: a descriptor is a number
SharedMemory.fromFd('3')
// @ts-expect-error: made by create and open
void new SharedMemory('/frames')
// @ts-expect-error: only shared memory is sealed
file.seal(['write'])
// @ts-expect-error: read only
memory.name = '/other'

// Controls.
const advice: Advice = 'willneed'
const protection: Protection = 'exec'
expectType<void>(file.advise(advice))
expectType<void>(file.advise('sequential', { offset: 0, length: 4096 }))
expectType<void>(file.discard({ offset: 0, length: 4096 }))
expectType<void>(file.lock())
expectType<void>(file.unlock({ offset: 4096 }))
expectType<void>(file.protect(protection, { length: 1 }))
expectType<Residency>(file.residency())
const { pageSize, pages, resident, bitmap, exact } = file.residency({ offset: 1 })
expectType<number>(pageSize + pages + resident)
expectType<Uint8Array<ArrayBuffer>>(bitmap)
expectType<boolean>(exact)
expectType<void>(file.resize())
expectType<void>(file.resize(8192, { mayMove: false }))
// @ts-expect-error: contents are dropped by discard
file.advise('dontneed')
// @ts-expect-error: discard needs its range
file.discard()
// @ts-expect-error: never write and execute
file.protect('readwriteexec')
// @ts-expect-error: a length is a number
file.resize(1n)
// @ts-expect-error: a misspelt option
file.resize(1, { move: true })

// Options of open and create.
MappedFile.openSync('data.bin', { exec: true, populate: true, lock: true, advice: 'random', ifUnsafe: 'copy' })
MappedFile.openSync('data.bin', { access: 'copy', noReserve: true, hugePages: false, ifUnsafe: undefined })
AnonymousMemory.create(1, { hugePages: true, noReserve: true })
// @ts-expect-error: capacity needs access: 'write'
MappedFile.openSync('data.bin', { capacity: 1 })
// @ts-expect-error: no such value
MappedFile.openSync('data.bin', { ifUnsafe: 'ignore' })

const feature: Feature = 'seal'
expectType<boolean>(Mapping.isSupported(feature))
