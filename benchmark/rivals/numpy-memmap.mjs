// numpy.memmap.
import { pythonRival } from './via/python.mjs'

export const load = () => pythonRival('numpy.memmap', 'numpy', ['open', 'sum', 'increment'])
