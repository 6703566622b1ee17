// A software bill of materials (CycloneDX 1.6) of the native part: the crates that are linked. The JavaScript part has no dependencies.
import { createHash } from 'node:crypto'
import { linkedCrates } from './crates.mjs'

/** @param {{ name: string, version: string, license: string }} description package.json */
export async function sbom(description) {
  const crates = await linkedCrates()
  const components = crates.map(({ name, version, license }) => ({
    type: 'library',
    'bom-ref': `pkg:cargo/${name}@${version}`,
    name,
    version,
    purl: `pkg:cargo/${name}@${version}`,
    // Old crates write the SPDX `OR` as a slash.
    licenses: [{ expression: license.replace(/\s*\/\s*/g, ' OR ') }],
  }))
  const purl = `pkg:npm/${description.name}@${description.version}`
  // Named by its content, not by a random number: the same commit gives the same document.
  const digest = createHash('sha256')
    .update(JSON.stringify([purl, components]))
    .digest('hex')
  const serial = [8, 4, 4, 4, 12].map((length, index, all) => {
    const start = all.slice(0, index).reduce((sum, each) => sum + each, 0)
    return digest.slice(start, start + length)
  })
  serial[2] = `8${serial[2].slice(1)}`
  serial[3] = `8${serial[3].slice(1)}`
  return {
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    serialNumber: `urn:uuid:${serial.join('-')}`,
    version: 1,
    metadata: {
      component: {
        type: 'library',
        'bom-ref': purl,
        name: description.name,
        version: description.version,
        purl,
        licenses: [{ license: { id: description.license } }],
      },
    },
    components,
    dependencies: [{ ref: purl, dependsOn: components.map((each) => each['bom-ref']) }],
  }
}
