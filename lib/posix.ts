// memmap/posix: for people who come from mmap(2). Every name and number is this platform's own, read from the native side;
// a name that it does not have is an object that throws ENOTSUP when it is used as a number.
import { constant } from './posix/constant'
import { Advice, MapFlags, MemfdFlags, MremapFlags, MsyncFlags, Prot, ShmFlags } from './posix/enums'

export { madvise, mincore, mlock, mmap, mprotect, mremap, msync, munlock, munmap } from './posix/memory'
export { memfd_create, shm_open, shm_unlink, sysconf } from './posix/objects'
export { Reservation } from './posix/reservation'
export { ftok, shmat, shmctl, shmdt, shmget } from './posix/segments'
export { SysvSharedMemory } from './posix/sysv-shared-memory'

export type { MemoryPlaceOptions, MirrorOptions } from './posix/reservation'
export type { ShmidDs, ShmSettings } from './posix/segments'
export type { SysvCreateOptions, SysvOpenOptions, SysvStatus } from './posix/sysv-shared-memory'

export { Advice, MapFlags, MemfdFlags, MremapFlags, MsyncFlags, Prot, ShmFlags }

export const PROT_NONE: number = Prot.PROT_NONE
export const PROT_READ: number = Prot.PROT_READ
export const PROT_WRITE: number = Prot.PROT_WRITE
export const PROT_EXEC: number = Prot.PROT_EXEC
export const PROT_GROWSDOWN: number = Prot.PROT_GROWSDOWN
export const PROT_GROWSUP: number = Prot.PROT_GROWSUP
export const PROT_SEM: number = Prot.PROT_SEM
export const PROT_BTI: number = Prot.PROT_BTI
export const PROT_MTE: number = Prot.PROT_MTE

export const MAP_FILE: number = MapFlags.MAP_FILE
export const MAP_SHARED: number = MapFlags.MAP_SHARED
export const MAP_PRIVATE: number = MapFlags.MAP_PRIVATE
export const MAP_FIXED: number = MapFlags.MAP_FIXED
export const MAP_ANONYMOUS: number = MapFlags.MAP_ANONYMOUS
export const MAP_ANON: number = MapFlags.MAP_ANON
export const MAP_TYPE: number = MapFlags.MAP_TYPE
export const MAP_DENYWRITE: number = MapFlags.MAP_DENYWRITE
export const MAP_EXECUTABLE: number = MapFlags.MAP_EXECUTABLE
export const MAP_GROWSDOWN: number = MapFlags.MAP_GROWSDOWN
export const MAP_LOCKED: number = MapFlags.MAP_LOCKED
export const MAP_NORESERVE: number = MapFlags.MAP_NORESERVE
export const MAP_POPULATE: number = MapFlags.MAP_POPULATE
export const MAP_NONBLOCK: number = MapFlags.MAP_NONBLOCK
export const MAP_STACK: number = MapFlags.MAP_STACK
export const MAP_HUGETLB: number = MapFlags.MAP_HUGETLB
export const MAP_UNINITIALIZED: number = MapFlags.MAP_UNINITIALIZED
export const MAP_SHARED_VALIDATE: number = MapFlags.MAP_SHARED_VALIDATE
export const MAP_FIXED_NOREPLACE: number = MapFlags.MAP_FIXED_NOREPLACE
export const MAP_SYNC: number = MapFlags.MAP_SYNC
export const MAP_DROPPABLE: number = MapFlags.MAP_DROPPABLE
export const MAP_32BIT: number = MapFlags.MAP_32BIT
export const MAP_COPY: number = MapFlags.MAP_COPY
export const MAP_RENAME: number = MapFlags.MAP_RENAME
export const MAP_NOEXTEND: number = MapFlags.MAP_NOEXTEND
export const MAP_HASSEMAPHORE: number = MapFlags.MAP_HASSEMAPHORE
export const MAP_NOCACHE: number = MapFlags.MAP_NOCACHE
export const MAP_JIT: number = MapFlags.MAP_JIT
export const MAP_RESILIENT_CODESIGN: number = MapFlags.MAP_RESILIENT_CODESIGN
export const MAP_RESILIENT_MEDIA: number = MapFlags.MAP_RESILIENT_MEDIA
export const MAP_TRANSLATED_ALLOW_EXECUTE: number = MapFlags.MAP_TRANSLATED_ALLOW_EXECUTE
export const MAP_UNIX03: number = MapFlags.MAP_UNIX03
export const MAP_TPRO: number = MapFlags.MAP_TPRO
export const MAP_NOSYNC: number = MapFlags.MAP_NOSYNC
export const MAP_GUARD: number = MapFlags.MAP_GUARD
export const MAP_EXCL: number = MapFlags.MAP_EXCL
export const MAP_NOCORE: number = MapFlags.MAP_NOCORE
export const MAP_PREFAULT_READ: number = MapFlags.MAP_PREFAULT_READ
export const MAP_ALIGNMENT_SHIFT: number = MapFlags.MAP_ALIGNMENT_SHIFT
export const MAP_ALIGNED_SUPER: number = MapFlags.MAP_ALIGNED_SUPER
export const MAP_HUGE_SHIFT: number = MapFlags.MAP_HUGE_SHIFT
export const MAP_HUGE_MASK: number = MapFlags.MAP_HUGE_MASK
export const MAP_HUGE_64KB: number = MapFlags.MAP_HUGE_64KB
export const MAP_HUGE_512KB: number = MapFlags.MAP_HUGE_512KB
export const MAP_HUGE_1MB: number = MapFlags.MAP_HUGE_1MB
export const MAP_HUGE_2MB: number = MapFlags.MAP_HUGE_2MB
export const MAP_HUGE_8MB: number = MapFlags.MAP_HUGE_8MB
export const MAP_HUGE_16MB: number = MapFlags.MAP_HUGE_16MB
export const MAP_HUGE_32MB: number = MapFlags.MAP_HUGE_32MB
export const MAP_HUGE_256MB: number = MapFlags.MAP_HUGE_256MB
export const MAP_HUGE_512MB: number = MapFlags.MAP_HUGE_512MB
export const MAP_HUGE_1GB: number = MapFlags.MAP_HUGE_1GB
export const MAP_HUGE_2GB: number = MapFlags.MAP_HUGE_2GB
export const MAP_HUGE_16GB: number = MapFlags.MAP_HUGE_16GB
export const MAP_HUGE_16KB: number = MapFlags.MAP_HUGE_16KB

