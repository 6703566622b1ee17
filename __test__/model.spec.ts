// Random sequences of operations on a mapping and on a Buffer: whatever is done, both have the same bytes, and the file has what it should.
import { readFileSync, writeFileSync } from 'node:fs'
import test from 'ava'
import { AnonymousMemory, MappedFile, Mapping } from '../index'
import { atOnce, counting, fresh, page } from './helpers'
import fc from './fast-check'

type Step = readonly [name: string, run: (model: Buffer, real: Mapping) => void]
/** Only whoever holds the mapping can open it again. */
const REOPEN = 'reopen'

/** Large enough for several windows of the accessors, and no whole number of pages. */
const size = 200_000 + 13
const content = counting(size)
const viewable = Mapping.isSupported('views')

const position = fc.oneof(
  fc.integer({ min: 0, max: size }),
  fc.nat(20),
  fc.nat(20).map((back) => size - back),
  fc
    .tuple(fc.nat(Math.floor(size / page) - 1), fc.integer({ min: -9, max: 9 }))
    .map(([n, d]) => Math.max(0, n * page + d)),
  fc.tuple(fc.nat(5), fc.integer({ min: -9, max: 9 })).map(([n, d]) => Math.max(0, n * 32_768 + d)),
)
const relative = fc.oneof(position, fc.integer({ min: -size - 5, max: size + 5 }), fc.constant(undefined))
const data = fc.oneof(
  fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
  fc.tuple(fc.nat(255), fc.nat(3 * page)).map(([value, length]) => Buffer.alloc(length, value)),
  fc.string({ unit: 'grapheme', maxLength: 20 }),
)
const pattern = fc.oneof(fc.nat(255), fc.uint8Array({ minLength: 1, maxLength: 9 }), fc.string({ maxLength: 5 }))

const kinds = {
  Int8: 1,
  Uint8: 1,
  Int16: 2,
  Uint16: 2,
  Int32: 4,
  Uint32: 4,
  Float32: 4,
  Float64: 8,
  BigInt64: 8,
  BigUint64: 8,
} as const
const viewOf = (bytes: Buffer) => new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
type Calls = Record<string, (...args: unknown[]) => unknown>

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.tuple(data, position).map(([bytes, at]): Step => [
    `write ${bytes.length} at ${at}`,
    (model, real) => {
      const raw = Buffer.from(bytes as string)
      if (at + raw.length > size) return throws(() => real.write(bytes, at))
      raw.copy(model, at)
      same(real.write(bytes, at), raw.length)
    },
  ]),
  fc.tuple(pattern, relative, relative).map(([value, begin, end]): Step => [
    `fill ${begin} ${end}`,
    (model, real) => {
      const [from, to] = clamp(begin, end)
      const byte = value === '' ? 0 : value
      if (from < to) model.fill(byte, from, to)
      real.fill(value, begin, end)
    },
  ]),
  fc.tuple(relative, relative, relative).map(([target = 0, begin = 0, end]): Step => [
    `copyWithin ${target} ${begin} ${end}`,
    (model, real) => {
      model.copyWithin(target, begin, end)
      real.copyWithin(target, begin, end)
    },
  ]),
  fc
    .tuple(
      fc.constantFrom(...(Object.keys(kinds) as (keyof typeof kinds)[])),
      position,
      fc.maxSafeInteger(),
      fc.boolean(),
    )
    .map(([kind, at, number, little]): Step => [
      `set${kind} ${number} at ${at}`,
      (model, real) => {
        const value = kind.startsWith('Big') ? BigInt(number) : number
        const [get, set] = [`get${kind}`, `set${kind}`]
        const calls = real as unknown as Calls
        if (at + kinds[kind] > size) {
          throws(() => calls[get]!(at, little))
          return throws(() => calls[set]!(at, value, little))
        }
        const shadow = viewOf(model) as unknown as Calls
        same(calls[get]!(at, little), shadow[get]!(at, little))
        shadow[set]!(at, value, little)
        calls[set]!(at, value, little)
        same(calls[get]!(at, little), shadow[get]!(at, little))
      },
    ]),
  fc.tuple(relative, relative, fc.nat(255)).map(([begin, end, value]): Step => [
    `subarray ${begin} ${end}`,
    (model, real) => {
      const [ours, theirs] = [real.subarray(begin, end), model.subarray(begin, end)]
      same(ours.compare(theirs), 0)
      if (theirs.length > 0) ours[theirs.length >> 1] = theirs[theirs.length >> 1] = value
    },
  ]),
  fc.tuple(fc.nat(size >> 2), fc.nat(100), fc.nat(65_535)).map(([at, count, value]): Step => [
    `view of ${count} at ${at * 2}`,
    (model, real) => {
      if (at * 2 + count * 2 > size) return throws(() => real.view(Uint16Array, at * 2, count))
      const view = real.view(Uint16Array, at * 2, count)
      const copy = new Uint16Array(Uint8Array.prototype.slice.call(model, at * 2, (at + count) * 2).buffer)
      same(view.join(), copy.join())
      if (count === 0) return
      view[count - 1] = copy[count - 1] = value
      Buffer.from(copy.buffer).copy(model, at * 2)
    },
  ]),
  fc.tuple(position, fc.nat(2 * page)).map(([at, length]): Step => [
    `read ${length} at ${at}`,
    (model, real) => {
      if (at + length > size) return throws(() => real.read(at, length))
      const target = Buffer.alloc(length)
      real.readInto(target, at)
      same(target.compare(model.subarray(at, at + length)), 0)
      same(real.read(at, length).compare(target), 0)
    },
  ]),
  fc.constant<Step>([
    'compare',
    (model, real) => {
      same(real.compare(model), 0)
      same(real.compare(real), 0)
      if (viewable) same(real.compare(real.subarray()), 0)
    },
  ]),
  fc
    .tuple(position, fc.boolean())
    .map(([offset, wait]): Step => [`flush from ${offset}`, (_, real) => real.flushSync({ offset, wait })]),
  fc.constant<Step>([REOPEN, () => undefined]),
)

