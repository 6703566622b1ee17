// The crates whose code is in the binaries, and their licences.
import { readFileSync, readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { run } from './run.mjs'

/** Crates that the add-on itself is linked from: no build scripts, no macros that run at compile time, no test helpers. */
export async function linkedCrates() {
  const answer = await run('cargo', ['metadata', '--format-version', '1', '--locked'], { minutes: 5 })
  if (answer.code !== 0) throw new Error(`cargo metadata failed:\n${answer.output}`)
  const { packages, resolve } = JSON.parse(answer.stdout)
  const byId = new Map(packages.map((each) => [each.id, each]))
  const nodes = new Map(resolve.nodes.map((node) => [node.id, node]))
  const isMacro = ({ targets }) => targets.some(({ kind }) => kind.includes('proc-macro'))
  const found = new Set()
  const visit = (id) => {
    if (found.has(id) || isMacro(byId.get(id))) return
    found.add(id)
    for (const { pkg, dep_kinds: kinds } of nodes.get(id).deps) if (kinds.some(({ kind }) => kind === null)) visit(pkg)
  }
  visit(resolve.root)
  // Without a source it is a part of this repository.
  const foreign = [...found].map((id) => byId.get(id)).filter(({ source }) => source !== null)
  return foreign.toSorted((a, b) => (a.name < b.name ? -1 : 1))
}

/** The texts that a crate brings; the MIT one alone where it offers a choice. */
function licenceTexts({ manifest_path: manifest, license, name }) {
  const folder = dirname(manifest)
  const files = readdirSync(folder).filter((file) => /^(licen[cs]e|copying|notice|unlicense)/i.test(file))
  const mit = files.filter((file) => /mit/i.test(file))
  const chosen = /\bMIT\b/.test(license) && mit.length > 0 ? mit : files
  if (chosen.length > 0) return chosen.map((file) => readFileSync(join(folder, file), 'utf8').trim())
  // Crates of a workspace often keep the one text at its top, which is not in the package.
  const known = new Map([
    ['MIT', 'MIT License'],
    ['ISC', 'ISC License'],
  ])
  const title = [...known].find(([id]) => license.includes(id))?.[1]
  if (!title) throw new Error(`${name} brings no licence text and is not known: ${license}`)
  return [`${title} (the package brings no text of its own; see ${license} at https://spdx.org/licenses)`]
}

/** What the licences ask to be shipped with the binaries. */
export async function notices() {
  const crates = await linkedCrates()
  const byText = new Map()
  for (const crate of crates) {
    for (const text of licenceTexts(crate)) {
      const names = byText.get(text) ?? []
      names.push(
        `${crate.name} ${crate.version}${crate.authors.length > 0 ? ` (${crate.authors.map((author) => author.replace(/ <.*>/, '')).join(', ')})` : ''}`,
      )
      byText.set(text, names)
    }
  }
  const parts = [...byText].map(([text, names]) => `${names.join('\n')}\n\n${text}`)
  const std =
    'The Rust standard library (The Rust Project contributors), MIT OR Apache-2.0: https://github.com/rust-lang/rust/blob/HEAD/COPYRIGHT'
  return `The native part contains code of these projects.\n\n${[std, ...parts].join(`\n\n${'-'.repeat(80)}\n\n`)}\n`
}
