import { mkdirSync, openSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { AnonymousMemory, MappedFile } from '../index'
import { caught, file, folder, fresh, isSystemError, onWindows, rejected, unless } from './helpers'

const missing = join(folder, 'missing')

/** Its name must be in the stack of what it awaits. */
async function theCallerWhoWaits(action: () => Promise<unknown>): Promise<unknown> {
  return await action()
}

function theCallerWhoDoesNot(action: () => unknown): unknown {
  return action()
}

test('a rejection has the stack of the await, not of a thread', async (t) => {
  const m = MappedFile.openSync(file('x'), { access: 'write' })
  const read = MappedFile.openSync(file('x'))
  const actions: (() => Promise<unknown>)[] = [
    () => MappedFile.open(missing),
    () => MappedFile.open(folder),
    () => MappedFile.open(file('x'), { length: 2 }),
    () => MappedFile.open(missing, { acess: 'read' } as never),
    () => MappedFile.open(null as never),
    () => read.flush(),
    () => m.flush({ offset: 9 }),
  ]
  for (const action of actions) {
    const error = await rejected(t, theCallerWhoWaits(action))
    t.true(error.stack!.includes('theCallerWhoWaits'), error.stack)
    t.true(error.stack!.includes('errors.spec'), error.stack)
    t.true(error.stack!.includes(error.message))
  }
  const pending = theCallerWhoWaits(() => m.flush())
  m.close()
  t.true((await rejected(t, pending)).stack!.includes('theCallerWhoWaits'))
  read.close()
})

test('what is thrown has the stack of the call, and begins with class, code and message as Node’s own', (t) => {
  const m = AnonymousMemory.create(1)
  const actions: (() => unknown)[] = [
    () => MappedFile.openSync(missing),
    () => MappedFile.openSync(file('x'), { length: 2 }),
    () => m.getUint8(1),
    () => m.write(5 as never, 0),
    () => m.view(Float64Array),
  ]
  for (const action of actions) {
    const error = caught(t, () => theCallerWhoDoesNot(action))
    t.true(error.stack!.includes('theCallerWhoDoesNot'), error.stack)
  }
  const range = caught(t, () => m.getUint8(1))
  t.true(range.stack!.startsWith(`RangeError [ERR_OUT_OF_RANGE]: ${range.message}\n`), range.stack)
  t.is(String(range), `RangeError: ${range.message}`)
  const type = caught(t, () => m.getUint8('1' as never))
  t.true(type.stack!.startsWith(`TypeError [ERR_INVALID_ARG_TYPE]: ${type.message}\n`), type.stack)
  m.close()
  const state = caught(t, () => m.getUint8(0))
  t.true(state.stack!.startsWith(`Error [ERR_INVALID_STATE]: ${state.message}\n`), state.stack)
})

test('messages are worded as Node words them', (t) => {
  const m = AnonymousMemory.create(10)
  const message = (action: () => unknown) => caught(t, action).message
  t.is(
    message(() => m.read('0' as never, 1)),
    `The "position" argument must be of type number. Received type string ('0')`,
  )
  t.is(
    message(() => m.read(null as never, 1)),
    'The "position" argument must be of type number. Received null',
  )
  t.is(
    message(() => m.read(1.5, 1)),
    'The value of "position" is out of range. It must be an integer. Received 1.5',
  )
  t.is(
    message(() => m.read(10, 1)),
    'The value of "position" is out of range. It must be >= 0 && <= 9. Received 10',
  )
  t.is(
    message(() => m.read(2 ** 33, 1)),
    'The value of "position" is out of range. It must be >= 0 && <= 9. Received 8_589_934_592',
  )
  t.is(
    message(() => MappedFile.openSync('x', { access: 'rw' as never })),
    "The property 'options.access' must be one of: 'read', 'write', 'copy'. Received 'rw'",
  )
  t.is(
    message(() => MappedFile.openSync('x', { offset: '5' as never })),
    `The "options.offset" property must be of type number or bigint. Received type string ('5')`,
  )
  m.close()
})

test('system errors agree with node:fs in code, errno, path and text', async (t) => {
  const below = join(file('x'), 'below')
  const targets = [missing, join(missing, 'deeper'), below, join(folder, 'n'.repeat(300))]
  for (const path of targets) {
    const theirs = caught(t, () => openSync(path, 'r'))
    const ours = [caught(t, () => MappedFile.openSync(path)), await rejected(t, MappedFile.open(path))]
    for (const error of ours) {
      t.is(error.code, theirs.code)
      t.is(error.errno, theirs.errno)
      t.is(error.syscall, theirs.syscall)
      t.is(error.path, theirs.path)
      t.is(error.message, theirs.message)
    }
  }
})

test('a path with a quote or a line feed in it is in the message as it is', (t) => {
  const path = join(folder, onWindows ? "it's" : "it's\nthere")
  isSystemError(
    t,
    caught(t, () => MappedFile.openSync(path)),
    { code: 'ENOENT', syscall: 'open', path },
  )
})

unless(onWindows && 'Windows keeps a working folder')(
  'a path is meant from the working folder, and stays as it was given',
  (t) => {
    const path = 'surely-missing.bin'
    isSystemError(
      t,
      caught(t, () => MappedFile.openSync(path)),
      { code: 'ENOENT', syscall: 'open', path },
    )
  },
)

test('an error leaves nothing behind: the same call works once its reason is gone', async (t) => {
  const path = fresh()
  mkdirSync(path)
  t.is(caught(t, () => MappedFile.openSync(path, { access: 'write', create: true, length: 5 })).code, 'EISDIR')
  rmSync(path, { recursive: true })
  const m = await MappedFile.open(path, { access: 'write', create: true, length: 5 })
  t.is(m.byteLength, 5)
  m.close()
})

test('a thousand failed openings leave no descriptor and no memory', async (t) => {
  const empty = file('')
  const first = MappedFile.openSync(empty).fd!
  for (let i = 0; i < 1000; i++) {
    caught(t, () => MappedFile.openSync(empty, { length: 1 }))
    caught(t, () => MappedFile.openSync(folder))
  }
  await Promise.all(Array.from({ length: 100 }, () => rejected(t, MappedFile.open(empty, { offset: 1 }))))
  const m = MappedFile.openSync(empty)
  if (m.fd === undefined) t.true(onWindows)
  else t.true(m.fd < first + 50, `${first} ${m.fd}`)
  m.close()
})