function clamp(begin = 0, end = size): [number, number] {
  const one = (n: number) => Math.min(size, n < 0 ? Math.max(0, size + n) : n)
  return [one(begin), one(end)]
}

function same(ours: unknown, theirs: unknown): void {
  if (!Object.is(ours, theirs)) throw new Error(`${String(ours)} is not ${String(theirs)}`)
}

function throws(action: () => unknown): void {
  try {
    action()
  } catch (error) {
    return same((error as NodeJS.ErrnoException).code, 'ERR_OUT_OF_RANGE')
  }
  throw new Error('nothing was thrown')
}

/** Does all steps; `reopen` gives the mapping to go on with. */
function play(steps: readonly Step[], first: Mapping, model: Buffer, reopen: (old: Mapping) => Mapping): Mapping {
  let real = first
  for (const [name, run] of steps) {
    if (name === REOPEN) real = reopen(real)
    // Where the engine allows no views, the checked methods must behave as a Buffer by themselves.
    else if (viewable || !/^(subarray|view)/.test(name)) run(model, real)
  }
  same(real.compare(model), 0)
  return real
}

const steps = fc.array(
  step.map((each) => Object.assign(each, { [fc.toStringMethod]: () => each[0] })),
  { minLength: 1, maxLength: 40 },
)

atOnce('a writable mapping behaves as a Buffer, and the file is the same after each closing', (t) => {
  const path = fresh()
  const property = fc.property(steps, fc.nat(3), (all, pages) => {
    // In front of it and behind it lies what nobody may touch.
    const offset = pages * 1001
    const around = Buffer.concat([Buffer.alloc(offset, 0xa5), content, Buffer.alloc(5000, 0xa5)])
    writeFileSync(path, around)
    const open = () => MappedFile.openSync(path, { access: 'write', offset, length: size })
    const model = Buffer.from(content)
    const check = () => {
      model.copy(around, offset)
      same(readFileSync(path).compare(around), 0)
    }
    const last = play(alignedOnly(all, offset), open(), model, (old) => {
      old.close()
      check()
      return open()
    })
    last.close()
    check()
  })
  t.notThrows(() => fc.assert(property, { numRuns: 60 }))
})

test('a copy behaves as a Buffer, forgets at each closing, and the file never changes', (t) => {
  const path = fresh()
  writeFileSync(path, content)
  const property = fc.property(steps, (all) => {
    const open = () => MappedFile.openSync(path, { access: 'copy' })
    const model = Buffer.from(content)
    const last = play(all, open(), model, (old) => {
      old.close()
      content.copy(model)
      return open()
    })
    last.close()
    same(readFileSync(path).compare(content), 0)
  })
  t.notThrows(() => fc.assert(property, { numRuns: 40 }))
})

test('memory behaves as a Buffer, and begins with zeros again', (t) => {
  const property = fc.property(steps, (all) => {
    const model = Buffer.alloc(size)
    const last = play(all, AnonymousMemory.create(size), model, (old) => {
      old.close()
      model.fill(0)
      return AnonymousMemory.create(size)
    })
    last.close()
  })
  t.notThrows(() => fc.assert(property, { numRuns: 40 }))
})

/** Two-byte views need an even address. */
function alignedOnly(all: readonly Step[], offset: number): readonly Step[] {
  return offset % 2 === 0 ? all : all.filter(([name]) => !name.startsWith('view'))
}
