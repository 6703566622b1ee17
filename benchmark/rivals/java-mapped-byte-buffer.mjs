// Java's MappedByteBuffer: at most 2 GiB each, unmapped when collected.
import { javaRival } from './via/java.mjs'

export const load = () => javaRival('Java MappedByteBuffer', 'buffer')
