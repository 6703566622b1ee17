// What all who work in this process do with their memory: one function, so that nobody's is compiled better than another's.
import { positions } from './fixtures.mjs'

/** int32++ in places all over an Int32Array. */
export function increment(words, count) {
  for (const at of positions(4 * words.length, count)) words[at]++
  return count
}

export function sumOf(words) {
  let sum = 0
  for (let at = 0; at < words.length; at++) sum += words[at]
  return sum
}
