// ripgrep over the mapped file, where the first match is. Lines, for newlines.
import { searchTool } from './via/command.mjs'

export const load = () =>
  searchTool(
    'ripgrep',
    'rg',
    ['--no-config', '--mmap', '-a', '-F', '-o', '-b', '-N', '-m', '1', '--'],
    ['--no-config', '--mmap', '-a', '-c', '--', ''],
  )
