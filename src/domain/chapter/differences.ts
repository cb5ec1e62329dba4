/**
 * What differs between two texts, word by word, for people to read. Bounded on any input: a passage with more edits than that is shown
 * as gone and come, whole.
 */
import { diffArrays } from 'diff'
import { splicesBetween } from './splices.ts'

/** A passage: the same in both, only in the one before, or only in the one after. */
export type Passage = { readonly kind: 'same' | 'removed' | 'added'; readonly text: string }

/** Words of a passage that may differ, and those that are compared at all. */
const MOST_EDITS = 300
const MOST_WORDS = 20_000
/** Characters of what is the same that are shown beside a change; what lies between is left out. */
const CONTEXT = 200

/** Words, spaces, and each other sign by itself: joined they are the text. */
const tokensOf = (text: string): readonly string[] => text.match(/[\p{L}\p{M}\p{N}'’]+|\s+|./gsu) ?? []

const replaced = (before: string, after: string): readonly Passage[] => {
  const passages: Passage[] = []
  if (before !== '') passages.push({ kind: 'removed', text: before })
  if (after !== '') passages.push({ kind: 'added', text: after })
  return passages
}

const within = (before: string, after: string): readonly Passage[] => {
  if (before === '' || after === '') return replaced(before, after)
  const [old, now] = [tokensOf(before), tokensOf(after)]
  if (old.length + now.length > MOST_WORDS) return replaced(before, after)
  const changes = diffArrays([...old], [...now], { maxEditLength: MOST_EDITS })
  return (
    changes?.map(({ added, removed, value }): Passage => {
      const kind = added ? 'added' : removed ? 'removed' : 'same'
      return { kind, text: value.join('') }
    }) ?? replaced(before, after)
  )
}

const isWord = (char: string): boolean => /^[\p{L}\p{M}\p{N}'’]$/u.test(char)

/** The place moved out to where a word begins or ends, so that words are shown whole; no further than from `least` to `most`. */
const wordStart = (text: string, at: number, least: number): number => {
  let place = at
  while (place > least && isWord(text.charAt(place - 1))) place -= 1
  return place
}
const wordEnd = (text: string, at: number, most: number): number => {
  let place = at
  while (place < most && isWord(text.charAt(place))) place += 1
  return place
}

const joined = (passages: readonly Passage[]): readonly Passage[] => {
  const together: Passage[] = []
  for (const passage of passages) {
    const last = together.at(-1)
    if (passage.text === '') continue
    if (last?.kind === passage.kind) together[together.length - 1] = { ...last, text: last.text + passage.text }
    else together.push(passage)
  }
  return together
}

/**
 * The passages from the one text to the other: what is the same and was removed is the text before, what is the same and was added
 * the one after.
 */
export const passagesBetween = (before: string, after: string): readonly Passage[] => {
  const passages: Passage[] = []
  const splices = splicesBetween(before, after)
  let [oldAt, nowAt] = [0, 0]
  /** How much further a place of the text after is than the same of the text before. */
  let shift = 0
  for (const [index, [at, removed, inserted]] of splices.entries()) {
    const next = splices[index + 1]?.[0] ?? before.length
    const from = wordStart(before, at, oldAt)
    const to = wordEnd(before, at + removed, next)
    passages.push({ kind: 'same', text: before.slice(oldAt, from) })
    const grown = inserted.length - removed
    passages.push(...within(before.slice(from, to), after.slice(from + shift, to + shift + grown)))
    shift += grown
    oldAt = to
    nowAt = to + shift
  }
  passages.push({ kind: 'same', text: after.slice(nowAt) })
  return joined(passages)
}

/** A passage as it is shown: of a long one that is the same, its end or beginning beside a change; `left` characters of it are not. */
export type Shown = Passage & { readonly leftOut?: number }

/** Not between the halves of a pair. */
const apart = (text: string, at: number): number => (/[\udc00-\udfff]/.test(text.charAt(at)) ? at - 1 : at)
const started = (text: string): string => text.slice(0, wordEnd(text, apart(text, CONTEXT), 2 * CONTEXT))
const ended = (text: string): string =>
  text.slice(wordStart(text, apart(text, text.length - CONTEXT), text.length - 2 * CONTEXT))

/** The passages with what is the same cut to what stands beside a change. */
export const shownPassages = (passages: readonly Passage[]): readonly Shown[] =>
  passages.flatMap((passage, index): readonly Shown[] => {
    const { kind, text } = passage
    if (kind !== 'same' || text.length <= 3 * CONTEXT) return [passage]
    const before = index === 0 ? '' : started(text)
    const after = index === passages.length - 1 ? '' : ended(text)
    const leftOut = text.length - before.length - after.length
    if (leftOut <= 0) return [passage]
    return [
      ...(before === '' ? [] : [{ kind, text: before }]),
      { kind, text: '', leftOut },
      ...(after === '' ? [] : [{ kind, text: after }]),
    ]
  })
