/**
 * What is asked most, in fixed memory: the space-saving summary (Metwally, Agrawal and El Abbadi, "Efficient Computation of
 * Frequent and Top-k Elements in Data Streams", ICDT 2005). Of n hits counted over m places whatever came more often than n / m
 * times is there, and no count is more than that too high. A hit costs a look-up and two moves between sets.
 */
export type HotKeys = {
  hit(key: string): void
  /** The most used first, `most` at most. */
  top(most: number): readonly string[]
  /** Halves all counts, so that what is asked today weighs more than what was. */
  age(): void
}

export const openHotKeys = (places: number): HotKeys => {
  let counts = new Map<string, number>()
  /** Keys by count, so that one of the least is at hand. */
  let same = new Map<number, Set<string>>()
  let least = 1

  const put = (key: string, count: number): void => {
    counts.set(key, count)
    const keys = same.get(count)
    if (keys) keys.add(key)
    else same.set(count, new Set([key]))
  }
  const take = (key: string, count: number): void => {
    const keys = same.get(count)
    keys?.delete(key)
    if (keys?.size !== 0) return
    same.delete(count)
    // Whoever leaves the least empty has moved one up, or gives its place to one that is one higher.
    if (least === count) least = count + 1
  }

  return {
    hit: key => {
      const count = counts.get(key)
      if (count !== undefined) {
        take(key, count)
        put(key, count + 1)
        return
      }
      if (counts.size < places) {
        put(key, 1)
        least = 1
        return
      }
      const [loser] = same.get(least) ?? []
      if (loser === undefined) return
      const inherited = least
      counts.delete(loser)
      take(loser, inherited)
      put(key, inherited + 1)
    },
    top: most =>
      [...counts]
        .toSorted(([, a], [, b]) => b - a)
        .slice(0, most)
        .map(([key]) => key),
    age: () => {
      const before = counts
      counts = new Map()
      same = new Map()
      for (const [key, count] of before) if (count > 1) put(key, Math.floor(count / 2))
      least = Math.min(...counts.values(), Number.MAX_SAFE_INTEGER)
    },
  }
}
