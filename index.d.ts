/**
 * Memory mapped files and memory. The classes are in `lib/mapped-file.ts`, `lib/anonymous-memory.ts` and `lib/shared-memory.ts`; what they share,
 * in `lib/mapping.ts`.
 */
export { AnonymousMemory } from './lib/anonymous-memory';
export { MappedFile } from './lib/mapped-file';
export { Mapping } from './lib/mapping';
export { SharedMemory } from './lib/shared-memory';
export type { Access, Advice, ByteRange, Bytes, ChunkOptions, Cursor, FaultMessage, Feature, FlushOptions, LineOptions, LinesOptions, LoadOptions, MappingFault, MappingHandle, MemoryOptions, Needle, OpenOptions, Protection, ReadStreamOptions, Residency, Seal, SearchOptions, ShmCreate, ShmOpen, Target, Task, ViewConstructor, ViewOf, WaitOptions, WaitResult, } from './lib/types';
