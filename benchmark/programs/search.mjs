// Maps a file, and searches it whenever it is told to: `search.mjs <path> <needle>`.
import { MappedFile } from '../../index.js'

const [, , path, needle] = process.argv
const file = MappedFile.openSync(path)
file.indexOf(needle)
console.log('ready')
process.stdin.on('data', () => console.log(file.indexOf(needle)))
process.stdin.on('end', () => file.close())
