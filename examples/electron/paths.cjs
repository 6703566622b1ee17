// Where a file of this app is for the system, which maps: not inside the archive that Electron's `fs` reads.
'use strict'

/** `…/app.asar/data/x` -> `…/app.asar.unpacked/data/x`; any other path stays as it is. */
exports.unpacked = (path) => path.replace(/\.asar(?=[\\/])/, '.asar.unpacked')
