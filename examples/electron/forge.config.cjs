'use strict'

module.exports = {
  packagerConfig: {
    asar: {
      // What the system opens lies beside the archive: add-ons, and the files that the app maps.
      unpack: '{**/*.node,**/data/**}',
    },
  },
  // memmap's binaries are Node-API: the same for every Node and Electron. Nothing is to be rebuilt.
  rebuildConfig: { onlyModules: [] },
}
