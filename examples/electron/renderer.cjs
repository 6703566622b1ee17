// The page: everything it shows arrived as a copy over its port. Neither mappings nor SharedArrayBuffers cross a process.
'use strict'
const element = (id) => document.getElementById(id)

window.addEventListener('message', ({ data, ports: [port] }) => {
  if (data !== 'port' || !port) return
  const seen = { progress: 0, frames: 0, lines: 0 }
  let reported = false
  const report = () => {
    if (reported || seen.lines === 0 || seen.frames < 3) return
    reported = true
    port.postMessage({ type: 'seen', seen })
  }
  const show = {
    progress({ done, total }) {
      seen.progress++
      element('progress').value = done / total
    },
    result({ bytes, count, lines, milliseconds }) {
      seen.lines = lines.length
      element('progress').value = 1
      element('result').textContent = `${count} times in ${bytes} bytes, ${milliseconds} ms`
      element('lines').textContent = lines.map(({ position, text }) => `${position}: ${text}`).join('\n')
      report()
    },
    failure({ message }) {
      seen.failure = message
      port.postMessage({ type: 'seen', seen })
      element('result').textContent = message
    },
    frame({ width, height, pixels }) {
      seen.frames++
      const image = new ImageData(new Uint8ClampedArray(pixels.buffer, pixels.byteOffset, pixels.length), width, height)
      element('canvas').getContext('2d').putImageData(image, 0, 0)
      report()
      // One frame at a time: the next is asked for when this one is shown. (requestAnimationFrame rests in hidden windows.)
      setTimeout(() => port.postMessage({ type: 'shown' }), 16)
    },
  }
  port.addEventListener('message', ({ data: message }) => show[message.type](message))
  port.start()
  const search = () => port.postMessage({ type: 'search', needle: element('needle').value })
  element('form').addEventListener('submit', (event) => {
    event.preventDefault()
    search()
  })
  search()
  port.postMessage({ type: 'shown' })
})
