// Whatever the user does with the buffers: after close() nobody can reach the file or another mapping through them.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { MessageChannel, markAsUntransferable, receiveMessageOnPort } from 'node:worker_threads'
import { AnonymousMemory, MappedFile } from '../../index.js'
import { PAGE, codeOf, done, file, gc, pages, sleep } from './kit.mjs'

const content = pages(16)

/** Each gives what it made of the buffer: other holders of its memory. */
const uses = {
  nothing: () => [],
  clone: (buffer) => [structuredClone(buffer)],
  'clone of a view': (buffer) => [structuredClone(new Uint8Array(buffer, PAGE, 100)).buffer],
  'transfer()': (buffer) => [buffer.transfer()],
  'transfer(longer)': (buffer) => [buffer.transfer(32 * PAGE)],
  'transfer(shorter)': (buffer) => [buffer.transfer(PAGE)],
  'transferToFixedLength()': (buffer) => [buffer.transferToFixedLength()],
  'structuredClone with transfer': (buffer) => [structuredClone(buffer, { transfer: [buffer] })],
  'postMessage with transfer'(buffer) {
    const { port1, port2 } = new MessageChannel()
    try {
      port1.postMessage(buffer, [buffer])
      const message = receiveMessageOnPort(port2)?.message
      return message ? [message] : []
    } finally {
      port1.close()
    }
  },
  'a message that nobody reads'(buffer) {
    const { port1, port2 } = new MessageChannel()
    try {
      port1.postMessage(buffer, [buffer])
    } finally {
      port1.close()
      port2.close()
    }
    return []
  },
  markAsUntransferable(buffer) {
    markAsUntransferable(buffer)
    return []
  },
  'marked, then transferred'(buffer) {
    markAsUntransferable(buffer)
    return [codeOf(() => structuredClone(buffer, { transfer: [buffer] }))]
  },
  'marked after a transfer'(buffer) {
    const moved = buffer.transfer()
    markAsUntransferable(moved)
    return [moved]
  },
  'transferred twice': (buffer) => [buffer.transfer().transfer()],
  frozen: (buffer) => [Object.freeze(buffer)],
  'with a prototype of its own': (buffer) => [Object.setPrototypeOf(buffer, null)],
}

let refused = 0
let moved = 0
let zeros = 0
async function use(name, work, access) {
  const path = file(content)
  const mapping = MappedFile.openSync(path, { access })
  const view = mapping.bytes
  const { buffer } = view
  const second = mapping.subarray(PAGE, PAGE + 10)
  let made = []
  try {
    made = work(buffer)
  } catch {
    // The engine refuses; or has no such method.
    refused++
  }
  // The mapping goes on, whatever became of the buffer.
  assert.equal(mapping.getUint8(5 * PAGE), content[5 * PAGE], name)
  assert.equal(mapping.bytes[7], content[7], name)
  mapping.close()
  assert.equal(
    codeOf(() => mapping.bytes),
    'ERR_INVALID_STATE',
  )
  if (view.length > 0) {
    zeros++
    assert.ok(
      view.every((byte) => byte === 0),
      `${name}: a view that could not be detached reads zeros`,
    )
    view.fill(1)
  }
  assert.ok(second.length === 0 || view.length > 0, name)
  // Strangers move in.
  const strangers = Array.from({ length: 8 }, () => AnonymousMemory.create(16 * PAGE).fill(0xa5))
  for (const holder of made) {
    if (!(holder instanceof ArrayBuffer) || holder === buffer || holder.byteLength === 0) continue
    moved++
    const bytes = new Uint8Array(holder)
    // Copies (a clone, another length) are the user's own; what is ours reads zeros.
    if (!bytes.some((byte) => byte !== 0)) bytes.fill(2)
    else assert.ok(bytes.every((byte, i) => i >= content.length || byte === content[i] || byte === content[PAGE + i]))
  }
  made = []
  gc()
  await sleep(1)
  for (const each of strangers) {
    assert.ok(
      each.bytes.every((byte) => byte === 0xa5),
      `${name}: a stranger was touched`,
    )
    each.close()
  }
  assert.equal(Buffer.compare(readFileSync(path), content), 0, `${name}: the file was touched`)
}

let count = 0
for (const [name, work] of Object.entries(uses)) {
  // Private pages that stand on a resizable buffer alone go where the user takes it; the methods say so.
  const kinds = process.env.MEMMAP_CARRIER === 'resizable' ? ['read', 'write'] : ['read', 'write', 'copy']
  for (const access of kinds) {
    for (let round = 0; round < 3; round++) {
      await use(name, work, access)
      count++
    }
  }
}
done(
  `${count} buffers used so, ${refused} refused by the engine, ${moved} moved or copied, ${zeros} left reading zeros`,
)
