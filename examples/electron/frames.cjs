// Frames in memory that two processes share: the number of the frame, then its pixels.
'use strict'
const { Mapping, SharedMemory } = require('memmap')

const WIDTH = 320
const HEIGHT = 200
/** The pixels begin at a place that is aligned for every type. */
const PIXELS = 64
const LENGTH = PIXELS + WIDTH * HEIGHT * 4

exports.size = { width: WIDTH, height: HEIGHT }

/** For the process that shows. Names of dead processes are taken over. */
exports.create = function create(name) {
  try {
    SharedMemory.unlink(name)
  } catch (error) {
    if (error.code !== 'ENOENT') throw error
  }
  return SharedMemory.createSync(name, LENGTH)
}

/** For the process that draws. */
exports.open = (name) => SharedMemory.openSync(name, { access: 'write' })

exports.unlink = (name) => SharedMemory.unlink(name)

/** Draws frame `number` into the memory itself; where the engine allows no views (Electron on Windows), into a buffer that is then written. */
exports.draw = function draw(memory, number) {
  const inPlace = Mapping.isSupported('views')
  const pixels = inPlace ? memory.view(Uint32Array, PIXELS) : new Uint32Array(WIDTH * HEIGHT)
  for (let y = 0; y < HEIGHT; y++) {
    for (let x = 0; x < WIDTH; x++) {
      // ABGR on little endian machines: a gradient that moves.
      pixels[y * WIDTH + x] = 0xff000000 | (((x + number) & 0xff) << 16) | ((y & 0xff) << 8) | (number & 0xff)
    }
  }
  if (!inPlace) memory.write(new Uint8Array(pixels.buffer), PIXELS)
  memory.setUint32(0, number, true)
}

/**
 * A copy of the frame, in an ArrayBuffer of its own: of a view, a message port would clone the whole buffer that it stands on,
 * which for a view of mapped memory is the whole mapping.
 */
exports.take = function take(memory) {
  const pixels = new Uint8Array(WIDTH * HEIGHT * 4)
  memory.readInto(pixels, PIXELS)
  return { number: memory.getUint32(0, true), pixels }
}
