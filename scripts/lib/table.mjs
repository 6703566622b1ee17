/**
 * Rows as aligned text: numbers to the right, all else to the left.
 * @param {readonly string[]} head
 * @param {readonly (readonly (string | number)[])[]} rows
 */
export function table(head, rows) {
  const cells = [head, ...rows].map((row) => row.map(String))
  const widths = head.map((_, column) => Math.max(...cells.map((row) => row[column].length)))
  const right = head.map((_, column) => rows.some((row) => typeof row[column] === 'number'))
  const line = (row) =>
    row
      .map((cell, column) => (right[column] ? cell.padStart(widths[column]) : cell.padEnd(widths[column])))
      .join('  ')
      .trimEnd()
  const [first, ...rest] = cells.map(line)
  return [first, widths.map((width) => '-'.repeat(width)).join('  '), ...rest].join('\n')
}

/** @param {number} seconds */
export function duration(seconds) {
  return seconds < 100 ? `${seconds.toFixed(1)} s` : `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`
}
