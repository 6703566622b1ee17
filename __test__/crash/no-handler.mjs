// MEMMAP_FAULT_GUARD=0: no handler is installed at all.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { done, file, pages } from './kit.mjs'

const caught = () => /SigCgt:\s*(\w+)/.exec(readFileSync('/proc/self/status', 'utf8'))[1]
const before = caught()
const { MappedFile, Mapping } = (await import('../../index.js')).default
assert.equal(Mapping.isSupported('faultGuard'), false)
const mapping = MappedFile.openSync(file(pages(2)))
assert.equal(mapping.bytes.length, mapping.byteLength)
mapping.close()
assert.equal(caught(), before)
done(`caught signals ${before}, as before`)
