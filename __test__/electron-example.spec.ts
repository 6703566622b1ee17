import { execFile } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import test from 'ava'
import { Mapping } from '../index'
import { file, unless } from './helpers'

const execute = promisify(execFile)
const example = join(__dirname, '../examples/electron')
const standIn = join(__dirname, 'electron/stand-in.cjs')

// Electron itself runs it in CI (scripts/electron-test.mjs).
const temporary = mkdtempSync(join(tmpdir(), 'memmap-electron-'))
test.after.always(() => rmSync(temporary, { recursive: true, force: true }))
const start = (args: string[], env: NodeJS.ProcessEnv = {}) =>
  execute(process.execPath, ['-r', standIn, join(example, 'main.cjs'), ...args], {
    env: { ...process.env, TMPDIR: temporary, ...env },
  })
const run = (...args: string[]) => start(['--once', ...args])

interface Seen {
  progress: number
  frames: number
  lines: number
  failure?: string
}

const programs = unless(!Mapping.isSupported('posixShm') && 'the two processes share memory by a POSIX name')
programs(
  'the programs of the Electron example work together: search, progress, frames of another process',
  async (t) => {
    const { stdout, stderr } = await run()
    const seen = JSON.parse(stdout) as Seen
    t.is(seen.lines, 5, stderr)
    t.true(seen.progress > 0)
    t.true(seen.frames >= 3)
    t.deepEqual(
      readdirSync(temporary).filter((name) => name.endsWith('.txt')),
      [],
      'its file is gone',
    )
  },
)

programs('the example says what is wrong with a file', async (t) => {
  const seen = JSON.parse((await run('/x/app.asar.unpacked/none')).stdout) as Seen
  t.regex(seen.failure ?? '', /^ENOENT/)
})

programs('the example shows the lines of a small file', async (t) => {
  const seen = JSON.parse((await run(file('no\nThe fox.\nno\nfoxes'))).stdout) as Seen
  t.is(seen.lines, 2)
})

programs('a switch before the path of the app makes the app no file to show', async (t) => {
  // A folder of its own: the test above looks whether its file is gone.
  const env = { MEMMAP_SWITCH: '--no-sandbox', TMPDIR: mkdtempSync(join(temporary, 'switch-')) }
  const own = JSON.parse((await start(['--once'], env)).stdout) as Seen
  t.is(own.lines, 5, own.failure)
  t.true(own.progress > 0)
  const seen = JSON.parse((await start([file('no\nThe fox.\nno\nfoxes'), '--once'], env)).stdout) as Seen
  t.is(seen.lines, 2, seen.failure)
})

test('what the example maps is unpacked by both packagers', (t) => {
  const { build } = JSON.parse(readFileSync(join(example, 'package.json'), 'utf8')) as {
    build: { asarUnpack: string[]; npmRebuild: boolean }
  }
  t.deepEqual(build.asarUnpack, ['**/*.node', 'data/**'])
  t.false(build.npmRebuild)
  const forge = require(join(example, 'forge.config.cjs')) as { packagerConfig: { asar: { unpack: string } } }
  t.is(forge.packagerConfig.asar.unpack, '{**/*.node,**/data/**}')
  t.true(existsSync(join(example, 'data/quick.txt')))
  const { unpacked } = require(join(example, 'paths.cjs')) as { unpacked: (path: string) => string }
  t.is(unpacked('/a/app.asar/data/x'), '/a/app.asar.unpacked/data/x')
  t.is(unpacked('C:\\a\\app.asar\\data\\x'), 'C:\\a\\app.asar.unpacked\\data\\x')
  t.is(unpacked('/a/app.asar.unpacked/x'), '/a/app.asar.unpacked/x')
  t.is(unpacked('/a/b'), '/a/b')
})
