// A single executable holds JavaScript only: `require` in it knows Node's own modules, so memmap is required from a folder beside it.
'use strict'
const { createRequire } = require('node:module')
const { dirname, join } = require('node:path')

const fromDisk = createRequire(join(dirname(process.execPath), 'package.json'))
fromDisk('./use.cjs')(fromDisk('memmap'), process.execPath)
