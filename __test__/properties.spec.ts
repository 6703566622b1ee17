import { fstatSync } from 'node:fs'
import { inspect } from 'node:util'
import test from 'ava'
import { AnonymousMemory, MappedFile, Mapping } from '../index'
import { counting, file, onWindows, page, throwsCoded, using } from './helpers'

test('the statics are the system’s', (t) => {
  t.true(Number.isInteger(Math.log2(Mapping.pageSize)))
  t.true(Mapping.pageSize >= 4096)
  t.is(Mapping.allocationGranularity % Mapping.pageSize, 0)
  t.is(MappedFile.pageSize, Mapping.pageSize)
  t.is(AnonymousMemory.allocationGranularity, Mapping.allocationGranularity)
})

test('isSupported answers every feature of the typings with a boolean, and refuses the rest', (t) => {
  const features = [
    'views',
    'sharedArrayBuffer',
    'faultGuard',
    'wait',
    'memfd',
    'seal',
    'posixShm',
    'sysvShm',
    'hugePages',
  ] as const
  const more = [
    'residency',
    'lock',
    'resizeInPlace',
    'wasm',
    'normal',
    'random',
    'sequential',
    'willneed',
    'cold',
  ] as const
  const rest = ['pageout', 'hugepage', 'nohugepage', 'dontdump', 'dodump', 'dontfork', 'dofork', 'mergeable'] as const
  for (const feature of [...features, ...more, ...rest, 'unmergeable'] as const) {
    t.is(typeof Mapping.isSupported(feature), 'boolean', feature)
    t.is(Mapping.isSupported(feature), Mapping.isSupported(feature))
  }
  t.true(Mapping.isSupported('views'))
  throwsCoded(t, () => Mapping.isSupported('teleport' as never), 'ERR_INVALID_ARG_VALUE', 'feature')
  throwsCoded(t, () => Mapping.isSupported(5 as never), 'ERR_INVALID_ARG_TYPE', 'feature')
})

test('a mapping describes itself', (t) => {
  const path = file(counting(3 * page))
  using(MappedFile.openSync(path, { offset: page + 5, length: 10 }), (m) => {
    t.is(m.byteLength, 10)
    t.is(m.fileOffset, page + 5)
    t.is(m.access, 'read')
    t.false(m.closed)
    t.true(m.mapped)
    t.is(m.path, path)
    t.is(m.pageSize, page)
    t.is(m.fault, null)
    t.is(m.carrier, 'external')
    t.is(m.throwIfFaulted(), undefined)
    t.is(m.clearFault(), undefined)
    t.is(Number(m.address % BigInt(page)), 5)
    // Files are opened without the C library's descriptors on Windows.
    if (m.fd === undefined) t.true(onWindows)
    else t.is(fstatSync(m.fd).size, 3 * page)
  })
})

test('properties are read-only', (t) => {
  using(AnonymousMemory.create(1), (m) => {
    for (const name of ['byteLength', 'access', 'closed', 'bytes', 'fd', 'address', 'path']) {
      t.false(Reflect.set(m, name, 5), name)
    }
    t.is(m.byteLength, 1)
    t.false(m.closed)
  })
})

test('two mappings of one file are at two addresses', (t) => {
  const path = file(10)
  using(MappedFile.openSync(path), (a) => using(MappedFile.openSync(path), (b) => t.not(a.address, b.address)))
})

test('printing and serialising a mapping, open or closed, neither throws nor reads the file', (t) => {
  const m = MappedFile.openSync(file(10))
  for (let i = 0; i < 2; i++) {
    t.is(typeof inspect(m, { depth: 5 }), 'string')
    t.is(typeof JSON.stringify(m), 'string')
    t.true(inspect(m).includes('MappedFile'))
    m.close()
  }
})
