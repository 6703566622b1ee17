// Every piece of code in docs/posix.md runs, in a process of its own.
import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { onLinux, unless } from './helpers'

const root = join(__dirname, '..')
const text = readFileSync(join(root, 'docs/posix.md'), 'utf8')

interface Piece {
  readonly title: string
  readonly code: string
}

function pieces(): Piece[] {
  let title = ''
  const found: Piece[] = []
  for (const [, heading, code] of text.matchAll(/^#+ (.+)$|^```js\n([\s\S]*?)^```$/gm)) {
    if (heading !== undefined) title = heading
    else found.push({ title, code: code! })
  }
  return found
}

function run(code: string): Promise<{ status: number | null; output: string }> {
  return new Promise((resolve, reject) => {
    // From the package's own folder, where `memmap/posix` is this package.
    const child = spawn(process.execPath, ['-e', code], { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] })
    let output = ''
    child.stdout.on('data', (data: Buffer) => (output += data.toString()))
    child.stderr.on('data', (data: Buffer) => (output += data.toString()))
    child.on('error', reject)
    child.on('close', (status) => resolve({ status, output }))
  })
}

const onItsSystem = unless(!onLinux && 'the examples use what only Linux has')

for (const { title, code } of pieces()) {
  onItsSystem(`docs/posix.md: ${title}`, async (t) => {
    const { status, output } = await run(code)
    t.is(status, 0, output)
  })
}

test('docs/posix.md has the teaching cases', (t) => {
  t.true(pieces().length >= 12)
})
