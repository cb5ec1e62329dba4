/** How many edits make one word of another. */

/**
 * Optimal string alignment distance (Damerau-Levenshtein without edits inside a transposition), or `most + 1` as soon as
 * it is more than `most`. Letters are those of ASCII keys; of a text whose letters are one character each, itself.
 */
export const distanceOf = (a: ArrayLike<string>, b: ArrayLike<string>, most: number): number => {
  if (Math.abs(a.length - b.length) > most) return most + 1
  // What both begin and end with needs no edit, and most of a misspelling is right.
  let start = 0
  while (start < a.length && start < b.length && a[start] === b[start]) start += 1
  let endA = a.length
  let endB = b.length
  while (endA > start && endB > start && a[endA - 1] === b[endB - 1]) {
    endA -= 1
    endB -= 1
  }
  const width = endB - start
  let before: readonly number[] = []
  let previous: readonly number[] = Array.from({ length: width + 1 }, (_, j) => j)
  for (let i = 1; i <= endA - start; i += 1) {
    const row = [i]
    let best = i
    const char = a[start + i - 1]
    for (let j = 1; j <= width; j += 1) {
      const other = b[start + j - 1]
      const cost = char === other ? 0 : 1
      let value = Math.min((previous[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (previous[j - 1] ?? 0) + cost)
      if (i > 1 && j > 1 && char === b[start + j - 2] && a[start + i - 2] === other)
        value = Math.min(value, (before[j - 2] ?? 0) + 1)
      row.push(value)
      if (value < best) best = value
    }
    if (best > most) return most + 1
    before = previous
    previous = row
  }
  return Math.min(previous[width] ?? most + 1, most + 1)
}

/** Of the known names the one that takes the fewest edits; the first of several, and '' where none is known. */
export const nearestOf = (name: string, known: Iterable<string>): string => {
  let found = { name: '', distance: Number.POSITIVE_INFINITY }
  for (const candidate of known) {
    const distance = distanceOf(name, candidate, found.distance)
    if (distance < found.distance) found = { name: candidate, distance }
  }
  return found.name
}
