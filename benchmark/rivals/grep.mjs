// GNU grep, where the first match is. Lines, for newlines.
import { searchTool } from './via/command.mjs'

export const load = () => searchTool('grep', 'grep', ['-a', '-F', '-o', '-b', '-m', '1', '--'], ['-a', '-c', '--', ''])
