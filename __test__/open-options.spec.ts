import { chmodSync, existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import test from 'ava'
import { MappedFile } from '../index'
import {
  caught,
  counting,
  file,
  fresh,
  isCoded,
  isSystemError,
  launched,
  linuxOnly,
  onLinux,
  page,
  posixOnly,
  rejected,
  throwsCoded,
  unless,
  userOnly,
  using,
} from './helpers'

const size = 3 * page + 100
const content = counting(size)

test('read is the default, checked writers refuse, and the file stays', (t) => {
  const path = file(content)
  using(MappedFile.openSync(path), (m) => {
    t.is(m.access, 'read')
    const writers = [() => m.write('x', 0), () => m.fill(1), () => m.copyWithin(0, 1), () => m.setUint8(0, 1)]
    for (const write of writers) isSystemError(t, caught(t, write), { code: 'EACCES', syscall: 'write', path })
    t.deepEqual(m.read(0, size), content)
  })
  t.deepEqual(readFileSync(path), content)
})

test('write changes the file, visible at once to fs and to other mappings', (t) => {
  const path = file(content)
  using(MappedFile.openSync(path), (reader) => {
    using(MappedFile.openSync(path, { access: 'write' }), (m) => {
      t.is(m.access, 'write')
      m.setUint8(page, 200)
      m.bytes[page + 1] = 201
      t.deepEqual([...readFileSync(path).subarray(page, page + 2)], [200, 201])
      t.deepEqual([...reader.read(page, 2)], [200, 201])
    })
  })
})

test('copy keeps its stores to itself', (t) => {
  const path = file(content)
  using(MappedFile.openSync(path, { access: 'copy' }), (m) => {
    t.is(m.access, 'copy')
    m.fill(7)
    m.bytes[0] = 8
    t.is(m.getUint8(0), 8)
    t.is(m.getUint8(size - 1), 7)
    m.flushSync()
    t.deepEqual(readFileSync(path), content)
    using(MappedFile.openSync(path), (other) => t.deepEqual(other.read(0, size), content))
  })
  t.deepEqual(readFileSync(path), content)
})

test('a copy of a file that may only be read can be stored to', (t) => {
  const path = file(content)
  chmodSync(path, 0o400)
  using(MappedFile.openSync(path, { access: 'copy' }), (m) => {
    m.setUint32(4, 0xdeadbeef)
    t.is(m.getUint32(4), 0xdeadbeef)
  })
  chmodSync(path, 0o600)
})

for (const offset of [0, 1, 7, page - 1, page, page + 1, 2 * page + 5, size - 1, size]) {
  test(`an offset of ${offset} begins there, whatever the page`, async (t) => {
    const path = file(content)
    const both = [MappedFile.openSync(path, { offset }), await MappedFile.open(path, { offset: BigInt(offset) })]
    for (const m of both) {
      t.is(m.byteLength, size - offset)
      t.is(m.fileOffset, offset)
      t.deepEqual(m.read(0, size - offset), content.subarray(offset))
      t.deepEqual(Buffer.from(m.bytes), content.subarray(offset))
      m.close()
    }
  })
}

for (const length of [0, 1, page - 1, page, page + 1, size - 3]) {
  test(`a length of ${length} ends there`, async (t) => {
    const path = file(content)
    const options = { offset: 3, length }
    const both = [
      MappedFile.openSync(path, options),
      await MappedFile.open(path, { ...options, length: BigInt(length) }),
    ]
    for (const m of both) {
      t.is(m.byteLength, length)
      t.deepEqual(m.read(0, length), content.subarray(3, 3 + length))
      throwsCoded(t, () => m.getUint8(length), 'ERR_OUT_OF_RANGE', 'position')
      throwsCoded(t, () => m.read(0, length + 1), 'ERR_OUT_OF_RANGE')
      m.close()
    }
  })
}

test('write at an offset changes only its range', (t) => {
  const path = file(content)
  const range = { offset: page - 3, length: 6 }
  using(MappedFile.openSync(path, { access: 'write', ...range }), (m) => m.fill(0xee))
  const expected = Buffer.from(content)
  expected.fill(0xee, page - 3, page + 3)
  t.deepEqual(readFileSync(path), expected)
})

test('what a file does not have is out of range for read and copy', async (t) => {
  const path = file(content)
  for (const access of ['read', 'copy'] as const) {
    const wrong = [{ length: size + 1 }, { offset: size, length: 1 }, { offset: size + 1 }, { offset: 2 ** 52 }]
    for (const range of wrong) {
      throwsCoded(t, () => MappedFile.openSync(path, { access, ...range }), 'ERR_OUT_OF_RANGE')
      isCoded(t, await rejected(t, MappedFile.open(path, { access, ...range })), 'ERR_OUT_OF_RANGE')
    }
  }
  throwsCoded(t, () => MappedFile.openSync(path, { access: 'write', offset: size + 1 }), 'ERR_OUT_OF_RANGE')
  t.deepEqual(readFileSync(path), content)
})

test('an empty file is an empty mapping, by every access', async (t) => {
  const path = file('')
  for (const access of ['read', 'write', 'copy'] as const) {
    for (const m of [MappedFile.openSync(path, { access }), await MappedFile.open(path, { access })]) {
      t.is(m.byteLength, 0)
      t.is(m.address, 0n)
      t.is(m.size(), 0)
      t.is(m.bytes.length, 0)
      t.is(m.subarray().length, 0)
      t.is(m.view(Float64Array).length, 0)
      t.is(m.dataView().byteLength, 0)
      t.deepEqual(m.read(0, 0), Buffer.alloc(0))
      t.is(m.compare(Buffer.alloc(0)), 0)
      throwsCoded(t, () => m.getUint8(0), 'ERR_OUT_OF_RANGE')
      if (access !== 'read') {
        t.is(m.write('', 0), 0)
        t.is(m.fill(1), m)
        t.is(m.copyWithin(0, 0), m)
        m.flushSync()
        await m.flush()
      }
      m.close()
      t.true(m.closed)
    }
  }
  t.is(statSync(path).size, 0)
})

test('a longer length extends a writable file with zeros, and keeps what was there', async (t) => {
  for (const sparse of [false, true, undefined]) {
    const path = file(content)
    const length = size + 2 * page + 1
    const m = await MappedFile.open(path, { access: 'write', length, sparse })
    t.is(statSync(path).size, length)
    t.deepEqual(m.read(0, length), Buffer.concat([content, Buffer.alloc(length - size)]))
    m.setUint8(length - 1, 5)
    m.close()
    t.is(readFileSync(path)[length - 1], 5)
    t.is(statSync(path).size, length)
  }
})

test('offset and length extend together', (t) => {
  const path = file('abc')
  using(MappedFile.openSync(path, { access: 'write', offset: page + 1, length: 3 }), (m) => m.write('xyz', 0))
  t.deepEqual(readFileSync(path), Buffer.concat([Buffer.from('abc'), Buffer.alloc(page - 2), Buffer.from('xyz')]))
})

test('a shorter length never cuts the file', (t) => {
  const path = file(content)
  using(MappedFile.openSync(path, { access: 'write', length: 10 }), (m) => m.fill(0))
  t.is(statSync(path).size, size)
})

linuxOnly('extending allocates, sparse does not', (t) => {
  const length = 4 << 20
  const allocated = fresh()
  MappedFile.openSync(allocated, { access: 'write', create: true, length }).close()
  t.true(statSync(allocated).blocks * 512 >= length)
  const hollow = fresh()
  MappedFile.openSync(hollow, { access: 'write', create: true, length, sparse: true }).close()
  t.true(statSync(hollow).blocks * 512 < length / 2)
})

test('create makes a missing file and opens one that is there', async (t) => {
  for (const create of [true, 'exclusive'] as const) {
    const path = fresh()
    using(MappedFile.openSync(path, { access: 'write', create, length: 10 }), (m) => t.is(m.byteLength, 10))
    t.is(statSync(path).size, 10)
    const other = fresh()
    const m = await MappedFile.open(other, { access: 'write', create })
    t.is(m.byteLength, 0)
    m.close()
    t.is(statSync(other).size, 0)
  }
  const path = file(content)
  using(MappedFile.openSync(path, { access: 'write', create: true }), (m) => t.is(m.byteLength, size))
  t.deepEqual(readFileSync(path), content)
})

test('without create a missing file stays missing', async (t) => {
  const path = fresh()
  for (const create of [false, undefined]) {
    const options = { access: 'write', length: 10, create } as const
    isSystemError(
      t,
      caught(t, () => MappedFile.openSync(path, options)),
      { code: 'ENOENT', syscall: 'open', path },
    )
    isSystemError(t, await rejected(t, MappedFile.open(path, options)), { code: 'ENOENT', syscall: 'open', path })
  }
  t.false(existsSync(path))
})

test('exclusive refuses a file that is there, and leaves it alone', async (t) => {
  const path = file(content)
  const options = { access: 'write', create: 'exclusive', length: 1 } as const
  isSystemError(
    t,
    caught(t, () => MappedFile.openSync(path, options)),
    { code: 'EEXIST', syscall: 'open', path },
  )
  isSystemError(t, await rejected(t, MappedFile.open(path, options)), { code: 'EEXIST', syscall: 'open', path })
  t.deepEqual(readFileSync(path), content)
})

test('a file whose opening failed after it was created is removed again', async (t) => {
  const path = fresh()
  const options = { access: 'write', create: true, offset: 5 } as const
  throwsCoded(t, () => MappedFile.openSync(path, options), 'ERR_OUT_OF_RANGE')
  isCoded(t, await rejected(t, MappedFile.open(path, options)), 'ERR_OUT_OF_RANGE')
  t.false(existsSync(path))
})

posixOnly('mode is the permissions of a new file, as a number or an octal string, less the umask', (t) => {
  const expected = (mode: number) => {
    const path = fresh()
    writeFileSync(path, '', { mode })
    return statSync(path).mode
  }
  for (const [mode, number] of [
    [0o640, 0o640],
    ['600', 0o600],
    [0o777, 0o777],
    [undefined, 0o666],
  ] as const) {
    const path = fresh()
    MappedFile.openSync(path, { access: 'write', create: true, mode }).close()
    t.is(statSync(path).mode, expected(number))
  }
  const old = file('x')
  chmodSync(old, 0o644)
  MappedFile.openSync(old, { access: 'write', create: true, mode: 0o600 }).close()
  t.is(statSync(old).mode & 0o777, 0o644)
})

userOnly('permissions that are missing are EACCES', async (t) => {
  const path = file(content)
  chmodSync(path, 0o400)
  isSystemError(
    t,
    caught(t, () => MappedFile.openSync(path, { access: 'write' })),
    { code: 'EACCES', path },
  )
  chmodSync(path, 0)
  isSystemError(
    t,
    caught(t, () => MappedFile.openSync(path)),
    { code: 'EACCES', path },
  )
  isSystemError(t, await rejected(t, MappedFile.open(path)), { code: 'EACCES', path })
})

unless((!onLinux && 'Linux says so') || (launched && 'process.execPath is a script here'))(
  'a program that runs is ETXTBSY to writers and a file like any other to readers',
  (t) => {
    const path = process.execPath
    isSystemError(
      t,
      caught(t, () => MappedFile.openSync(path, { access: 'write' })),
      { code: 'ETXTBSY', path },
    )
    using(MappedFile.openSync(path), (m) => t.is(m.read(1, 3).toString(), 'ELF'))
  },
)

test('a misspelt option is named, with the right one beside it', async (t) => {
  const path = fresh()
  const wrong = [
    ['acess', 'access'],
    ['lenght', 'length'],
    ['ofset', 'offset'],
    ['creat', 'create'],
    ['Sparse', 'sparse'],
  ] as const
  for (const [typed, meant] of wrong) {
    const options = { access: 'write', create: true, [typed]: 1 } as never
    const error = caught(t, () => MappedFile.openSync(path, options))
    isCoded(t, error, 'ERR_INVALID_ARG_VALUE', typed)
    t.true(error.message.includes(`'${meant}'`), error.message)
    isCoded(t, await rejected(t, MappedFile.open(path, options)), 'ERR_INVALID_ARG_VALUE', typed)
  }
  throwsCoded(t, () => MappedFile.openSync(path, { flags: 'r+' } as never), 'ERR_INVALID_ARG_VALUE', 'flags')
  t.false(existsSync(path))
})

test('options of the wrong type or value are told before anything is touched', (t) => {
  const path = fresh()
  const base = { access: 'write', create: true } as const
  const open = (options: object) => () => MappedFile.openSync(path, { ...base, ...options })
  for (const value of [null, [], 'read', 5, () => ({})]) {
    throwsCoded(t, () => MappedFile.openSync(path, value as never), 'ERR_INVALID_ARG_TYPE', 'options')
  }
  const types: readonly (readonly [string, unknown])[] = [
    ['access', 1],
    ['access', null],
    ['offset', '0'],
    ['offset', null],
    ['length', '10'],
    ['length', {}],
    ['create', 1],
    ['create', null],
    ['sparse', 'yes'],
    ['sparse', 1],
    ['mode', {}],
    ['mode', true],
  ]
  for (const [name, value] of types) {
    throwsCoded(t, open({ [name]: value }), 'ERR_INVALID_ARG_TYPE', `options.${name}`)
  }
  const values: readonly (readonly [string, unknown])[] = [
    ['access', 'rw'],
    ['access', ''],
    ['access', 'toString'],
    ['create', 'always'],
    ['mode', '9'],
    ['mode', ''],
  ]
  for (const [name, value] of values) {
    throwsCoded(t, open({ [name]: value }), 'ERR_INVALID_ARG_VALUE', `options.${name}`)
  }
  for (const name of ['offset', 'length']) {
    for (const value of [-1, 1.5, Number.NaN, Infinity, 2 ** 53, -1n, 2n ** 53n, 2n ** 64n]) {
      throwsCoded(t, open({ [name]: value }), 'ERR_OUT_OF_RANGE', `options.${name}`)
    }
  }
  throwsCoded(t, open({ offset: 2 ** 53 - 1, length: 1 }), 'ERR_OUT_OF_RANGE')
  throwsCoded(t, open({ mode: -1 }), 'ERR_OUT_OF_RANGE', 'options.mode')
  throwsCoded(t, open({ mode: 2 ** 32 }), 'ERR_OUT_OF_RANGE', 'options.mode')
  t.false(existsSync(path))
})

test('options of writers need access: write', (t) => {
  const path = fresh()
  for (const access of [undefined, 'read', 'copy']) {
    for (const option of [{ create: true }, { create: false }, { mode: 0o600 }, { sparse: true }]) {
      throwsCoded(t, () => MappedFile.openSync(path, { access, ...option } as never), 'ERR_INVALID_ARG_VALUE', 'access')
    }
  }
  t.false(existsSync(path))
})

test('undefined options are absent ones', (t) => {
  const path = file(content)
  const options = { access: undefined, offset: undefined, length: undefined, create: undefined, mode: undefined }
  using(MappedFile.openSync(path, options as never), (m) => t.is(m.byteLength, size))
  using(MappedFile.openSync(path, undefined), (m) => t.is(m.byteLength, size))
})
