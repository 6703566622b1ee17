'use strict'
const memmap = require('memmap')
require('./use.cjs')(memmap, __filename)
