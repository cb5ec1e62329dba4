/**
 * The entries that a story's chapters use, chapter after chapter: of each a hundred words at once are looked for among keys, then among
 * forms, and as many stems among stems. An entry comes at the first of these steps that finds it.
 */
import { chapterStream } from '../domain/chapter/chapter.ts'
import { defined } from '../domain/defined.ts'
import type { Json } from '../domain/event.ts'
import { idOf } from '../domain/ids.ts'
import { wordAt } from '../domain/search/story-words.ts'
import type { EntryNames } from '../domain/search/terms.ts'
import {
  languagesOf,
  usesIn,
  type Vocabulary,
  vocabularyOf,
  type WordUse,
  wordUses,
} from '../domain/search/word-use.ts'
import { keysetOf } from '../ports/conditions.ts'
import type { Condition } from '../ports/read-store.ts'
import type { SearchDocument } from '../projections/search.ts'
import { termsIn } from '../projections/story-search.ts'
import { inBranches } from './branches.ts'
import type { SearchIndex } from './search-steps.ts'
import type { StoryIndex } from './story-search-pages.ts'

/** Words that are looked for at once, each in two languages at most: the planner combines no more alternatives. */
const WORDS_AT_ONCE = 100
/** Index keys that one page looks at, whatever it finds; a word that is looked for counts as one. */
export const KEYS_A_PAGE = 2_000
/** Chapters whose documents, with their text, it reads. */
export const CHAPTERS_A_PAGE = 8
const ENTRIES_AT_ONCE = 50
/** Chapters of one story that have an entry's words which are looked at to see with which of them it is listed. */
const MOST_LOOKED_AT = 8

const ranked = ['-rank', 'sortKey']

/** `chapters`: those whose words are wanted, in their order, of the ones that are `shown`. */
export type WordsAsking = {
  readonly index: Pick<StoryIndex, 'get' | 'select'>
  readonly entries: Pick<SearchIndex, 'find'>
  readonly story: string
  readonly language: string
  readonly chapters: readonly string[]
  readonly shown: ReadonlySet<string>
}
/** `word` is as the chapter has it written. */
export type WordHit = {
  readonly entry: string
  readonly matched: WordUse
  readonly word: string
  readonly chapter: string
}
/** `at`: the place of the chapter among those that are wanted, for when it is none of them any more. */
export type WordsCursor = {
  readonly at: number
  readonly chapter: string
  readonly step: number
  readonly after: readonly Json[] | null
}

const stepsOf = ({ terms }: Vocabulary): number =>
  wordUses.length * Math.ceil(Math.max(terms.words.length, terms.stems.length) / WORDS_AT_ONCE)

/** The step at which the entry is found first. */
const firstStep = (vocabulary: Vocabulary, names: EntryNames): number => {
  const uses = usesIn(vocabulary, names)
  const steps = wordUses.flatMap((use, kind) => {
    const number = uses[use]
    return number === undefined ? [] : [wordUses.length * Math.floor(number / WORDS_AT_ONCE) + kind]
  })
  return Math.min(...steps)
}

/** What a step looks for; nothing where the chapter has fewer words. */
const termsAt = ({ terms }: Vocabulary, step: number): { readonly use: WordUse; readonly terms: readonly string[] } => {
  const use = wordUses[step % wordUses.length] ?? 'stem'
  const from = WORDS_AT_ONCE * Math.floor(step / wordUses.length)
  return { use, terms: (use === 'stem' ? terms.stems : terms.words).slice(from, from + WORDS_AT_ONCE) }
}

const conditionFor = (use: WordUse, terms: readonly string[]): Condition =>
  use === 'key'
    ? { member: 'key', op: 'in', value: terms }
    : { member: use === 'form' ? 'forms' : 'stems', op: 'any', value: terms }

const namesIn = ({ key, forms, stems }: SearchDocument): EntryNames | undefined =>
  key === undefined || !forms || !stems ? undefined : { key, forms, stems }

