// C programs (shm_open, mmap, inherited descriptors) and Python programs (mmap, multiprocessing.shared_memory) on the other side.
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { Mapping, SharedMemory } from '../index'
import { onLinux, page, unless, using } from './helpers'
import { compiled, pythonProblem, sealWriting, shmName } from './systems'

import type { ExecutionContext } from 'ava'

const size = 3 * page + 5
const pattern = Buffer.from(Array.from({ length: size }, (_, i) => i * 7))
const answered = Buffer.from(pattern.map((byte) => byte + 1))

const { problem, ...built } = compiled('shared', ...(onLinux ? ['-lrt'] : []))
const program = 'program' in built ? (built.program as string) : ''
const inC = unless(!Mapping.isSupported('posixShm') ? 'no shared memory by name here' : problem)
const inPython = unless(!Mapping.isSupported('posixShm') ? 'no shared memory by name here' : pythonProblem)
const sealing = unless(!Mapping.isSupported('seal') ? 'no seals here' : problem)

/** Runs a program to its end; descriptor 3 is `fd`. What it returns is a line of its source. */
function run(t: ExecutionContext, command: string, args: readonly string[], fd?: number): string {
  const { status, stdout, stderr } = spawnSync(command, args, {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe', fd ?? 'ignore'],
  })
  t.is(status, 0, `${command} ${args[0]}: line ${status} ${stderr}`)
  return stdout
}

inC('a C program opens what we created, reads our bytes and writes its own', (t) => {
  const name = shmName()
  using(SharedMemory.createSync(name, size), (m) => {
    m.write(pattern, 0)
    run(t, program, ['answer', name])
    t.is(m.compare(answered), 0)
  })
  SharedMemory.unlink(name)
})

inC('we open what a C program created, after it has ended', (t) => {
  const name = shmName()
  run(t, program, ['create', name])
  using(SharedMemory.openSync(name), (m) => t.is(m.compare(pattern), 0))
  using(SharedMemory.openSync(name, { access: 'write' }), (m) => {
    m.fill(0)
    m.write(pattern, 0)
  })
  run(t, program, ['answer', name])
  using(SharedMemory.openSync(name), (m) => t.is(m.compare(answered), 0))
  SharedMemory.unlink(name)
})

/** What looks at all processes (DAMON) can hold on to the memory of one that has ended, and its writable mapping counts until that is let go. */
function sealWhenFree(m: SharedMemory): void {
  for (let tries = 1; ; tries++) {
    try {
      sealWriting(m, ['shrink', 'grow', 'write'])
      return
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EBUSY' || tries === 50) throw error
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20)
    }
  }
}

sealing('a C program inherits memory without a name, and what is sealed it cannot change', (t) => {
  using(SharedMemory.anonymous(size), (m) => {
    m.write(pattern, 0)
    run(t, program, ['fd', '-'], m.fd!)
    t.is(m.compare(answered), 0)
    m.write(pattern, 0)
    sealWhenFree(m)
    run(t, program, ['sealed', '-'], m.fd!)
  })
})

inC('atomics are exact between both: they count to 1000 by turns', async (t) => {
  const name = shmName()
  const m = SharedMemory.createSync(name, page)
  const word = m.view(Int32Array)
  const child = spawn(program, ['wait', name], { stdio: 'inherit' })
  const ended = once(child, 'exit')
  for (let seen = 0; seen < 1000; seen = Atomics.load(word, 0)) {
    if (seen % 2 === 0) Atomics.store(word, 0, seen + 1)
    else await new Promise((resolve) => setImmediate(resolve))
  }
  t.deepEqual(await ended, [0, null])
  t.is(word[0], 1000)
  m.close()
  SharedMemory.unlink(name)
})

/** Before Python 3.13, whoever merely attaches has the object removed at its end: the tracker must be told not to. */
const PYTHON = `
import sys
from multiprocessing import shared_memory, resource_tracker
def attach(name):
    memory = shared_memory.SharedMemory(name=name)
    if sys.version_info < (3, 13): resource_tracker.unregister(memory._name, 'shared_memory')
    return memory
def create(name, size):
    memory = shared_memory.SharedMemory(name=name, create=True, size=size)
    resource_tracker.unregister(memory._name, 'shared_memory')
    return memory
name, size = sys.argv[1], int(sys.argv[2])
`

inPython('multiprocessing.shared_memory opens what we created, and we what it created', (t) => {
  const ours = shmName()
  using(SharedMemory.createSync(ours, size), (m) => {
    m.write(pattern, 0)
    const answer = `${PYTHON}
memory = attach(name)
assert memory.size == size, memory.size
for i in range(size):
    assert memory.buf[i] == i * 7 % 256
    memory.buf[i] = (i * 7 + 1) % 256
memory.close()`
    run(t, 'python3', ['-c', answer, ours.slice(1), String(size)])
    t.is(m.compare(answered), 0)
  })
  SharedMemory.unlink(ours)

  const theirs = shmName()
  const make = `${PYTHON}
memory = create(name, size)
memory.buf[:size] = bytes(i * 7 % 256 for i in range(size))
memory.close()`
  run(t, 'python3', ['-c', make, theirs.slice(1), String(size)])
  // Python's object may be longer: sizes are rounded to pages on some systems.
  using(SharedMemory.openSync(theirs, { access: 'write' }), (m) => {
    t.deepEqual(m.read(0, size), pattern)
    m.setUint8(0, 42)
  })
  t.is(
    run(t, 'python3', ['-c', `${PYTHON}\nmemory = attach(name)\nprint(memory.buf[0])`, theirs.slice(1), '0']),
    '42\n',
  )
  SharedMemory.unlink(theirs)
})

unless(!onLinux || !existsSync('/dev/shm') ? 'looks into /dev/shm' : pythonProblem)(
  "Python's mmap maps the same bytes, by path and by an inherited descriptor",
  (t) => {
    const script = `
import mmap, os, sys
where = sys.argv[1]
fd = 3 if where == '3' else os.open(where, os.O_RDWR)
memory = mmap.mmap(fd, 0)
assert len(memory) == ${size}, len(memory)
assert memory[:] == bytes(i * 7 % 256 for i in range(${size}))
memory[:] = bytes((i * 7 + 1) % 256 for i in range(${size}))
memory.flush()`
    const name = shmName()
    using(SharedMemory.createSync(name, size), (m) => {
      m.write(pattern, 0)
      run(t, 'python3', ['-c', script, `/dev/shm${name}`])
      t.is(m.compare(answered), 0)
    })
    SharedMemory.unlink(name)
    using(SharedMemory.anonymous(size), (m) => {
      m.write(pattern, 0)
      run(t, 'python3', ['-c', script, '3'], m.fd!)
      t.is(m.compare(answered), 0)
    })
  },
)
