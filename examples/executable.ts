// What an executable says about itself: ELF, Mach-O and PE headers, read in place with the accessors of a mapping.
import type { Mapping } from 'memmap'

export interface ExecutableHeader {
  readonly format: string
  readonly machine: string
  readonly kind: string
  /** Sections (ELF, PE), load commands (Mach-O) or architectures (a universal Mach-O): what the header counts. */
  readonly parts: string
}

const unknown = (value: number) => `unknown (0x${value.toString(16)})`

/** Machine numbers of the ELF specification, e_machine. */
const elfMachines: Record<number, string> = {
  3: 'x86',
  20: 'PowerPC',
  21: 'PowerPC 64',
  22: 's390x',
  40: 'ARM',
  62: 'x86-64',
  183: 'ARM 64',
  243: 'RISC-V',
  258: 'LoongArch',
}
const elfKinds: Record<number, string> = {
  1: 'object file',
  2: 'executable at a fixed address',
  3: 'position-independent executable or library',
}

function elf(file: Mapping): ExecutableHeader {
  const wide = file.getUint8(4) === 2
  const little = file.getUint8(5) === 1
  const kind = file.getUint16(16, little)
  const machine = file.getUint16(18, little)
  const sections = file.getUint16(wide ? 60 : 48, little)
  return {
    format: `ELF, ${wide ? 64 : 32} bits, ${little ? 'little' : 'big'} endian`,
    machine: elfMachines[machine] ?? unknown(machine),
    kind: elfKinds[kind] ?? unknown(kind),
    parts: `${sections} sections`,
  }
}

/** cputype of mach/machine.h; the 0x01000000 bit means 64 bits. */
const machMachines: Record<number, string> = { 7: 'x86', 12: 'ARM', 0x01000007: 'x86-64', 0x0100000c: 'ARM 64' }
const machKinds: Record<number, string> = { 1: 'object file', 2: 'executable', 6: 'dynamic library', 8: 'bundle' }

function machO(file: Mapping, little: boolean, wide: boolean): ExecutableHeader {
  const machine = file.getUint32(4, little)
  const kind = file.getUint32(12, little)
  return {
    format: `Mach-O, ${wide ? 64 : 32} bits, ${little ? 'little' : 'big'} endian`,
    machine: machMachines[machine] ?? unknown(machine),
    kind: machKinds[kind] ?? unknown(kind),
    parts: `${file.getUint32(16, little)} load commands`,
  }
}

/** A universal binary: a big-endian table of Mach-O files, each record 20 bytes (32 in the 64-bit form). */
function universal(file: Mapping, record: number): ExecutableHeader {
  const count = file.getUint32(4)
  const machines = Array.from({ length: count }, (_, i) => {
    const machine = file.getUint32(8 + i * record)
    return machMachines[machine] ?? unknown(machine)
  })
  return {
    format: 'Mach-O, universal',
    machine: machines.join(', '),
    kind: 'one file for several machines',
    parts: `${count} architectures`,
  }
}

const peMachines: Record<number, string> = { 0x14c: 'x86', 0x1c4: 'ARM', 0x8664: 'x86-64', 0xaa64: 'ARM 64' }

/** A PE file begins with a DOS program; its word at 0x3c says where the header really is. */
function pe(file: Mapping): ExecutableHeader | undefined {
  const at = file.getUint32(0x3c, true)
  if (at + 26 > file.byteLength || file.getUint32(at) !== 0x50450000) return undefined
  const machine = file.getUint16(at + 4, true)
  const flags = file.getUint16(at + 22, true)
  return {
    format: `PE, ${file.getUint16(at + 24, true) === 0x20b ? 64 : 32} bits, little endian`,
    machine: peMachines[machine] ?? unknown(machine),
    kind: flags & 0x2000 ? 'dynamic library' : 'executable',
    parts: `${file.getUint16(at + 6, true)} sections`,
  }
}

/** The header of an executable file, or undefined when it is none that is known here. */
export function readHeader(file: Mapping): ExecutableHeader | undefined {
  // The longest fixed part that is read below; every real executable is longer.
  if (file.byteLength < 64) return undefined
  const magic = file.getUint32(0)
  switch (magic) {
    case 0x7f454c46: // 7f 'ELF'
      return elf(file)
    case 0xcffaedfe:
    case 0xcefaedfe:
      return machO(file, true, magic === 0xcffaedfe)
    case 0xfeedfacf:
    case 0xfeedface:
      return machO(file, false, magic === 0xfeedfacf)
    case 0xcafebabe:
      // A compiled Java class has this number too; its next word is a version, 45 or more.
      return file.getUint32(4) < 45 ? universal(file, 20) : undefined
    case 0xcafebabf:
      return universal(file, 32)
    default:
      return magic >>> 16 === 0x4d5a ? pe(file) : undefined // 'MZ'
  }
}
