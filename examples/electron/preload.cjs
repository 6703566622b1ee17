// Sandboxed: no memmap, no Node. It hands the port on to the page, which the sandbox leaves apart from this script's world.
'use strict'
const { ipcRenderer } = require('electron')

ipcRenderer.on('port', (event) => {
  const post = () => window.postMessage('port', '*', event.ports)
  if (document.readyState === 'complete') post()
  else window.addEventListener('load', post, { once: true })
})
