// What examples/electron uses of Electron, made of Node's own processes and ports, so that its programs run where there is no Electron: the
// utility process is a real one; the page's script runs here, over a document that only remembers. `node -r` loads it. MEMMAP_SWITCH is a switch
// before the app's path.
'use strict'
const { fork } = require('node:child_process')
const { EventEmitter } = require('node:events')
const { readFileSync } = require('node:fs')
const Module = require('node:module')
const { tmpdir } = require('node:os')
const { dirname, join } = require('node:path')
const { MessageChannel } = require('node:worker_threads')
const vm = require('node:vm')

/** The page's end of a channel is a DOM port; the main process's is an emitter of `{ data }` (Node's would be, too, but for `start`). */
class MessagePortMain extends EventEmitter {
  #port
  constructor(port) {
    super()
    this.#port = port
    port.on('close', () => this.emit('close'))
  }
  start() {
    this.#port.on('message', (data) => this.emit('message', { data }))
  }
  postMessage(message) {
    // As between processes: what cannot be serialised is refused, and a view takes all of its buffer along.
    this.#port.postMessage(structuredClone(message))
  }
}

function MessageChannelMain() {
  const { port1, port2 } = new MessageChannel()
  return { port1: new MessagePortMain(port1), port2 }
}

const app = Object.assign(new EventEmitter(), {
  isPackaged: false,
  whenReady: async () => {},
  getPath: () => tmpdir(),
  exit: (code) => process.exit(code),
})

/** Enough of a document for renderer.cjs. */
function page(port) {
  const elements = new Map()
  const element = (id) => {
    if (!elements.has(id)) {
      const context = { putImageData: (image) => (element(id).image = image) }
      elements.set(id, { value: id === 'needle' ? 'fox' : '', addEventListener() {}, getContext: () => context })
    }
    return elements.get(id)
  }
  const listeners = []
  const window = { addEventListener: (_, listener) => listeners.push(listener) }
  function ImageData(pixels, width, height) {
    if (pixels.length !== width * height * 4) throw new RangeError(`${pixels.length} bytes for ${width} x ${height}`)
  }
  const globals = { window, document: { getElementById: element }, ImageData, setTimeout, Uint8ClampedArray }
  return {
    run: (script) => vm.runInNewContext(readFileSync(script, 'utf8'), globals, { filename: script }),
    open: () => listeners.forEach((listener) => listener({ data: 'port', ports: [port] })),
  }
}

class BrowserWindow {
  #html = ''
  async loadFile(path) {
    this.#html = path
    if (!/<script src="renderer.cjs">/.test(readFileSync(path, 'utf8'))) throw new Error('the page has no script')
  }
  webContents = {
    postMessage: (channel, _, [port]) => {
      if (channel !== 'port') throw new Error(`nobody listens to ${channel}`)
      const shown = page(port)
      shown.run(join(dirname(this.#html), 'renderer.cjs'))
      shown.open()
    },
  }
}

const electron = {
  app,
  BrowserWindow,
  MessageChannelMain,
  crashReporter: {
    start() {
      const loaded = Object.keys(require.cache).some((path) => path.endsWith('.node'))
      if (loaded) throw new Error('the crash reporter starts before memmap')
    },
  },
  utilityProcess: {
    fork(path, args) {
      const child = fork(path, args, { execArgv: ['-r', __filename] })
      const facade = new EventEmitter()
      child.on('message', (message) => facade.emit('message', message))
      child.on('exit', (code) => facade.emit('exit', code))
      return Object.assign(facade, { postMessage: (message) => child.send(message), kill: () => child.kill() })
    },
  },
}

if (process.send) {
  const parentPort = new EventEmitter()
  process.on('message', (data) => parentPort.emit('message', { data }))
  process.parentPort = Object.assign(parentPort, { postMessage: (message) => process.send(message) })
}

// Node takes what stands before the script for its own; Electron leaves it in argv, where it stood.
if (!process.send && process.env.MEMMAP_SWITCH) process.argv.splice(1, 0, process.env.MEMMAP_SWITCH)

const load = Module._load
Module._load = function (name, ...rest) {
  if (name === 'electron') return electron
  return Reflect.apply(load, this, [name === 'memmap' ? join(__dirname, '../../index.js') : name, ...rest])
}