export const MS_ASYNC: number = MsyncFlags.MS_ASYNC
export const MS_SYNC: number = MsyncFlags.MS_SYNC
export const MS_INVALIDATE: number = MsyncFlags.MS_INVALIDATE
export const MS_KILLPAGES: number = MsyncFlags.MS_KILLPAGES
export const MS_DEACTIVATE: number = MsyncFlags.MS_DEACTIVATE

export const MADV_NORMAL: number = Advice.MADV_NORMAL
export const MADV_RANDOM: number = Advice.MADV_RANDOM
export const MADV_SEQUENTIAL: number = Advice.MADV_SEQUENTIAL
export const MADV_WILLNEED: number = Advice.MADV_WILLNEED
export const MADV_DONTNEED: number = Advice.MADV_DONTNEED
export const MADV_FREE: number = Advice.MADV_FREE
export const POSIX_MADV_NORMAL: number = Advice.POSIX_MADV_NORMAL
export const POSIX_MADV_RANDOM: number = Advice.POSIX_MADV_RANDOM
export const POSIX_MADV_SEQUENTIAL: number = Advice.POSIX_MADV_SEQUENTIAL
export const POSIX_MADV_WILLNEED: number = Advice.POSIX_MADV_WILLNEED
export const POSIX_MADV_DONTNEED: number = Advice.POSIX_MADV_DONTNEED
export const MADV_REMOVE: number = Advice.MADV_REMOVE
export const MADV_DONTFORK: number = Advice.MADV_DONTFORK
export const MADV_DOFORK: number = Advice.MADV_DOFORK
export const MADV_HWPOISON: number = Advice.MADV_HWPOISON
export const MADV_SOFT_OFFLINE: number = Advice.MADV_SOFT_OFFLINE
export const MADV_MERGEABLE: number = Advice.MADV_MERGEABLE
export const MADV_UNMERGEABLE: number = Advice.MADV_UNMERGEABLE
export const MADV_HUGEPAGE: number = Advice.MADV_HUGEPAGE
export const MADV_NOHUGEPAGE: number = Advice.MADV_NOHUGEPAGE
export const MADV_DONTDUMP: number = Advice.MADV_DONTDUMP
export const MADV_DODUMP: number = Advice.MADV_DODUMP
export const MADV_WIPEONFORK: number = Advice.MADV_WIPEONFORK
export const MADV_KEEPONFORK: number = Advice.MADV_KEEPONFORK
export const MADV_COLD: number = Advice.MADV_COLD
export const MADV_PAGEOUT: number = Advice.MADV_PAGEOUT
export const MADV_POPULATE_READ: number = Advice.MADV_POPULATE_READ
export const MADV_POPULATE_WRITE: number = Advice.MADV_POPULATE_WRITE
export const MADV_DONTNEED_LOCKED: number = Advice.MADV_DONTNEED_LOCKED
export const MADV_COLLAPSE: number = Advice.MADV_COLLAPSE
export const MADV_GUARD_INSTALL: number = Advice.MADV_GUARD_INSTALL
export const MADV_GUARD_REMOVE: number = Advice.MADV_GUARD_REMOVE
export const MADV_ZERO_WIRED_PAGES: number = Advice.MADV_ZERO_WIRED_PAGES
export const MADV_FREE_REUSABLE: number = Advice.MADV_FREE_REUSABLE
export const MADV_FREE_REUSE: number = Advice.MADV_FREE_REUSE
export const MADV_CAN_REUSE: number = Advice.MADV_CAN_REUSE
export const MADV_ZERO: number = Advice.MADV_ZERO
export const MADV_NOSYNC: number = Advice.MADV_NOSYNC
export const MADV_AUTOSYNC: number = Advice.MADV_AUTOSYNC
export const MADV_NOCORE: number = Advice.MADV_NOCORE
export const MADV_CORE: number = Advice.MADV_CORE
export const MADV_PROTECT: number = Advice.MADV_PROTECT

