// A package registry on the loopback that holds the packed tarballs and nothing else: memmap depends on nothing else, and what an install
// from it asks for is what an install from the public one will ask for.
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { platforms } from '../pack.mjs'
import { root, run } from './run.mjs'

const digest = (algorithm, bytes, encoding) => createHash(algorithm).update(bytes).digest(encoding)

/** package.json out of a tarball. */
async function descriptionOf(tarball) {
  const { stdout } = await run('tar', ['-xzOf', tarball, 'package/package.json'], { minutes: 1 })
  return JSON.parse(stdout)
}

/** One version as registries describe it. */
function document(description, tarball, address) {
  const bytes = readFileSync(tarball)
  const dist = {
    tarball: `${address}/${description.name}/-/${basename(tarball)}`,
    shasum: digest('sha1', bytes, 'hex'),
    integrity: `sha512-${digest('sha512', bytes, 'base64')}`,
  }
  return {
    name: description.name,
    'dist-tags': { latest: description.version },
    versions: { [description.version]: { ...description, _id: `${description.name}@${description.version}`, dist } },
    time: { [description.version]: '2026-01-01T00:00:00.000Z' },
  }
}

/** @param {readonly string[]} tarballs @returns {Promise<{ address: string, requests: string[], close(): void }>} */
export async function serve(tarballs) {
  const requests = []
  const documents = new Map()
  const files = new Map(tarballs.map((path) => [basename(path), path]))
  const server = createServer((request, response) => {
    const path = decodeURIComponent(new URL(request.url, 'http://registry').pathname)
    requests.push(path)
    const name = path.slice(1)
    const file = files.get(basename(path))
    if (documents.has(name)) {
      response.setHeader('content-type', 'application/json')
      response.end(JSON.stringify(documents.get(name)))
    } else if (file) {
      response.end(readFileSync(file))
    } else {
      response.statusCode = 404
      response.end('{}')
    }
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = `http://127.0.0.1:${server.address().port}`
  for (const tarball of tarballs) {
    const description = await descriptionOf(tarball)
    documents.set(description.name, document(description, tarball, address))
  }
  // Platform packages that were not built have no binary: `os` and `cpu` rule them out. Yarn 1 fetches them all the same.
  const folder = mkdtempSync(join(tmpdir(), 'memmap-registry-'))
  for (const tarball of await packEmpty(documents, folder)) {
    const description = await descriptionOf(tarball)
    files.set(basename(tarball), tarball)
    documents.set(description.name, document(description, tarball, address))
  }
  const close = () => {
    server.close()
    rmSync(folder, { recursive: true })
  }
  return { address, requests, close }
}

/** Tarballs of the promised platforms that are not known yet. */
async function packEmpty(known, folder) {
  const missing = platforms().filter((name) => !known.has(`memmap-${name}`))
  if (missing.length === 0) return []
  const paths = missing.map((name) => `./${join('npm', name)}`)
  const args = ['pack', '--json', '--ignore-scripts', '--loglevel=error', '--pack-destination', folder, ...paths]
  const answer = await run('npm', args, { cwd: root, minutes: 2 })
  if (answer.code !== 0) throw new Error(`npm pack failed:\n${answer.output}`)
  return readdirSync(folder).map((name) => join(folder, name))
}
