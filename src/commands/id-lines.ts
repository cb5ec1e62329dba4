/** Which line of a source an id came from first: a hash table of raw bytes, since a source may have millions of lines. */

/** Four words of a UUID and a line: 20 bytes an id, where a Map of strings takes 150. */
const WORDS = 5
const FIRST_SLOTS = 1 << 14

/** Half of the slots are used at most: then a search looks at one or two. */
const MAX_FILL = 0.5

/** `put` keeps the line under the id (a UUID) and returns undefined, or returns the line that is there already. */
export type IdLines = {
  put(id: string, line: number): number | undefined
  has(id: string): boolean
  readonly size: number
}

export const openIdLines = (): IdLines => {
  let slots = FIRST_SLOTS
  let table = new Uint32Array(slots * WORDS)
  let size = 0

  /** The slot that has the id, or the free one where it belongs. A free slot has line 0. */
  const search = (a: number, b: number, c: number, d: number): number => {
    for (let slot = a & (slots - 1); ; slot = (slot + 1) & (slots - 1)) {
      const at = slot * WORDS
      if (table[at + 4] === 0) return at
      if (table[at] === a && table[at + 1] === b && table[at + 2] === c && table[at + 3] === d) return at
    }
  }

  const grow = () => {
    const old = table
    slots *= 2
    table = new Uint32Array(slots * WORDS)
    for (let at = 0; at < old.length; at += WORDS) {
      if (old[at + 4] === 0) continue
      table.set(
        old.subarray(at, at + WORDS),
        search(old[at] ?? 0, old[at + 1] ?? 0, old[at + 2] ?? 0, old[at + 3] ?? 0),
      )
    }
  }

  const wordsOf = (id: string) => {
    const hex = id.replaceAll('-', '')
    const word = (n: number) => Number.parseInt(hex.slice(n * 8, n * 8 + 8), 16)
    return [word(0), word(1), word(2), word(3)] as const
  }

  return {
    has: id => table[search(...wordsOf(id)) + 4] !== 0,
    put: (id, line) => {
      if (size >= slots * MAX_FILL) grow()
      const words = wordsOf(id)
      const at = search(...words)
      const known = table[at + 4] ?? 0
      if (known !== 0) return known
      table.set(words, at)
      table[at + 4] = line
      size += 1
      return undefined
    },
    get size() {
      return size
    },
  }
}
