import { outOfRange } from './errors'
import { byteCount } from './validate'

/** Bytes of a mapping. */
export interface Range {
  readonly offset: number
  readonly length: number
}

/** The `offset` and `length` of checked options: both inside of the mapping, never clamped. */
export function rangeOf(given: Record<string, unknown>, size: number): Range {
  const offset = given['offset'] === undefined ? 0 : byteCount(given['offset'], 'options.offset')
  if (offset > size) throw outOfRange('options.offset', `>= 0 && <= ${size}`, given['offset'])
  const length = given['length'] === undefined ? size - offset : byteCount(given['length'], 'options.length')
  if (length > size - offset) throw outOfRange('options.length', `>= 0 && <= ${size - offset}`, given['length'])
  return { offset, length }
}
