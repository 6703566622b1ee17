// Records that prove themselves: number, then bytes that follow from it.

/** The record with a number: 4 to some 2,000 bytes. */
export function payload(number) {
  const length = 4 + ((number * 7919) % 1993)
  const bytes = Buffer.alloc(length, number & 0xff)
  bytes.writeUInt32LE(number, 0)
  return bytes
}

/** Throws unless these are the bytes of a record; returns its number. */
export function numberOf(bytes) {
  const number = bytes.readUInt32LE(0)
  if (!payload(number).equals(bytes)) throw new Error(`a wrong record: number ${number}, ${bytes.length} bytes`)
  return number
}
