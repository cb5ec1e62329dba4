/** How well a gloss answers what is asked in a few words: all of them, or the telling ones. */

/** The glosses of an entry, each as its stems. */
export type Glosses = readonly (readonly string[])[]

/** As the search document has them: numbers into the stems of all. */
export const glossesOf = (stems: readonly string[], glosses: readonly (readonly number[])[]): Glosses =>
  glosses.map(gloss => gloss.map(number => stems[number] ?? ''))

/**
 * The share of a gloss that the words are, of the gloss that they are most of: 1 where it says nothing else. undefined: none has
 * all of them.
 */
export const coverOf = (asked: readonly string[], glosses: Glosses): number | undefined => {
  const covers = glosses.flatMap(gloss =>
    asked.every(stem => gloss.includes(stem)) ? [asked.length / gloss.length] : [],
  )
  return covers.length > 0 ? Math.max(...covers) : undefined
}

/** What the rarest word weighs: as if of a hundred thousand glosses one had it. */
const GLOSSES = 100_000

/** Inverse document frequency (Robertson and Zaragoza, The Probabilistic Relevance Framework, 2009, 3.4.2), never below 0. */
export const weightOf = (glosses: number): number =>
  Math.log(1 + (GLOSSES - Math.min(glosses, GLOSSES) + 0.5) / (glosses + 0.5))

/** Saturation of BM25 as is usual, and less weight of the length: glosses are short, eight stems or so (tuned on half of the questions of bench/gcide.ts). */
const K1 = 1.2
const B = 0.4
const USUAL_LENGTH = 8

/** Of the weight of what is asked so much has to be in one gloss. */
const LEAST_WEIGHT = 0.2

export type Closeness = { readonly score: number; readonly covered: number; readonly stems: readonly string[] }

/**
 * The gloss that comes closest to what is asked, by BM25 (a stem counts once in a gloss). `covered` is the share of the asked words
 * that it has, `stems` are those. undefined: too little of it is in any one gloss.
 */
export const closestOf = (
  asked: readonly string[],
  glosses: Glosses,
  weights: ReadonlyMap<string, number>,
): Closeness | undefined => {
  const weigh = (stems: readonly string[]): number => stems.reduce((sum, stem) => sum + (weights.get(stem) ?? 0), 0)
  const all = weigh(asked)
  let best: Closeness | undefined
  for (const gloss of glosses) {
    const stems = asked.filter(stem => gloss.includes(stem))
    const weight = weigh(stems)
    if (weight === 0 || weight < LEAST_WEIGHT * all) continue
    const score = (weight * (K1 + 1)) / (1 + K1 * (1 - B + (B * gloss.length) / USUAL_LENGTH))
    if (!best || score > best.score) best = { score, covered: stems.length / asked.length, stems }
  }
  return best
}
