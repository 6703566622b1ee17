// Run by Electron: the main process and a renderer with Node use memmap as a program would. Prints TAP and ends with the exit code.
'use strict'
const { app, BrowserWindow } = require('electron')
const assert = require('node:assert/strict')
const { mkdtempSync, readFileSync, rmSync, writeFileSync } = require('node:fs')
const { tmpdir } = require('node:os')
const { join } = require('node:path')

const memmap = join(__dirname, '../../index.js')
const folder = mkdtempSync(join(tmpdir(), 'memmap-electron-'))
const path = join(folder, 'file')

/** The same in both processes; a renderer gets it as text. */
function use(memmapPath, file) {
  const { MappedFile } = require(memmapPath)
  const mapping = MappedFile.openSync(file, { access: 'write' })
  try {
    const checked = mapping.read(0, 5).toString('latin1')
    mapping.write('BYTES', 0)
    mapping.flushSync()
    // Electron refuses external buffers: views stand on pages of the engine, or are refused by name. They are never copies.
    let views
    try {
      const view = mapping.bytes
      view[5] = 33
      views = mapping.read(5, 1)[0] === 33 ? mapping.carrier : 'a copy'
    } catch (error) {
      views = error.code
    }
    return { checked, views }
  } finally {
    mapping.close()
  }
}

const tests = {
  'the main process reads and writes'() {
    writeFileSync(path, 'bytes of a file')
    const { checked, views } = use(memmap, path)
    assert.equal(checked, 'bytes')
    assert.match(views, /^(wasm|resizable|shared|external|ERR_VIEWS_UNAVAILABLE)$/)
    assert.equal(readFileSync(path, 'latin1').slice(0, 5), 'BYTES')
  },
  async 'a renderer with Node reads and writes'() {
    writeFileSync(path, 'bytes of a file')
    const window = new BrowserWindow({
      show: false,
      webPreferences: { nodeIntegration: true, contextIsolation: false, sandbox: false },
    })
    try {
      await window.loadURL('data:text/html,')
      const program = `(${use})(${JSON.stringify(memmap)}, ${JSON.stringify(path)})`
      const { checked, views } = await window.webContents.executeJavaScript(program)
      assert.equal(checked, 'bytes')
      assert.match(views, /^(wasm|resizable|shared|external|ERR_VIEWS_UNAVAILABLE)$/)
      assert.equal(readFileSync(path, 'latin1').slice(0, 5), 'BYTES')
    } finally {
      window.destroy()
    }
  },
}

// Closing the renderer's window would end the program before its report.
app.on('window-all-closed', () => {})
app.whenReady().then(async () => {
  let number = 0
  let code = 0
  console.log(`TAP version 13\n1..${Object.keys(tests).length}`)
  for (const [name, test] of Object.entries(tests)) {
    number++
    try {
      await test()
      console.log(`ok ${number} - ${name}`)
    } catch (error) {
      code = 1
      console.log(`not ok ${number} - ${name}\n  ${String(error.stack).replaceAll('\n', '\n  ')}`)
    }
  }
  rmSync(folder, { recursive: true, force: true })
  app.exit(code)
})
