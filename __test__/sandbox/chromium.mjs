// Files over memory of a page in Chromium: V8 with its sandbox, Blink's allocator and Chromium's own signal handlers around it. The renderer runs
// the test build of this package by its C ABI (agent.c). `chromium.mjs <chromium> <agent> <addon> <cycles> <folder> [seed]` prints TAP;
// scripts/sandbox-test.mjs runs it. What a cycle is: mini_racer.py.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { closeSync, openSync, readFileSync, readSync, truncateSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { tests } from '../tap.mjs'

const [program, agent, addon, count, folder, seed = String(Date.now() % 1_000_000)] = process.argv.slice(2)
const CYCLES = Number(count)
const PAGE = 4096
const WASM_PAGE = 65_536
const [READ, WRITE, COPY] = [0, 1, 2]
const [TRUNCATED, PROTECTED] = [1, 4]

let state = Number(seed) >>> 0
const pick = (below) => {
  state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
  return Math.floor((state / 2 ** 32) * below)
}
const one = (list) => list[pick(list.length)]

const CARRIERS = {
  wasm: 'n => (globalThis.M = new WebAssembly.Memory({ initial: n / 65536, maximum: n / 65536 })).buffer',
  resizable: 'n => new ArrayBuffer(n, { maxByteLength: n })',
  shared: 'n => new SharedArrayBuffer(n, { maxByteLength: n })',
}

/** How the page empties what it has of a closed mapping, and what a view says then. */
const EMPTIED = {
  wasm: 'M.grow(0); u.length',
  resizable: 'globalThis.heir = structuredClone(x, { transfer: [x] }); u.length',
  shared: 'u[0] + u[u.length - 1]',
}

/** The renderers that have our agent in them, each a function that runs a command there. */
const renderers = []

function listen(path) {
  const server = createServer((socket) => {
    const waiting = []
    createInterface({ input: socket }).on('line', (line) => waiting.shift()?.(line))
    socket.on('error', () => {})
    const ask = (command) =>
      new Promise((resolve, reject) => {
        waiting.push((line) => (/^\d+$/.test(line) ? resolve(line) : reject(new Error(line))))
        socket.once('close', () => reject(new Error(`the renderer ended at: ${command}`)))
        socket.write(`${command}\n`)
      })
    socket.setMaxListeners(0)
    renderers.push(ask)
  })
  server.unref()
  return new Promise((resolve) => server.listen(path, resolve))
}

/** The browser, by its debugging pipe: messages of JSON that end with a zero byte. */
function start() {
  const args = ['--no-sandbox', '--no-zygote', '--disable-gpu', '--disable-dev-shm-usage', '--remote-debugging-pipe']
  args.push(
    // Without the crash reporter's handlers, headless Chromium dies of the traps of WebAssembly by itself.
    '--enable-crash-reporter',
    '--enable-features=SharedArrayBuffer',
    '--js-flags=--expose-gc',
    `--user-data-dir=${join(folder, 'profile')}`,
  )
  const env = {
    ...process.env,
    LD_PRELOAD: agent,
    // Of the browser only: what it is linked with was unpacked, not installed.
    LD_LIBRARY_PATH: process.env.MEMMAP_SANDBOX_LIBRARIES ?? '',
    MEMMAP_SANDBOX_ADDON: addon,
    MEMMAP_SANDBOX_SOCKET: join(folder, 'agent.socket'),
  }
  const browser = spawn(program, [...args, 'about:blank'], { env, stdio: ['ignore', 'ignore', 'pipe', 'pipe', 'pipe'] })
  let says = ''
  browser.stderr.setEncoding('utf8').on('data', (text) => {
    says = (says + text).slice(-4000)
  })
  const pending = new Map()
  let ended = ''
  browser.on('close', (code, signal) => {
    ended = `the browser ended with ${signal ?? code}\n${says}`
    for (const { reject } of pending.values()) reject(new Error(ended))
  })
  let rest = ''
  browser.stdio[4].setEncoding('utf8').on('data', (text) => {
    const messages = (rest + text).split('\0')
    rest = messages.pop()
    for (const { id, method, result, error } of messages.map((message) => JSON.parse(message))) {
      if (method === 'Inspector.targetCrashed')
        for (const { reject } of pending.values()) reject(new Error(`the page crashed\n${says}`))
      if (error) pending.get(id)?.reject(new Error(error.message))
      else pending.get(id)?.resolve(result)
      pending.delete(id)
    }
  })
  let last = 0
  const send = (method, params = {}, sessionId = undefined) =>
    new Promise((resolve, reject) => {
      if (ended) throw new Error(ended)
      pending.set(++last, { resolve, reject })
      setTimeout(() => reject(new Error(`no answer to ${method}`)), 60_000).unref()
      browser.stdio[3].write(`${JSON.stringify({ id: last, method, params, sessionId })}\0`)
    })
  return { send, end: () => browser.kill('SIGKILL') }
}

