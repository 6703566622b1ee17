// What a user's compiler makes of memmap/posix: the numbers are unknown to it, and can be combined.
import { expectAssignable, expectNotAssignable, expectType } from 'tsd'
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
