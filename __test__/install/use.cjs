// What every way of installing must end in: a file of this folder, read through a mapping.
'use strict'
const { readFileSync, mkdtempSync, rmSync } = require('node:fs')
const { tmpdir } = require('node:os')
const { join } = require('node:path')

module.exports = function use({ MappedFile, AnonymousMemory }, file) {
  const mapped = MappedFile.openSync(file)
  const same = Buffer.compare(mapped.read(0, mapped.byteLength), readFileSync(file)) === 0
  mapped.close()
  if (!same) throw new Error(`${file} reads differently through a mapping`)

  const folder = mkdtempSync(join(tmpdir(), 'memmap-use-'))
  try {
    const written = MappedFile.openSync(join(folder, 'new'), { access: 'write', create: true, length: 5 })
    written.write('bytes', 0)
    written.flushSync()
    written.close()
    if (readFileSync(join(folder, 'new'), 'latin1') !== 'bytes') throw new Error('what was written is not in the file')
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }

  const memory = AnonymousMemory.create(16)
  memory.setUint32(4, 7)
  if (memory.getUint32(4) !== 7) throw new Error('memory does not keep what it is given')
  memory.close()
  console.log('works')
}
