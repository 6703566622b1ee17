// Python's mmap module.
import { pythonRival } from './via/python.mjs'

export const load = () => pythonRival('Python mmap', 'mmap', ['open', 'find', 'count', 'copy', 'increment'])
