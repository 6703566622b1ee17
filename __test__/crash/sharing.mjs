// One memory in several threads: handles, and SharedArrayBuffers. `sharing.mjs <what>`
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { Worker } from 'node:worker_threads'
import { AnonymousMemory, MappedFile, Mapping, SharedMemory } from '../../index.js'
import { PAGE, codeOf, deno, done, file, gc, maps, node, pages, until } from './kit.mjs'

const content = pages(20)
const carrier = process.env.MEMMAP_CARRIER
/** Private pages that an engine's memory carries belong to one thread. */
const alone = carrier !== undefined || process.env.MEMMAP_TEST_REFUSE_EXTERNAL !== undefined
const blind = carrier === 'none'

const makers = {
  'a file for writing': (path, options) => MappedFile.openSync(path, { access: 'write', ...options }),
  'a file for reading': (path, options) => MappedFile.openSync(path, { offset: 5, ...options }),
  'a copy': (path, options) => MappedFile.openSync(path, { access: 'copy', ...options }),
  memory: (_path, options) => AnonymousMemory.create(20 * PAGE, options),
  'shared memory'(_path, options) {
    const name = `/memmap-sharing-${process.pid}`
    const memory = SharedMemory.createSync(name, 20 * PAGE, options)
    SharedMemory.unlink(name)
    return memory
  },
}

/** A thread that does what it is told, one order at a time. */
function start() {
  const worker = new Worker(new URL('sharing-worker.mjs', import.meta.url))
  const failed = once(worker, 'error').then(([error]) => Promise.reject(error))
  failed.catch(() => {})
  return {
    worker,
    async ask(order) {
      worker.postMessage(order)
      const [answer] = await Promise.race([once(worker, 'message'), failed])
      return answer
    },
  }
}

function handles() {
  const path = file(content)
  const mapping = MappedFile.openSync(path)
  const handle = mapping.share()
  assert.deepEqual(mapping.share(), handle, 'the same memory, the same handle')
  const plain = JSON.parse(JSON.stringify(handle))
  const second = Mapping.from(plain)
  assert.ok(second instanceof MappedFile)
  assert.equal(second.path, path)
  assert.equal(second.access, 'read')
  assert.equal(second.address, mapping.address)
  const third = Mapping.from(second.share())
  mapping.close()
  second.close()
  assert.equal(third.getUint8(PAGE), content[PAGE], 'the last of three still has it')
  assert.equal(
    codeOf(() => mapping.share()),
    'ERR_INVALID_STATE',
  )
  const fourth = Mapping.from(handle)
  third.close()
  assert.equal(maps(path).length > 0, true)
  fourth.close()
  assert.equal(maps(path).length, 0, 'the last close unmaps')

  const says = (value) => {
    try {
      Mapping.from(value).close()
      return 'nothing'
    } catch (error) {
      return `${error.code} ${error.message}`
    }
  }
  assert.match(says(handle), /^ERR_INVALID_STATE/, 'stale')
  const forgeries = [
    '',
    '0',
    '1',
    'f'.repeat(32),
    handle.id.slice(0, -1),
    handle.id.toUpperCase() + '0',
    '\0',
    'ü'.repeat(100_000),
  ]
  for (const id of forgeries) assert.match(says({ ...handle, id }), /^ERR_INVALID_STATE/, `forged: ${id.slice(0, 40)}`)
  const foreign = says({ ...handle, pid: process.pid + 1 })
  assert.match(foreign, /^ERR_INVALID_STATE/)
  assert.match(foreign, /SharedMemory\.open/)
  assert.match(foreign, /MappedFile\.open/)
  for (const wrong of [
    undefined,
    null,
    7,
    'x',
    [],
    {},
    { memmap: 2, id: 'x', pid: 1 },
    { memmap: 1, id: 5, pid: 1 },
    { memmap: 1, id: 'x' },
  ])
    assert.match(says(wrong), /^ERR_INVALID_ARG_(TYPE|VALUE)/)
  done(`four mappings of one memory, ${forgeries.length} forgeries`)
}

