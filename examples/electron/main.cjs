/**
 * The main process: maps a large file and searches it with progress, shows frames that a utility process draws into shared memory, and
 * sends copies of both to a sandboxed page.
 *
 *     electron . [file]          a window; without a file it makes one of 256 MiB
 *     electron . --once [file]   the same without a visible window; prints what the page has seen, as JSON, and ends
 */
'use strict'
const { app, BrowserWindow, crashReporter, MessageChannelMain, utilityProcess } = require('electron')

// Before the first mapping: crash reporters install handlers for the signals that mapped memory needs, and memmap's goes in front.
crashReporter.start({ uploadToServer: false })

const { closeSync, openSync, rmSync, writeSync } = require('node:fs')
const { join } = require('node:path')
const { MappedFile } = require('memmap')
const frames = require('./frames.cjs')
const { unpacked } = require('./paths.cjs')
const { search } = require('./searching.cjs')

// Electron keeps its switches among the arguments, also those before the app's path.
const paths = process.argv.slice(1).filter((arg) => !arg.startsWith('-'))
const given = paths[app.isPackaged ? 0 : 1]
const once = process.argv.includes('--once')
const temporary = join(app.getPath('temp'), `memmap-example-${process.pid}.txt`)

function makeFile(path, length) {
  // A file that comes with the app and is mapped lies beside the archive (`asarUnpack`).
  const line = MappedFile.openSync(unpacked(join(__dirname, 'data/quick.txt')))
  const block = Buffer.alloc(1 << 20, line.read(0, line.byteLength))
  line.close()
  const fd = openSync(path, 'wx')
  for (let done = 0; done < length; done += block.length) writeSync(fd, block)
  closeSync(fd)
  return path
}

/** Frames, drawn one at a time by a process of their own. `utilityProcess` hands on no descriptors, so the memory has a name. */
function startFrames() {
  const name = `/memmap-example-${process.pid}`
  const memory = frames.create(name)
  // A script may stay in the archive: Electron itself reads it.
  const child = utilityProcess.fork(join(__dirname, 'utility.cjs'), [name], { serviceName: 'frames' })
  let number = 0
  let waiting
  let stopped = false
  child.on('message', () => {
    const resolve = waiting
    waiting = undefined
    resolve?.(frames.take(memory))
  })
  return {
    next: () =>
      new Promise((resolve) => {
        // The page may ask for one more while all of this ends.
        if (stopped) return
        waiting = resolve
        // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a process, not a window
        child.postMessage(++number)
      }),
    async stop() {
      stopped = true
      const ended = new Promise((resolve) => child.once('exit', resolve))
      if (child.kill()) await ended
      frames.unlink(name)
      memory.close()
    },
  }
}

/** Answers what the page asks over its port, until it has gone. */
function serve(port, file, drawing, onSeen) {
  let running = new AbortController()
  let shown = 0
  const answer = {
    async search({ needle }) {
      running.abort()
      const { signal } = (running = new AbortController())
      const start = Date.now()
      const onProgress = ({ done, total }) => port.postMessage({ type: 'progress', done, total })
      const result = await search(file, needle, { signal, onProgress })
      port.postMessage({ type: 'result', ...result, milliseconds: Date.now() - start })
    },
    async shown() {
      const { number, pixels } = await drawing.next()
      if (number !== ++shown) throw new Error(`frame ${number} where ${shown} was asked for`)
      port.postMessage({ type: 'frame', ...frames.size, pixels })
    },
    seen: async ({ seen }) => onSeen(seen),
  }
  port.on('message', async ({ data }) => {
    try {
      await answer[data.type](data)
    } catch (error) {
      if (error.name !== 'AbortError') port.postMessage({ type: 'failure', message: error.message })
    }
  })
  port.on('close', () => running.abort())
  port.start()
}

async function main() {
  await app.whenReady()
  const file = given === undefined ? makeFile(temporary, (once ? 64 : 256) << 20) : unpacked(given)
  const drawing = startFrames()
  let ending
  const end = () => {
    ending ??= drawing.stop().finally(() => {
      rmSync(temporary, { force: true })
      app.exit(0)
    })
  }
  app.on('window-all-closed', end)
  const window = new BrowserWindow({
    width: 720,
    height: 640,
    show: !once,
    webPreferences: { preload: join(__dirname, 'preload.cjs'), sandbox: true, contextIsolation: true },
  })
  const { port1, port2 } = new MessageChannelMain()
  serve(port1, file, drawing, (seen) => {
    if (!once) return
    console.log(JSON.stringify(seen))
    end()
  })
  await window.loadFile(join(__dirname, 'renderer.html'))
  window.webContents.postMessage('port', null, [port2])
}

main().catch((error) => {
  console.error(error)
  rmSync(temporary, { force: true })
  app.exit(1)
})