export const MREMAP_MAYMOVE: number = MremapFlags.MREMAP_MAYMOVE
export const MREMAP_FIXED: number = MremapFlags.MREMAP_FIXED
export const MREMAP_DONTUNMAP: number = MremapFlags.MREMAP_DONTUNMAP

export const MFD_HUGE_SHIFT: number = MemfdFlags.MFD_HUGE_SHIFT
export const MFD_HUGE_MASK: number = MemfdFlags.MFD_HUGE_MASK
export const MFD_HUGE_64KB: number = MemfdFlags.MFD_HUGE_64KB
export const MFD_HUGE_512KB: number = MemfdFlags.MFD_HUGE_512KB
export const MFD_HUGE_1MB: number = MemfdFlags.MFD_HUGE_1MB
export const MFD_HUGE_2MB: number = MemfdFlags.MFD_HUGE_2MB
export const MFD_HUGE_8MB: number = MemfdFlags.MFD_HUGE_8MB
export const MFD_HUGE_16MB: number = MemfdFlags.MFD_HUGE_16MB
export const MFD_HUGE_32MB: number = MemfdFlags.MFD_HUGE_32MB
export const MFD_HUGE_256MB: number = MemfdFlags.MFD_HUGE_256MB
export const MFD_HUGE_512MB: number = MemfdFlags.MFD_HUGE_512MB
export const MFD_HUGE_1GB: number = MemfdFlags.MFD_HUGE_1GB
export const MFD_HUGE_2GB: number = MemfdFlags.MFD_HUGE_2GB
export const MFD_HUGE_16GB: number = MemfdFlags.MFD_HUGE_16GB
export const MFD_CLOEXEC: number = MemfdFlags.MFD_CLOEXEC
export const MFD_ALLOW_SEALING: number = MemfdFlags.MFD_ALLOW_SEALING
export const MFD_HUGETLB: number = MemfdFlags.MFD_HUGETLB
export const MFD_NOEXEC_SEAL: number = MemfdFlags.MFD_NOEXEC_SEAL
export const MFD_EXEC: number = MemfdFlags.MFD_EXEC

