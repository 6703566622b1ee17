import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { Mapping } from '../index'
import { fresh, unless } from './helpers'

const execute = promisify(execFile)

const mapped = unless(!Mapping.isSupported('wasm') && 'no mapping into WebAssembly memories here')
mapped('SQLite queries a database that is mapped into its memory, and cannot change it', async (t) => {
  const path = fresh('db')
  const { stdout, stderr } = await execute(process.execPath, [join(__dirname, 'wasm-sqlite.mjs'), path])
  const { insert, ...seen } = JSON.parse(stdout) as { insert: string }
  t.regex(insert, /^SQLITE_READONLY/, stderr)
  t.deepEqual(seen as object, {
    count: 50_000,
    id: 49_999,
    check: 'ok',
    carrier: 'wasm',
    fault: null,
    sorted: 'word 9999',
    unchanged: true,
    live: true,
    again: 50_000,
  })
  const example = join(__dirname, '../examples/wasm-sqlite/query.mjs')
  const answer = await execute(process.execPath, [example, path, 'select id, word from words limit 1'])
  t.is(answer.stdout, '1\tword 1\n')
})
