// The first lines of the README; `__test__/examples.spec.ts` holds the two together and runs them.
import { MappedFile } from 'memmap'

export async function main(): Promise<void> {
  const table = await MappedFile.open('state.bin', { access: 'write', create: true, length: 4096 })
  try {
    table.view(Int32Array)[7]!++ //                  a typed array over the file: no copy, no write()
    table.setFloat64(64, Math.PI, true) //           DataView's accessors, at any position
    table.write('hello', 128) //                     strings and bytes
    table.subarray(128, 133).toString() //           a Buffer over the file: 'hello'
    await table.flush() //                           on the disk, as after fsync
  } finally {
    table.close() //                                 unmapped now; every view has length 0 from here on
  }
}