await listen(join(folder, 'agent.socket'))
const { send, end } = start()
process.on('exit', end)
const { product } = await send('Browser.getVersion')
const { targetInfos } = await send('Target.getTargets')
const { targetId } = targetInfos.find(({ type }) => type === 'page')
const { sessionId } = await send('Target.attachToTarget', { targetId, flatten: true })

async function evaluate(expression) {
  const params = { expression, returnByValue: true, awaitPromise: true }
  const { result, exceptionDetails } = await send('Runtime.evaluate', params, sessionId)
  if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text)
  return result.value
}

let files = 0

/** A file whose every byte is known; whole pages and not, as small as one page, and larger than what V8 gives to small buffers. */
function file() {
  const length = one([PAGE, WASM_PAGE, 5 * WASM_PAGE, 40 * WASM_PAGE]) * (1 + pick(5)) - one([0, 1, 4000])
  const content = randomBytes(length)
  const path = join(folder, `sandbox-${files++}.bin`)
  writeFileSync(path, content)
  const byte = (at) => {
    const fd = openSync(path, 'r')
    const bytes = Buffer.alloc(1)
    readSync(fd, bytes, 0, 1, at)
    closeSync(fd)
    return bytes[0]
  }
  const changed = () => {
    const now = readFileSync(path)
    if (now.equals(content)) return 0
    return Math.abs(now.length - length) + content.filter((value, at) => value !== now[at]).length
  }
  return { path, content, length, room: Math.ceil(length / WASM_PAGE) * WASM_PAGE, byte, changed }
}

/** The renderer that has the page. */
let ask

/** The engine's buffer is `x`, bytes of it `u`. Gives the mapping in the renderer. */
async function place(carrier, { path, room }, access) {
  const mark = randomBytes(16)
  await evaluate(
    `globalThis.x = (${CARRIERS[carrier]})(${room}); globalThis.u = new Uint8Array(x); u.set([${[...mark]}]); 0`,
  )
  const find = `find ${mark.toString('hex')}`
  let address = ask ? await ask(find) : '0'
  // The page answers before its renderer's agent has come to us, and Chromium keeps a spare renderer.
  for (let tries = 0; ask === undefined && tries < 200; tries++) {
    for (const candidate of renderers) {
      address = await candidate(find)
      if (address !== '0') ask = candidate
    }
    if (ask === undefined) await new Promise((resolve) => setTimeout(resolve, 50))
  }
  assert.notEqual(address, '0', `${room} bytes of the page were not found in ${renderers.length} renderers`)
  const mapping = await ask(`open ${access} ${path}`)
  assert.notEqual(mapping, '0', 'not opened')
  assert.equal(await ask(`place ${mapping} ${address} ${room} ${carrier === 'shared' ? 1 : 0}`), '0')
  return mapping
}

/** What the page sees is the file; what it stores reaches the file through 'write' only. */
async function use(mapping, { path, content, length, byte }, access, counts) {
  const places = [...Array.from({ length: 4 }, () => pick(length)), 0, length - 1]
  const at = one(places)
  const other = content[at] ^ 255
  const seen = await evaluate(
    `(() => { const seen = [${places}].map((at) => u[at]); u[${at}] = ${other}; return seen })()`,
  )
  assert.deepEqual(
    seen,
    places.map((each) => content[each]),
    'views are not the file',
  )
  assert.equal(byte(at), access === WRITE ? other : content[at], 'a store went the wrong way')
  assert.equal(await evaluate(`(() => { const seen = u[${at}]; u[${at}] = ${content[at]}; return seen })()`), other)
  if (access === READ) assert.equal(Number(await ask(`fault ${mapping}`)), PROTECTED)
  counts.stores += 2
  if (pick(10) === 0 && length > 2 * PAGE) {
    truncateSync(path, 10)
    assert.equal(await evaluate(`u[${length - 1}]`), 0)
    assert.equal(Number(await ask(`fault ${mapping}`)), TRUNCATED)
    counts.cut++
    writeFileSync(path, content)
  }
}

async function finish(mapping, carrier, counts) {
  const how = one(['close', 'close', 'late', 'drop'])
  counts[how]++
  if (how === 'drop') {
    // Nobody restores: the engine frees pages that still have the file.
    await ask(`forget ${mapping}`)
  } else {
    await ask(`close ${mapping}`)
    assert.equal(await evaluate(EMPTIED[carrier]), 0)
    if (how === 'close') await ask(`restore ${mapping}`)
  }
  const drop = 'globalThis.x = globalThis.u = globalThis.M = undefined'
  if (how === 'late') {
    await evaluate(`${drop}; 0`)
    await ask(`restore ${mapping}`)
    await evaluate('globalThis.heir = undefined; 0')
  } else await evaluate(`${drop}; globalThis.heir = undefined; 0`)
  await ask(`free ${mapping}`)
}

