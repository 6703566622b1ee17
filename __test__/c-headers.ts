// What the C headers of this machine say about names: asked of the C compiler, not parsed by us.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const cc = process.env.CC ?? 'cc'

/** Why the headers cannot be asked here; undefined where they can. */
export function compilerProblem(): string | undefined {
  if (process.platform === 'win32') return 'Windows has none of these headers'
  if (process.env['MEMMAP_EMULATOR']) return 'these are the headers of another C library or processor'
  const { error, status } = spawnSync(cc, ['--version'])
  return error || status !== 0 ? `no C compiler: ${cc} does not run` : undefined
}

function compile(dir: string, source: string, ...args: string[]) {
  const file = join(dir, 'probe.c')
  writeFileSync(file, source)
  // Messages in English, so that `undeclared` can be found in them.
  return spawnSync(cc, ['-D_GNU_SOURCE', ...args, file], {
    encoding: 'utf8',
    env: { ...process.env, LC_ALL: 'C' },
    maxBuffer: 1 << 26,
  })
}

function include(headers: readonly string[]): string {
  return headers.map((header) => `#if __has_include(<${header}>)\n#include <${header}>\n#endif\n`).join('')
}

export interface Headers {
  /** The object-like macros that the headers define: also those that nobody asked for. */
  readonly macros: ReadonlySet<string>
  /** The value of every asked name that is defined, as a macro or as an enumerator. */
  readonly values: ReadonlyMap<string, number>
}

/** Includes `headers` (those that exist) and asks for `names`. */
export function readHeaders(headers: readonly string[], names: readonly string[]): Headers {
  const dir = mkdtempSync(join(tmpdir(), 'memmap-headers-'))
  try {
    const preprocessed = compile(dir, include(headers), '-dM', '-E')
    if (preprocessed.status !== 0) throw new Error(preprocessed.stderr)
    const macros = new Set([...preprocessed.stdout.matchAll(/^#define (\w+)(?!\()\b(?:\s|$)/gm)].map((hit) => hit[1]!))

    // An enumerator is no macro: #ifdef does not see it. The compiler names the ones that it has never heard of.
    const others = names.filter((name) => !macros.has(name))
    const lines = others.map((name) => `enum { probe_${name} = (${name}) };\n`).join('')
    const { stderr } = compile(dir, include(headers) + lines, '-fsyntax-only', '-fmax-errors=0')
    const unknown = new Set(
      [...stderr.matchAll(/'(\w+)' undeclared|undeclared identifier '(\w+)'/g)].map((hit) => hit[1] ?? hit[2]),
    )
    const defined = names.filter((name) => macros.has(name) || !unknown.has(name))

    const prints = defined.map((name) => `  printf("${name} %lld\\n", (long long)(${name}));\n`).join('')
    const program = join(dir, 'probe')
    const source = `${include(headers)}#include <stdio.h>\nint main(void) {\n${prints}  return 0;\n}\n`
    const compiled = compile(dir, source, '-o', program)
    if (compiled.status !== 0) throw new Error(compiled.stderr)
    const output = spawnSync(program, { encoding: 'utf8' }).stdout
    const values = new Map([...output.matchAll(/^(\w+) (-?\d+)$/gm)].map((hit) => [hit[1]!, Number(hit[2])]))
    if (values.size !== defined.length)
      throw new Error(`the C program printed ${values.size} of ${defined.length} names`)
    return { macros, values }
  } finally {
    rmSync(dir, { recursive: true })
  }
}
