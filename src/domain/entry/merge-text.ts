/** Three-way merge of one text: what two people changed of the same, each without the other's knowledge. */
import { diff3Merge } from 'node-diff3'

/** Two versions of the same base. */
export type Three<T> = { readonly base: T; readonly theirs: T; readonly ours: T }

/** A word with the space behind it: what is changed of a sentence is words. */
const WORD = /\S+\s*|\s+/g
/** A comparison costs the product of two lengths: what is longer than that, beside what all three have in common, is compared by lines. */
const MOST_WORDS = 1_000

const wordsOf = (text: string): readonly string[] => text.match(WORD) ?? []
const linesOf = (text: string): readonly string[] => text.match(/[^\n]*\n|[^\n]+/g) ?? []

/** How many pieces from the start on are the same in all three; `from` the end where it is -1. */
const inCommon = ({ base, theirs, ours }: Three<readonly string[]>, most: number, from: 1 | -1): number => {
  const at = (list: readonly string[], index: number) => list.at(from === 1 ? index : -1 - index)
  let count = 0
  while (count < most && at(base, count) === at(theirs, count) && at(base, count) === at(ours, count)) count += 1
  return count
}

const shortest = ({ base, theirs, ours }: Three<readonly string[]>): number =>
  Math.min(base.length, theirs.length, ours.length)

const mergePieces = (pieces: Three<readonly string[]>): string | undefined => {
  const most = shortest(pieces)
  const before = inCommon(pieces, most, 1)
  const behind = inCommon(pieces, most - before, -1)
  const inner = (list: readonly string[]) => list.slice(before, list.length - behind)
  const [theirs, base, ours] = [inner(pieces.theirs), inner(pieces.base), inner(pieces.ours)]
  if (Math.max(theirs.length, base.length, ours.length) > MOST_WORDS) return undefined
  // By number: a word such as `constructor` would name what the library's tables inherit.
  const numbers = new Map<string, string>()
  const words: string[] = []
  const numbered = (list: readonly string[]) =>
    list.map(piece => {
      const known = numbers.get(piece)
      if (known !== undefined) return known
      numbers.set(piece, String(words.length))
      words.push(piece)
      return String(words.length - 1)
    })
  const regions = diff3Merge(numbered(theirs), numbered(base), numbered(ours), { excludeFalseConflicts: true })
  if (regions.some(({ conflict }) => conflict)) return undefined
  const merged = regions.flatMap(({ ok = [] }) => ok).map(number => words[Number(number)] ?? '')
  const { base: whole } = pieces
  return [...whole.slice(0, before), ...merged, ...whole.slice(whole.length - behind)].join('')
}

/** The text with the changes of both; undefined: they changed the same words, or ones side by side. */
export const mergeText = ({ base, theirs, ours }: Three<string>): string | undefined => {
  if (theirs === ours || base === ours) return theirs
  if (base === theirs) return ours
  const by = (cut: (text: string) => readonly string[]) => ({ base: cut(base), theirs: cut(theirs), ours: cut(ours) })
  return mergePieces(by(wordsOf)) ?? mergePieces(by(linesOf))
}
