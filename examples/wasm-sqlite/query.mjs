/**
 * SQLite, compiled to WebAssembly, queries a database that lies in its memory: mapped, not read. Read-only, and for databases that nobody
 * writes meanwhile: SQLite knows of no file here, so it locks none.
 *
 *     node examples/wasm-sqlite/query.mjs words.db 'select count(*) from words'
 */
import { argv } from 'node:process'
import { statSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import sqlite3InitModule from '@sqlite.org/sqlite-wasm'
import { mapInto } from '../../lib/wasm.js'

/** WebAssembly's page: a mapping begins at a multiple of it. */
const PAGE = 65_536

/**
 * Opens a database over a mapping of its file.
 * @param {string} path
 */
export async function open(path) {
  const { capi, oo1, wasm } = await sqlite3InitModule()
  const { size } = statSync(path)
  // SQLite's allocator believes that all memory above its own belongs to it: the place has to come from it. Nothing touches these pages
  // before the file lies there, so they cost address space only.
  const room = wasm.alloc(Math.ceil(size / PAGE) * PAGE + PAGE)
  const at = Math.ceil(room / PAGE) * PAGE
  const file = mapInto(wasm.memory, path, { at })
  const db = new oo1.DB(':memory:')
  const close = () => {
    db.close()
    file.close()
    wasm.dealloc(room)
  }
  try {
    // Without SQLITE_DESERIALIZE_FREEONCLOSE the memory stays ours.
    db.checkRc(capi.sqlite3_deserialize(db.pointer, 'main', at, size, size, capi.SQLITE_DESERIALIZE_READONLY))
  } catch (error) {
    close()
    throw error
  }
  return { db, file, close }
}

if (import.meta.url === pathToFileURL(argv[1]).href) {
  const { db, file, close } = await open(argv[2])
  try {
    for (const row of db.selectArrays(argv[3] ?? 'select name, type from sqlite_schema')) console.log(row.join('\t'))
    // A truncated file reads as zeros from its end on: the answer is worth nothing then.
    file.throwIfFaulted()
  } finally {
    close()
  }
}