/** Strangers get the addresses, and store everywhere. */
const churn = () =>
  evaluate(`(() => { for (let i = 1; i < 8; i++) { new Uint8Array(65536 * i * i).fill(0xee);
    new Uint8Array(new ArrayBuffer(100000, { maxByteLength: 200000 })).fill(0xee) } return 0 })()`)

/** Asynchronously: then no word on the stack is taken for a reference. */
const collect = async () => {
  for (let i = 0; i < 2; i++) await evaluate("gc({ type: 'major', execution: 'async' }).then(() => 0)")
}

/** The engine unmaps what it drops in threads of its own. */
async function unmapped() {
  let left
  for (let tries = 0; tries < 100 && left !== 0; tries++) {
    await collect()
    left = Number(await ask('maps /sandbox-'))
  }
  return left
}

/** WebAssembly's own faults, which V8 catches as signals, still arrive as errors. */
async function traps() {
  // (memory 1) (func (export "f") (param i32) (result i32) local.get 0 i32.load)
  const code = '0,97,115,109,1,0,0,0,1,6,1,96,1,127,1,127,3,2,1,0,5,3,1,0,1,7,5,1,1,102,0,0,10,9,1,7,0,32,0,40,2,0,11'
  return evaluate(`(() => { const { f } = new WebAssembly.Instance(new WebAssembly.Module(new Uint8Array([${code}]))).exports
    let n = 0; for (let i = 0; i < 100; i++) try { f(1 << 20) } catch (e) { if (e instanceof WebAssembly.RuntimeError) n++ }
    return n })()`)
}

async function cycles(carrier) {
  const counts = { stores: 0, cut: 0, close: 0, late: 0, drop: 0 }
  const all = Array.from({ length: 12 }, file)
  for (let cycle = 0; cycle < CYCLES; cycle++) {
    const access = one([READ, WRITE, COPY])
    const each = one(all)
    const mapping = await place(carrier, each, access)
    await use(mapping, each, access, counts)
    await finish(mapping, carrier, counts)
    if (cycle % 10 === 0) await churn()
    if (cycle % 50 === 0) await collect()
  }
  await collect()
  await churn()
  const changed = all.reduce((sum, each) => sum + each.changed(), 0)
  assert.equal(changed, 0, `${changed} file bytes changed`)
  assert.equal(await traps(), 100, 'traps of WebAssembly')
  assert.equal(await unmapped(), 0, 'left mapped')
  const { close, late, drop, stores, cut } = counts
  return {
    note: `${CYCLES} cycles, ${close} closed, ${late} restored late, ${drop} dropped with the file, ${stores} stores, ${cut} files cut, 0 file bytes changed`,
  }
}

/** The last mapping closes while a thread of the page is storing into its SharedArrayBuffer. */
async function race() {
  const rounds = Math.max(20, Math.floor(CYCLES / 10))
  const source = `onmessage = ({ data: { x, pages } }) => { const u = new Uint8Array(x)
    for (let i = 0; i < 200000; i++) u[((i * 7) % pages) * 4096] = 99
    postMessage(0) }`
  await evaluate(`globalThis.w = new Worker(URL.createObjectURL(new Blob([${JSON.stringify(source)}]))); 0`)
  const each = file()
  for (let round = 0; round < rounds; round++) {
    const mapping = await place('shared', each, READ)
    const pages = Math.ceil(each.length / PAGE)
    await evaluate(
      `globalThis.over = new Promise((resolve) => (w.onmessage = resolve)); w.postMessage({ x, pages: ${pages} }); 0`,
    )
    for (let spin = pick(100_000); spin > 0; spin--);
    await ask(`close ${mapping}`)
    await evaluate('over.then(() => 0)')
    await ask(`free ${mapping}`)
    assert.equal(each.changed(), 0)
  }
  return { note: `${rounds} closes under a storing thread, 0 file bytes changed` }
}

/** Each memory of WebAssembly takes a hundredth of the cage: then there is an error that can be caught, and room for smaller things. */
async function exhausted() {
  const told = await evaluate(`(() => {
    const all = []
    let error
    try { while (all.length < 5000) all.push(new WebAssembly.Memory({ initial: 1, maximum: 1 })) } catch (e) { error = e }
    const smaller = new ArrayBuffer(65536, { maxByteLength: 65536 }).resizable && new SharedArrayBuffer(65536, { maxByteLength: 65536 }).growable
    return { count: all.length, error: String(error), smaller } })()`)
  assert.match(told.error, /^RangeError/)
  assert.equal(told.smaller, true)
  await collect()
  const mapping = await place('wasm', file(), READ)
  await ask(`close ${mapping}`)
  await ask(`free ${mapping}`)
  return { note: `${told.count} memories, then ${told.error}; and afterwards there is room again` }
}

console.log(`# ${product}, seed ${seed}`)
const cases = Object.fromEntries(
  Object.keys(CARRIERS).map((carrier) => [`${carrier}: random lives`, () => cycles(carrier)]),
)
cases['shared: the close under a storing thread'] = race
cases['the cage is full'] = exhausted
await tests(cases)
end()