async function both() {
  const { worker, ask } = start()
  let count = 0
  for (const [name, make] of Object.entries(makers)) {
    const path = file(content)
    const mapping = make(path)
    if (name === 'a copy' && alone && !blind) {
      assert.equal(
        codeOf(() => mapping.share()),
        'ENOTSUP',
        'private pages of the engine are told, not copied',
      )
      mapping.close()
      continue
    }
    const writes = mapping.access !== 'read'
    if (writes) mapping.setUint8(3, 111)
    const before = mapping.getUint8(3)
    const theirs = await ask({ do: 'from', handle: mapping.share() })
    assert.deepEqual(theirs, {
      name: mapping.constructor.name,
      access: mapping.access,
      byteLength: mapping.byteLength,
      address: mapping.address,
      byte: before,
    })
    if (writes) {
      await ask({ do: 'set', at: 5 * PAGE, value: 77 })
      assert.equal(mapping.getUint8(5 * PAGE), 77, `${name}: no copy`)
      if (!blind) {
        mapping.bytes[6 * PAGE] = 78
        assert.equal(await ask({ do: 'view', at: 6 * PAGE }), 78, `${name}: views see each other`)
      }
    }
    const onDisk = readFileSync(path)[5 * PAGE]
    assert.equal(onDisk, name === 'a file for writing' ? 77 : content[5 * PAGE])
    // Back to here, and then each side closes on its own, this one first or last.
    const returned = Mapping.from(await ask({ do: 'share' }))
    mapping.close()
    assert.equal(returned.getUint8(3), before)
    if (count % 2 === 0) {
      await ask({ do: 'close' })
      assert.equal(returned.getUint8(3), before, `${name}: still here`)
      returned.close()
    } else {
      returned.close()
      assert.equal(await ask({ do: 'get', at: 3 }), before, `${name}: still there`)
      await ask({ do: 'close' })
    }
    assert.equal(maps(path).length, 0, `${name}: unmapped by the last close`)
    count++
  }
  await worker.terminate()
  done(`${count} kinds of memory went to a thread and back`)
}

async function terminated() {
  const path = file(content)
  const mapping = MappedFile.openSync(path, { access: 'write' })
  for (let round = 0; round < 6; round++) {
    const { worker, ask } = start()
    await ask({ do: 'from', handle: mapping.share() })
    if (!blind) await ask({ do: 'view', at: 3 })
    // Also one that only the thread has.
    await ask({ do: 'open', path })
    const handle = await ask({ do: 'share' })
    await worker.terminate()
    if (deno) continue
    await until(
      () => codeOf(() => Mapping.from(handle).close()) === 'ERR_INVALID_STATE',
      'the handle of a thread that ended',
    )
    assert.equal(mapping.getUint8(PAGE), content[PAGE])
  }
  mapping.close()
  // Deno tells no object of a thread that ends that it does: what was not closed stays mapped.
  if (deno) return done('6 threads ended with a mapping that was shared, and the others had it on')
  await until(
    () => {
      gc()
      return maps(path).length === 0
    },
    () => `${maps(path).length} left mapped`,
  )
  done('6 threads ended with a mapping that was shared, and one that was theirs')
}

async function shared() {
  if (blind) return done('nothing: no views')
  const { worker, ask } = start()
  let count = 0
  for (const [name, make] of Object.entries(makers)) {
    const path = file(content)
    const mapping = make(path, { sharedArrayBuffer: true })
    const { bytes } = mapping
    assert.ok(bytes.buffer instanceof SharedArrayBuffer, name)
    assert.equal(mapping.carrier, 'shared')
    assert.equal(bytes.length, mapping.byteLength)
    if (mapping.access === 'read') {
      assert.equal(await ask({ do: 'posted', buffer: bytes.buffer, at: bytes.byteOffset + PAGE }), content[PAGE + 5])
      mapping.close()
      assert.ok(bytes.every((byte) => byte === 0))
      count++
      continue
    }
    // The buffer itself goes to the other thread, which waits in it.
    const words = mapping.view(Int32Array, 8 * PAGE, 4)
    words.fill(0)
    worker.postMessage({ do: 'wait', buffer: words.buffer, at: words.byteOffset })
    const woken = once(worker, 'message')
    const end = performance.now() + 20_000
    while (Atomics.notify(words, 0, 1) === 0) {
      assert.ok(performance.now() < end, `${name}: nobody waits`)
      await new Promise((resolve) => setTimeout(resolve, 2))
    }
    assert.deepEqual((await woken)[0], ['ok', 0], name)
    assert.equal(Atomics.load(words, 1), 4711, 'what the other thread stored before it answered')

    // A second holder: the pages outlive the first one's close.
    const lonely = name === 'a copy' && (alone || node === 20 || deno)
    if (!lonely) {
      await ask({ do: 'from', handle: mapping.share() })
      mapping.close()
      await ask({ do: 'set', at: 9 * PAGE, value: 99 })
      assert.equal(bytes[9 * PAGE], 99, `${name}: alive after one of two closed`)
      assert.equal(await ask({ do: 'posted', buffer: bytes.buffer, at: 9 * PAGE }), 99)
      await ask({ do: 'close' })
    } else mapping.close()
    assert.ok(
      bytes.every((byte) => byte === 0),
      `${name}: zeros after the last close`,
    )
    assert.equal(await ask({ do: 'posted', buffer: bytes.buffer, at: 9 * PAGE }), 0, 'there, too')
    bytes.fill(3)
    assert.equal(maps(path).length, 0)
    assert.equal(readFileSync(path)[9 * PAGE], name === 'a file for writing' ? 99 : content[9 * PAGE])
    count++
  }
  await worker.terminate()
  done(`${count} kinds of memory on SharedArrayBuffers`)
}

const parts = { handles, both, terminated, shared }
const what = process.argv[2]
if (parts[what] === undefined) throw new RangeError(`no such part: ${what}`)
await parts[what]()
