// What a user's compiler makes of memmap/posix: the numbers are unknown to it, and can be combined.
import { expectAssignable, expectNotAssignable, expectType } from 'tsd'
import { Buffer } from 'node:buffer'
import { Mapping } from '..'
import { mincore, mmap, munmap, Reservation, shmctl, SysvSharedMemory, type ShmidDs } from '../lib/posix'
import { Advice, MAP_SHARED, MAP_SYNC, MapFlags, MemfdFlags, MsyncFlags, Prot, PROT_READ, ShmFlags } from '../lib/posix'

declare function call(flags: number): void

expectType<number>(Prot.PROT_READ | Prot.PROT_WRITE)
expectType<number>(MapFlags.MAP_SHARED | MAP_SYNC)
expectType<number>(PROT_READ)
expectType<number>(MAP_SHARED)
expectAssignable<number>(Advice.MADV_WILLNEED)
expectAssignable<Prot>(Prot.PROT_READ | Prot.PROT_WRITE)
call(MsyncFlags.MS_SYNC)
call(MemfdFlags.MFD_CLOEXEC | MemfdFlags.MFD_ALLOW_SEALING)
call(ShmFlags.IPC_CREAT | 0o600)

// The members are computed, not literals: a compiler that knew a value would inline it, and be wrong on the next system.
expectNotAssignable<1>(Prot.PROT_READ)
// @ts-expect-error: read-only
Prot.PROT_READ = 1
// @ts-expect-error: no such member
void Prot.PROT_SHARED
expectNotAssignable<string>(MAP_SHARED)
// The test for a flag that some systems lack.
if (typeof MAP_SYNC === 'number') expectType<number>(MAP_SYNC)

// The calls: addresses are bigint or null, memory is a Mapping.
const mapping = mmap(null, 4096, PROT_READ, MAP_SHARED, 3, 0)
expectAssignable<Mapping>(mapping)
expectType<void>(munmap(mapping.address, 4096n))
expectType<Uint8Array<ArrayBuffer>>(mincore(mapping, 4096))
expectType<ShmidDs | undefined>(shmctl(1, 2))
// @ts-expect-error: an address is a bigint
mmap(4096, 4096, PROT_READ, MAP_SHARED, 3, 0)

const room = Reservation.reserve(1 << 20)
expectType<Mapping<ArrayBuffer>>(room.place(0, 'file', { access: 'write', create: true }))
expectType<Mapping<ArrayBuffer>>(room.place(0, null, { length: 4096 }))
expectType<Buffer<ArrayBuffer>>(room.mirror(3).bytes)
// @ts-expect-error: memory without a file needs a length
room.place(0, null)
// @ts-expect-error: create needs access 'write'
room.place(0, 'file', { create: true })
const segment = SysvSharedMemory.create(0, 4096, { mode: 0o600 })
expectType<number>(segment.id)
expectType<Date | null>(segment.stat().attachTime)
// @ts-expect-error: made by create, open and attach
new SysvSharedMemory()
