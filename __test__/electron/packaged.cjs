// Run by Electron out of an app.asar that @electron/asar, electron-builder or Forge packed: what a packaged app meets. Prints TAP and ends
// with the exit code. Electron 9 (Node 12) is the oldest that gets here: no newer syntax than its.
'use strict'
const { app, BrowserWindow } = require('electron')
const assert = require('assert').strict
const fs = require('fs')
const { join } = require('path')

const inside = join(__dirname, 'kept/inside.bin')
const outside = join(`${__dirname}.unpacked`, 'data/outside.bin')
const old = Number(process.versions.node.split('.')[0]) < 20
const needs = `memmap needs Node 20 (Electron 29), and this is Node ${process.versions.node}`

/** What the package throws where it cannot run is the reason that is printed. */
function load() {
  try {
    return { memmap: require('memmap') }
  } catch (error) {
    if (!old) throw error
    return { skip: `${needs}: ${error.name}: ${error.message}` }
  }
}

function addon() {
  const modules = join(__dirname, 'node_modules')
  const name = fs.readdirSync(modules).find((each) => each.startsWith('memmap-'))
  const file = fs.readdirSync(join(modules, name)).find((each) => each.endsWith('.node'))
  return require(join(modules, name, file))
}

function explained(error) {
  assert.ok(['ENOTDIR', 'ENOENT'].includes(error.code), error.stack)
  assert.ok(error.message.includes('asarUnpack'), error.message)
  assert.ok(error.message.includes(join('app.asar.unpacked', 'x').slice(0, -2)), error.message)
  return true
}

const tests = {
  'the program runs out of the archive, whose files Electron reads'() {
    assert.ok(__dirname.endsWith('app.asar'), __dirname)
    assert.equal(fs.readFileSync(inside, 'latin1'), 'inside')
    assert.equal(fs.readFileSync(outside, 'latin1'), 'outside')
  },

  'the add-on loads from app.asar.unpacked'() {
    const loaded = addon()
    assert.equal(typeof loaded.NativeMapping, 'function')
    assert.ok(loaded.pageSize() >= 4096)
    if (process.platform !== 'linux') return
    const maps = fs.readFileSync('/proc/self/maps', 'latin1')
    assert.ok(/app\.asar\.unpacked\/node_modules\/memmap-[^\n]+\.node/.test(maps), 'from there')
  },

  'the package loads out of the archive'() {
    const { memmap, skip } = load()
    if (skip) return skip
    assert.equal(typeof memmap.MappedFile.open, 'function')
  },

  'a path inside the archive ends in an error that says how to unpack it'() {
    const { memmap } = load()
    if (memmap) {
      assert.throws(() => memmap.MappedFile.openSync(inside), explained)
      return
    }
    // The two parts of it, as Node 12 cannot read what joins them.
    const { explainArchive } = require('memmap/lib/asar.js')
    assert.throws(() => {
      try {
        addon().NativeMapping.openSync(inside, 0, 0, -1, 0, 0)
      } catch (error) {
        throw explainArchive(error, inside)
      }
    }, explained)
  },

  'an unpacked file is mapped'() {
    const { memmap, skip } = load()
    if (skip) return skip
    const mapping = memmap.MappedFile.openSync(outside)
    assert.equal(mapping.read(0, mapping.byteLength).toString('latin1'), 'outside')
    mapping.close()
  },

  'a descriptor that Electron opened inside the archive is that of a copy, and is mapped'() {
    const { memmap, skip } = load()
    if (skip) return skip
    const fd = fs.openSync(inside)
    const mapping = memmap.MappedFile.openSync(fd)
    assert.equal(mapping.read(0, mapping.byteLength).toString('latin1'), 'inside')
    mapping.close()
    fs.closeSync(fd)
  },

  'classes of the add-on are usable'() {
    const { NativeMapping } = addon()
    const mapping = NativeMapping.openSync(outside, 0, 0, -1, 0, 0)
    try {
      mapping.size()
    } catch (error) {
      // They are told apart by napi_type_tag_object, which is of Node-API 8.
      if (old) return `Node-API ${process.versions.napi} has no type tags: ${error.message}`
      throw error
    }
    mapping.close()
  },

  async 'the page of the example, sandboxed, shows what comes over its port'() {
    const window = new BrowserWindow({
      show: false,
      webPreferences: {
        preload: join(__dirname, 'page/preload.cjs'),
        sandbox: true,
        contextIsolation: true,
        nodeIntegration: false,
      },
    })
    try {
      await window.loadFile(join(__dirname, 'page/renderer.html'))
      const seen = await window.webContents.executeJavaScript(`new Promise((resolve) => {
        const { port1, port2 } = new MessageChannel()
        let frames = 0
        port1.onmessage = ({ data }) => {
          if (data.type === 'search') port1.postMessage({ type: 'result', bytes: 9, count: 1, milliseconds: 1, lines: [{ position: 4, text: data.needle }] })
          if (data.type === 'shown') port1.postMessage({ type: 'frame', width: 320, height: 200, pixels: new Uint8Array(256000).fill(++frames) })
          if (data.type === 'seen') resolve({
            seen: data.seen,
            text: document.getElementById('lines').textContent,
            pixel: document.getElementById('canvas').getContext('2d').getImageData(1, 1, 1, 1).data[3],
            node: typeof require,
          })
        }
        window.postMessage('port', '*', [port2])
      })`)
      assert.equal(seen.seen.frames, 3)
      assert.equal(seen.text, '4: fox')
      assert.equal(seen.pixel, 3)
      assert.equal(seen.node, 'undefined')
    } finally {
      window.destroy()
    }
  },
}

// Closing the page's window would end the program before its report.
app.on('window-all-closed', () => {})
app.whenReady().then(async () => {
  let number = 0
  let code = 0
  console.log(`TAP version 13\n1..${Object.keys(tests).length}`)
  for (const [name, test] of Object.entries(tests)) {
    number++
    try {
      const skip = await test()
      console.log(`ok ${number} - ${name}${skip ? ` # SKIP ${skip}` : ''}`)
    } catch (error) {
      code = 1
      console.log(`not ok ${number} - ${name}\n  ${String(error.stack).replace(/\n/g, '\n  ')}`)
    }
  }
  app.exit(code)
})
