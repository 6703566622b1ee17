//! The native core of memmap. Read in this order: `mapping` (what TypeScript calls), `open`, `region`, `os`, `fault`.

mod fault;
