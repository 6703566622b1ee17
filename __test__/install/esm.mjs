import { fileURLToPath } from 'node:url'
import { AnonymousMemory, MappedFile } from 'memmap'
import use from './use.cjs'

use({ AnonymousMemory, MappedFile }, fileURLToPath(import.meta.url))
