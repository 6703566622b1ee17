// A child of wasm-sqlite.spec.ts: makes a database, maps it into SQLite's memory, and says what was seen.
import { readFileSync, writeFileSync } from 'node:fs'
import sqlite3InitModule from '@sqlite.org/sqlite-wasm'
import { open } from '../examples/wasm-sqlite/query.mjs'

const [path] = process.argv.slice(2)
const { capi, oo1 } = await sqlite3InitModule()
const made = new oo1.DB(':memory:')
made.exec('create table words (id integer primary key, word text); create index by_word on words (word)')
made.exec(
  `with recursive n (i) as (select 1 union all select i + 1 from n where i < 50000) insert into words select i, 'word ' || i from n`,
)
writeFileSync(path, capi.sqlite3_js_db_export(made))
made.close()
const before = readFileSync(path)

const { db, file, close } = await open(path)
const seen = {
  count: db.selectValue('select count(*) from words'),
  id: db.selectValue(`select id from words where word = 'word 49999'`),
  check: db.selectValue('pragma integrity_check'),
  carrier: file.carrier,
  fault: file.fault,
}
try {
  db.exec(`insert into words values (0, 'none')`)
} catch (error) {
  seen.insert = error.message
}
// The allocator goes on beside the mapping, and over it when it is gone.
seen.sorted = db.selectValue(`select word from words order by substr(word, 3) desc limit 1`)
seen.unchanged = readFileSync(path).equals(before) && file.compare(before) === 0
// The bytes that SQLite sees are the file's: what is written to it is there at once.
const changed = Buffer.from(before)
changed.write('WORD 49999', before.lastIndexOf('word 49999'))
writeFileSync(path, changed, { flag: 'r+' })
seen.live = file.includes('WORD 49999')
close()
const again = await open(path)
seen.again = again.db.selectValue('select max(id) from words')
again.close()
console.log(JSON.stringify(seen))
