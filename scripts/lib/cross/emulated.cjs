// Loaded before anything else in every Node that scripts/cross-test.mjs starts: what asks for this Node again (ava, child_process,
// node --test) gets the program that starts it under its emulator or loader, instead of a binary that the kernel cannot run.
'use strict'

if (process.env.MEMMAP_EXEC_PATH) process.execPath = process.env.MEMMAP_EXEC_PATH
