// Whatever a user does with a buffer, and whatever is under way when its mapping closes: the process lives, and no byte goes astray.
import test from 'ava'
import { lingering, onWindows, posixOnly, survives, unless } from './helpers'

import type { ExecutionContext } from 'ava'

const major = Number(process.versions.node.split('.')[0])
const withTransfer = unless(major < 22 ? 'ArrayBuffer.prototype.transfer came with Node 22' : lingering, test.serial)

type Result = Record<string, unknown>

/** Each access, and with the guard switched off: closing must be safe without it. */
async function each(t: ExecutionContext, name: string, check: (result: Result) => void): Promise<void> {
  const results = await Promise.all([
    ...['write', 'read', 'copy', 'worker'].map((access) => survives(t, 'hostile.mjs', [name, access])),
    // Windows puts nothing in the place of pages in one step: without the guard a thread that is there just then ends the process.
    ...(onWindows ? [] : [survives(t, 'hostile.mjs', [name, 'write'], { MEMMAP_FAULT_GUARD: '0' })]),
  ])
  results.forEach(check)
}

withTransfer(
  'a buffer that was transferred reads nothing of ours after close, and stores to it reach no file',
  async (t) => {
    await each(t, 'transfer', (result) => {
      t.true(result['before'], 'it was the file before')
      t.true(result['works'], 'the mapping goes on')
      t.true(
        (result['after'] as unknown[]).every((byte) => byte === 0 || byte === null),
        JSON.stringify(result),
      )
      t.true(result['original'])
      t.is(result['maps'], 0)
    })
  },
)

withTransfer('a buffer that was transferred to another size is a copy, and the mapping lives', async (t) => {
  await each(t, 'resizedTransfer', (result) => {
    t.true(result['original'])
    t.is(result['maps'], 0)
  })
})

test.serial('structuredClone with transfer, allowed or refused, does no harm', async (t) => {
  await each(t, 'structuredClone', (result) => {
    t.true(result['kept'], 'a clone is a copy')
    t.true(result['original'])
    t.is(result['maps'], 0)
  })
})

test.serial('a buffer in a list of transfers, taken or refused, does no harm', async (t) => {
  await each(t, 'postMessage', (result) => {
    t.true(result['original'])
    t.is(result['maps'], 0)
  })
})

test.serial('a buffer that was marked untransferable is empty or zeros after close', async (t) => {
  await each(t, 'marked', (result) => {
    t.true(result['clean'])
    t.true(result['original'])
    t.is(result['maps'], 0)
  })
})

// Node's own: its cleanup detaches every external buffer without the key that markAsUntransferable has set since Node 24, and checks that
// it worked. When this passes, Node has mended it.
const markedAtExit = major >= 24 ? test.serial.failing : test.serial
markedAtExit('a process may exit with a buffer that was marked untransferable', async (t) => {
  t.true((await survives(t, 'hostile.mjs', ['markedAtExit', 'write']))['original'])
})

test.serial('who replaces the engine’s functions does not keep views alive', async (t) => {
  await each(t, 'replacedTransfer', (result) => {
    t.is(result['length'], 0)
    t.true(result['original'])
    t.is(result['maps'], 0)
  })
})

test.serial('a frozen buffer without a prototype is emptied as any other', async (t) => {
  await each(t, 'frozen', (result) => {
    t.is(result['length'], 0)
    t.true(result['original'])
    t.is(result['maps'], 0)
  })
})

posixOnly('fs.read that waits in the system while its mapping closes fails, and writes nowhere', async (t) => {
  for (const access of ['write', 'copy', 'worker']) {
    const result = await survives(t, 'hostile.mjs', ['fsReadWaiting', access])
    t.deepEqual(result['result'], { error: 'EFAULT' })
    t.true(result['original'])
    t.is(result['maps'], 0)
  }
  // Without the guard there are zero pages in its place, which take the bytes: still not the file.
  const result = await survives(t, 'hostile.mjs', ['fsReadWaiting', 'write'], { MEMMAP_FAULT_GUARD: '0' })
  t.true(result['original'])
  t.is(result['maps'], 0)
})

posixOnly('fs.write that waits in the system while its mapping closes is short, and sends no stray byte', async (t) => {
  for (const access of ['write', 'read', 'copy', 'worker']) {
    const result = await survives(t, 'hostile.mjs', ['fsWriteWaiting', access])
    t.false(result['stray'], JSON.stringify(result))
    t.true((result['wrote'] as number) < 1 << 20, JSON.stringify(result))
    t.true(result['original'])
  }
})

unless(lingering, test.serial)('fs.read in flight stores nothing after close', async (t) => {
  for (const access of ['write', 'copy']) {
    const result = await survives(t, 'hostile.mjs', ['fsRead', access])
    t.is(result['result'], true, JSON.stringify(result))
    t.is(result['maps'], 0)
  }
})

test.serial('fs.write in flight writes the file’s bytes or none', async (t) => {
  for (const access of ['write', 'read']) {
    const result = await survives(t, 'hostile.mjs', ['fsWrite', access])
    t.is(result['stray'], 0)
    t.true(result['original'])
    t.is(result['maps'], 0)
  }
})

for (const name of ['zlib', 'crypto'] as const) {
  unless(lingering, test.serial)(`${name} in flight on another thread ends, with or without the guard`, async (t) => {
    await each(t, name, (result) => {
      t.is(result['result'], true, JSON.stringify(result))
      t.is(result['maps'], 0)
    })
  })
}

test.serial('flushes in flight are done or told that the mapping is closed', async (t) => {
  for (const env of [{}, { MEMMAP_FAULT_GUARD: '0' }]) {
    const result = await survives(t, 'hostile.mjs', ['flush', 'write'], env)
    const codes = result['codes'] as string[]
    t.true(
      codes.every((code) => code === 'ERR_INVALID_STATE' || code === 'flushed'),
      codes.join(),
    )
    t.true(result['original'])
    t.is(result['maps'], 0)
  }
})

test.serial('a process may exit with everything open and under way', async (t) => {
  for (const access of ['write', 'read', 'copy']) t.true((await survives(t, 'hostile.mjs', ['exit', access]))['first'])
})

test.serial('work on views whose mapping was collected goes on', async (t) => {
  for (const access of ['write', 'read', 'copy']) {
    t.true((await survives(t, 'hostile.mjs', ['collected', access]))['original'])
  }
})
