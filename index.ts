/**
 * Memory mapped files and memory. The classes are in `lib/mapped-file.ts` and `lib/anonymous-memory.ts`; what they share, in `lib/mapping.ts`.
 */
export { AnonymousMemory } from './lib/anonymous-memory'
export { MappedFile } from './lib/mapped-file'
export { Mapping } from './lib/mapping'

export type {
  Access,
  Advice,
  ByteRange,
  Bytes,
  FaultMessage,
  Feature,
  FlushOptions,
  MappingFault,
  MemoryOptions,
  Needle,
  OpenOptions,
  Target,
  ViewConstructor,
  ViewOf,
  WaitOptions,
  WaitResult,
} from './lib/types'