export const IPC_CREAT: number = ShmFlags.IPC_CREAT
export const IPC_EXCL: number = ShmFlags.IPC_EXCL
export const IPC_NOWAIT: number = ShmFlags.IPC_NOWAIT
export const SHM_R: number = ShmFlags.SHM_R
export const SHM_W: number = ShmFlags.SHM_W
export const SHM_RDONLY: number = ShmFlags.SHM_RDONLY
export const SHM_RND: number = ShmFlags.SHM_RND
export const SHM_REMAP: number = ShmFlags.SHM_REMAP
export const SHM_EXEC: number = ShmFlags.SHM_EXEC
export const SHM_HUGETLB: number = ShmFlags.SHM_HUGETLB
export const SHM_NORESERVE: number = ShmFlags.SHM_NORESERVE
export const SHM_HUGE_SHIFT: number = ShmFlags.SHM_HUGE_SHIFT
export const SHM_HUGE_MASK: number = ShmFlags.SHM_HUGE_MASK
export const SHM_HUGE_64KB: number = ShmFlags.SHM_HUGE_64KB
export const SHM_HUGE_512KB: number = ShmFlags.SHM_HUGE_512KB
export const SHM_HUGE_1MB: number = ShmFlags.SHM_HUGE_1MB
export const SHM_HUGE_2MB: number = ShmFlags.SHM_HUGE_2MB
export const SHM_HUGE_8MB: number = ShmFlags.SHM_HUGE_8MB
export const SHM_HUGE_16MB: number = ShmFlags.SHM_HUGE_16MB
export const SHM_HUGE_32MB: number = ShmFlags.SHM_HUGE_32MB
export const SHM_HUGE_256MB: number = ShmFlags.SHM_HUGE_256MB
export const SHM_HUGE_512MB: number = ShmFlags.SHM_HUGE_512MB
export const SHM_HUGE_1GB: number = ShmFlags.SHM_HUGE_1GB
export const SHM_HUGE_2GB: number = ShmFlags.SHM_HUGE_2GB
export const SHM_HUGE_16GB: number = ShmFlags.SHM_HUGE_16GB

// mlock2(2), mlockall(2)
export const MCL_CURRENT: number = constant('MCL_CURRENT')
export const MCL_FUTURE: number = constant('MCL_FUTURE')
export const MCL_ONFAULT: number = constant('MCL_ONFAULT')
export const MLOCK_ONFAULT: number = constant('MLOCK_ONFAULT')

// mincore(2): what its bytes say where they say more than resident
export const MINCORE_INCORE: number = constant('MINCORE_INCORE')
export const MINCORE_REFERENCED: number = constant('MINCORE_REFERENCED')
export const MINCORE_MODIFIED: number = constant('MINCORE_MODIFIED')
export const MINCORE_REFERENCED_OTHER: number = constant('MINCORE_REFERENCED_OTHER')
export const MINCORE_MODIFIED_OTHER: number = constant('MINCORE_MODIFIED_OTHER')
export const MINCORE_PAGED_OUT: number = constant('MINCORE_PAGED_OUT')
export const MINCORE_COPIED: number = constant('MINCORE_COPIED')
export const MINCORE_ANONYMOUS: number = constant('MINCORE_ANONYMOUS')
export const MINCORE_SUPER: number = constant('MINCORE_SUPER')

// fcntl(2): seals of a memfd
export const F_ADD_SEALS: number = constant('F_ADD_SEALS')
export const F_GET_SEALS: number = constant('F_GET_SEALS')
export const F_SEAL_SEAL: number = constant('F_SEAL_SEAL')
export const F_SEAL_SHRINK: number = constant('F_SEAL_SHRINK')
export const F_SEAL_GROW: number = constant('F_SEAL_GROW')
export const F_SEAL_WRITE: number = constant('F_SEAL_WRITE')
export const F_SEAL_FUTURE_WRITE: number = constant('F_SEAL_FUTURE_WRITE')
export const F_SEAL_EXEC: number = constant('F_SEAL_EXEC')

