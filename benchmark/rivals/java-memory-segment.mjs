// Java's MemorySegment in an Arena that unmaps when it is closed.
import { javaRival } from './via/java.mjs'

export const load = () => javaRival('Java MemorySegment', 'segment')