/** Of several chapters that use an entry it comes with one: the one whose id is the least, which the index has first. */
const listedWith = async ({ index, story, shown }: WordsAsking, { key, forms, stems }: EntryNames) => {
  const asked = [
    ...inBranches([key, ...forms]).map(value => ({ member: 'words', op: 'any', value }) as const),
    ...inBranches(stems).map(value => ({ member: 'stems', op: 'any', value }) as const),
  ]
  let [first, examined] = ['', 0]
  for (const condition of asked) {
    const inStory: Condition = { member: 'story', op: 'range', gte: story, lte: story }
    const rows = await index.select({ where: [condition, inStory], order: ['story'], limit: MOST_LOOKED_AT }, ['story'])
    examined += rows.examined
    const chapter = rows.documents.map(({ id }) => idOf(id)).find(id => shown.has(id))
    if (chapter !== undefined && (first === '' || chapter < first)) first = chapter
  }
  return { chapter: first, examined }
}

const hitOf = (
  chapter: string,
  { vocabulary, text }: { readonly vocabulary: Vocabulary; readonly text: string },
  { entry, names }: { readonly entry: string; readonly names: EntryNames },
): WordHit => {
  const uses = usesIn(vocabulary, names)
  const matched = wordUses.find(use => uses[use] !== undefined) ?? 'stem'
  const { places, wordPlaces } = vocabulary.terms
  const place = (matched === 'stem' ? places : wordPlaces)[uses[matched] ?? 0] ?? 0
  return { entry, matched, word: wordAt(text, place), chapter }
}

const beginning = ({ chapters }: WordsAsking, cursor: WordsCursor | undefined): WordsCursor => {
  const known = cursor ? chapters.indexOf(cursor.chapter) : -1
  if (cursor && known >= 0) return { ...cursor, at: known }
  const at = cursor?.at ?? 0
  return { at, chapter: chapters[at] ?? '', step: 0, after: null }
}

/** One page from the cursor on; short, with a `next`, when it has looked at as much as it may. */
export const storyWordsPage = async (
  asking: WordsAsking,
  { limit, cursor }: { readonly limit: number; readonly cursor?: WordsCursor },
): Promise<{ readonly hits: readonly WordHit[]; readonly next: WordsCursor | null }> => {
  const { index, entries, language, chapters, shown } = asking
  const spoken: Condition = { member: 'language', op: 'in', value: languagesOf(language) }
  const hits: WordHit[] = []
  let { at, step, after } = beginning(asking, cursor)
  let left = KEYS_A_PAGE
  for (let read = 0; at < chapters.length; read += 1) {
    const chapter = chapters[at] ?? ''
    if (read === CHAPTERS_A_PAGE) return { hits, next: { at, chapter, step, after } }
    const stream = chapterStream(chapter)
    const document = (await index.get([stream])).get(stream)?.body
    const terms = document && termsIn(document)
    const text = document?.written?.text ?? ''
    const vocabulary = terms && vocabularyOf(terms)
    while (vocabulary && step < stepsOf(vocabulary)) {
      if (hits.length >= limit || left <= 0) return { hits, next: { at, chapter, step, after } }
      const { use, terms: wanted } = termsAt(vocabulary, step)
      const query = { where: [conditionFor(use, wanted), spoken], order: ranked, limit: ENTRIES_AT_ONCE }
      const page =
        wanted.length === 0
          ? { documents: [], next: null, examined: 0 }
          : await entries.find({
              ...query,
              ...defined({ after: after ?? undefined }),
              examine: Math.max(left, ENTRIES_AT_ONCE),
            })
      left -= page.examined + (after ? 0 : wanted.length)
      for (const { id, body } of page.documents) {
        if (hits.length >= limit || left <= 0) return { hits, next: { at, chapter, step, after } }
        after = keysetOf(ranked, id, body)
        const names = namesIn(body)
        if (!names || firstStep(vocabulary, names) !== step) continue
        const listed = chapters.length > 1 ? await listedWith(asking, names) : { chapter, examined: 0 }
        left -= listed.examined
        if (listed.chapter !== '' && listed.chapter !== chapter && shown.has(listed.chapter)) continue
        hits.push(hitOf(chapter, { vocabulary, text }, { entry: id, names }))
      }
      after = page.next
      if (!after) step += 1
    }
    at += 1
    step = 0
    after = null
  }
  return { hits, next: null }
}