// shmget(2) keys, shmctl(2) commands, and the bits it reports in `mode`
export const IPC_PRIVATE: number = constant('IPC_PRIVATE')
export const IPC_RMID: number = constant('IPC_RMID')
export const IPC_SET: number = constant('IPC_SET')
export const IPC_STAT: number = constant('IPC_STAT')
export const IPC_INFO: number = constant('IPC_INFO')
export const SHM_LOCK: number = constant('SHM_LOCK')
export const SHM_UNLOCK: number = constant('SHM_UNLOCK')
export const SHM_STAT: number = constant('SHM_STAT')
export const SHM_INFO: number = constant('SHM_INFO')
export const SHM_STAT_ANY: number = constant('SHM_STAT_ANY')
export const SHM_DEST: number = constant('SHM_DEST')
export const SHM_LOCKED: number = constant('SHM_LOCKED')

// shm_open(3): how to open, and the bits of a mode
export const O_RDONLY: number = constant('O_RDONLY')
export const O_WRONLY: number = constant('O_WRONLY')
export const O_RDWR: number = constant('O_RDWR')
export const O_CREAT: number = constant('O_CREAT')
export const O_EXCL: number = constant('O_EXCL')
export const O_TRUNC: number = constant('O_TRUNC')
export const O_CLOEXEC: number = constant('O_CLOEXEC')
export const O_NOFOLLOW: number = constant('O_NOFOLLOW')
export const O_NONBLOCK: number = constant('O_NONBLOCK')
export const S_IRWXU: number = constant('S_IRWXU')
export const S_IRUSR: number = constant('S_IRUSR')
export const S_IWUSR: number = constant('S_IWUSR')
export const S_IXUSR: number = constant('S_IXUSR')
export const S_IRWXG: number = constant('S_IRWXG')
export const S_IRGRP: number = constant('S_IRGRP')
export const S_IWGRP: number = constant('S_IWGRP')
export const S_IXGRP: number = constant('S_IXGRP')
export const S_IRWXO: number = constant('S_IRWXO')
export const S_IROTH: number = constant('S_IROTH')
export const S_IWOTH: number = constant('S_IWOTH')
export const S_IXOTH: number = constant('S_IXOTH')

// sysconf(3)
/* oxlint-disable no-underscore-dangle -- POSIX gave the names */
export const _SC_PAGESIZE: number = constant('_SC_PAGESIZE')
export const _SC_PAGE_SIZE: number = constant('_SC_PAGE_SIZE')
export const _SC_PHYS_PAGES: number = constant('_SC_PHYS_PAGES')
export const _SC_NPROCESSORS_CONF: number = constant('_SC_NPROCESSORS_CONF')
export const _SC_NPROCESSORS_ONLN: number = constant('_SC_NPROCESSORS_ONLN')
export const _SC_OPEN_MAX: number = constant('_SC_OPEN_MAX')
export const _SC_IOV_MAX: number = constant('_SC_IOV_MAX')
export const _SC_CLK_TCK: number = constant('_SC_CLK_TCK')
export const _SC_VERSION: number = constant('_SC_VERSION')
export const _SC_MAPPED_FILES: number = constant('_SC_MAPPED_FILES')
export const _SC_MEMLOCK: number = constant('_SC_MEMLOCK')
export const _SC_MEMLOCK_RANGE: number = constant('_SC_MEMLOCK_RANGE')
export const _SC_MEMORY_PROTECTION: number = constant('_SC_MEMORY_PROTECTION')
export const _SC_SYNCHRONIZED_IO: number = constant('_SC_SYNCHRONIZED_IO')
export const _SC_SHARED_MEMORY_OBJECTS: number = constant('_SC_SHARED_MEMORY_OBJECTS')
export const _SC_TYPED_MEMORY_OBJECTS: number = constant('_SC_TYPED_MEMORY_OBJECTS')
export const _SC_ADVISORY_INFO: number = constant('_SC_ADVISORY_INFO')
export const _SC_FSYNC: number = constant('_SC_FSYNC')
export const _SC_AVPHYS_PAGES: number = constant('_SC_AVPHYS_PAGES')
export const _SC_LEVEL1_DCACHE_SIZE: number = constant('_SC_LEVEL1_DCACHE_SIZE')
export const _SC_LEVEL1_DCACHE_LINESIZE: number = constant('_SC_LEVEL1_DCACHE_LINESIZE')
export const _SC_LEVEL2_CACHE_SIZE: number = constant('_SC_LEVEL2_CACHE_SIZE')
export const _SC_LEVEL3_CACHE_SIZE: number = constant('_SC_LEVEL3_CACHE_SIZE')
