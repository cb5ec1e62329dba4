/** The words of stories and the uses of entries: their pages against a look at every chapter and every entry. */
import { deepEqual, ok } from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { chapterStream } from '../../src/domain/chapter/chapter.ts'
import type { Published } from '../../src/domain/chapter/published.ts'
import { defined } from '../../src/domain/defined.ts'
import type { Json } from '../../src/domain/event.ts'
import { textTerms } from '../../src/domain/search/story-words.ts'
import type { EntryNames } from '../../src/domain/search/terms.ts'
import { languagesOf, usesIn, vocabularyOf, type WordUse, wordUses } from '../../src/domain/search/word-use.ts'
import { type SearchDocument, searchProjection } from '../../src/projections/search.ts'
import {
  chapterSearchDocument,
  type StorySearchDocument,
  storySearchProjection,
} from '../../src/projections/story-search.ts'
import { entryStoriesPage, type StoryUse, KEYS_A_PAGE as USES_A_PAGE } from '../../src/queries/entry-stories-pages.ts'
import {
  CHAPTERS_A_PAGE,
  KEYS_A_PAGE,
  storyWordsPage,
  type WordHit,
  type WordsAsking,
  type WordsCursor,
} from '../../src/queries/story-words-pages.ts'
import { holdsAsync } from '../support/property.ts'
import { bruteForce, documentsOf, type Word } from '../support/search-index.ts'

type Chapter = { readonly id: string; readonly text: string; readonly isShown: boolean }
type Story = { readonly id: string; readonly language: string; readonly chapters: readonly Chapter[] }
type Entry = { readonly id: string; readonly body: SearchDocument }

const idOf = (n: number): string => `${n.toString(16).padStart(8, '0')}-0000-5000-8000-000000000000`
const chapterDocuments = (stories: readonly Story[]): { id: string; body: StorySearchDocument }[] =>
  stories.flatMap(({ id: story, language, chapters }) =>
    chapters.map(({ id, text, isShown }) => {
      const published: Published = { story, title: 'x', isShown, text, words: 1, characters: 1, waiting: [] }
      return { id: chapterStream(id), body: chapterSearchDocument(published, language) }
    }),
  )

const some = ['cat', 'cats', 'Katze', 'run', 'running', 'ran', 'año', 'ano', 'the', 'storm', 'stormy', 'storms']
const text = fc.array(fc.constantFrom(...some), { maxLength: 6 }).map(words => words.join(' '))
const languages = fc.constantFrom('en', 'en-GB', 'es', 'de')
const stories: fc.Arbitrary<readonly Story[]> = fc
  .array(
    fc.record({
      language: languages,
      chapters: fc.array(fc.record({ text, isShown: fc.constantFrom(true, true, false) }), { maxLength: 4 }),
    }),
    { maxLength: 6 },
  )
  .map(given =>
    given.map(({ language, chapters }, n) => ({
      id: idOf(n),
      language,
      // The order of the chapters is not that of their ids.
      chapters: chapters.map((chapter, at) => ({ ...chapter, id: idOf(100 * (9 - at) + n) })),
    })),
  )
const words: fc.Arbitrary<readonly Word[]> = fc.array(
  fc.record({
    lemma: fc.constantFrom(...some),
    language: languages,
    gloss: fc.constant('x'),
    form: fc.constantFrom('', ...some),
    rank: fc.integer({ min: 0, max: 2 }),
  }),
  { maxLength: 25 },
)

const namesOf = ({ key = '', forms = [], stems = [] }: SearchDocument): EntryNames => ({ key, forms, stems })
const useIn = ({ text: given }: Chapter, language: string, { body }: Entry): WordUse | undefined => {
  if (!languagesOf(language).includes(body.language ?? '')) return undefined
  const uses = usesIn(vocabularyOf(textTerms(given, language)), namesOf(body))
  return wordUses.find(use => uses[use] !== undefined)
}

const askingOf = (documents: ReturnType<typeof chapterDocuments>, entries: readonly Entry[], story: Story) => {
  const shown = story.chapters.flatMap(({ id, isShown }) => (isShown ? [id] : []))
  const asking: WordsAsking = {
    index: {
      ...bruteForce(documents, storySearchProjection.indexes),
      get: async ids => new Map(documents.flatMap(each => (ids.includes(each.id) ? [[each.id, each]] : []))),
    },
    entries: bruteForce(entries, searchProjection.indexes),
    story: story.id,
    language: story.language,
    chapters: shown,
    shown: new Set(shown),
  }
  return asking
}
const everyWord = async (asking: WordsAsking, limit: number): Promise<readonly WordHit[]> => {
  const hits: WordHit[] = []
  let cursor: WordsCursor | undefined
  for (let pages = 0; ; pages += 1) {
    ok(pages < 500, 'it ends')
    const page = await storyWordsPage(asking, { limit, ...defined({ cursor }) })
    ok(page.hits.length <= limit)
    hits.push(...page.hits)
    if (!page.next) return hits
    cursor = page.next
  }
}

t.test('a story uses each entry once, in the best way that the chapter has, whatever the page size', async t => {
  const met = new Set<string>()
  const each = fc.integer({ min: 1, max: 5 })
  await holdsAsync(
    fc.asyncProperty(stories, words, each, async (told, dictionary, limit) => {
      const entries = documentsOf(dictionary)
      const documents = chapterDocuments(told)
      for (const story of told) {
        const asking = askingOf(documents, entries, story)
        const shown = story.chapters.filter(({ isShown }) => isShown)
        const hits = await everyWord(asking, limit)
        const used = entries.filter(entry => shown.some(chapter => useIn(chapter, story.language, entry)))
        deepEqual(
          hits.map(({ entry }) => entry).toSorted(),
          used.map(({ id }) => id),
        )
        for (const { entry, chapter, matched, word } of hits) {
          const [found, held] = [shown.find(({ id }) => id === chapter), entries.find(({ id }) => id === entry)]
          ok(found && held)
          deepEqual(matched, useIn(found, story.language, held))
          ok(found.text.split(' ').includes(word), word)
          met.add(matched)
        }
        for (const chapter of shown) {
          const own = await everyWord({ ...asking, chapters: [chapter.id] }, limit)
          deepEqual(
            own.map(({ entry, matched: use }) => [entry, use]).toSorted(),
            entries.flatMap(entry => {
              const use = useIn(chapter, story.language, entry)
              return use ? [[entry.id, use]] : []
            }),
          )
        }
      }
    }),
    150,
  )
  t.same([...met].sort(), ['form', 'key', 'stem'])
})

const everyUse = async (
  asking: Parameters<typeof entryStoriesPage>[0],
  limit: number,
  shown: ReadonlySet<string>,
): Promise<readonly StoryUse[]> => {
  const uses: StoryUse[] = []
  let from: readonly Json[] | undefined
  for (let pages = 0; ; pages += 1) {
    ok(pages < 500, 'it ends')
    const page = await entryStoriesPage(asking, {
      limit,
      ...defined({ from }),
      show: async given => new Map(given.flatMap(use => (shown.has(use.story) ? [[use.story, use]] : []))),
    })
    ok(page.items.length <= limit)
    uses.push(...page.items)
    if (!page.next) return uses
    from = page.next
  }
}

t.test('an entry is used by each story once, with the best that each of its chapters has', async () => {
  await holdsAsync(
    fc.asyncProperty(stories, words, fc.integer({ min: 1, max: 3 }), async (told, dictionary, limit) => {
      const documents = chapterDocuments(told)
      const shown = new Set(told.filter((_, n) => n % 3 !== 1).map(({ id }) => id))
      for (const entry of documentsOf(dictionary)) {
        const asking = {
          index: bruteForce(documents, storySearchProjection.indexes),
          names: namesOf(entry.body),
          language: entry.body.language ?? '',
        }
        const found = await everyUse(asking, limit, shown)
        const expected = told.flatMap(({ id: story, language, chapters }) => {
          const uses = chapters.flatMap(chapter => {
            const use = chapter.isShown ? useIn(chapter, language, entry) : undefined
            return use ? [[chapter.id, use] as const] : []
          })
          return uses.length > 0 && shown.has(story) ? [{ story, chapters: new Map(uses.toSorted()) }] : []
        })
        deepEqual(
          found.map(({ story, chapters }) => ({ story, chapters: new Map([...chapters].toSorted()) })),
          expected,
        )
      }
    }),
    100,
  )
})

/** How many keys the index was asked for. */
const counted = (index: ReturnType<typeof bruteForce<StorySearchDocument>>) => {
  let examined = 0
  const select: typeof index.select = async (query, members) => {
    const page = await index.select(query, members)
    examined += page.examined
    return page
  }
  return { select, examined: () => examined }
}

const cat: Word = { lemma: 'cat', language: 'en', gloss: 'x', form: 'cats', rank: 0 }
const chapterOf = (n: number, given: string): Chapter => ({ id: idOf(n), text: given, isShown: true })

t.test('a page of uses looks at so many keys, and a story of more chapters than that comes once', async t => {
  const [entry] = documentsOf([cat])
  const many = Array.from({ length: USES_A_PAGE + 500 }, (_, n) => chapterOf(n, 'a cat'))
  const told: readonly Story[] = [
    { id: idOf(1), language: 'en', chapters: many },
    { id: idOf(2), language: 'de', chapters: [chapterOf(9_000, 'cat')] },
    { id: idOf(3), language: 'en-GB', chapters: [chapterOf(9_001, 'cats')] },
    ...Array.from({ length: 700 }, (_, n) => ({
      id: idOf(100 + n),
      language: 'en',
      chapters: ['cat', 'cats', 'a cat', 'cat'].map((given, at) => chapterOf(20_000 + 1_000 * at + n, given)),
    })),
  ]
  const index = counted(bruteForce(chapterDocuments(told), storySearchProjection.indexes))
  const asking = { index, names: namesOf(entry?.body ?? { status: 'draft' }), language: 'en' }
  const first = await entryStoriesPage(asking, { limit: 1, show: async () => new Map() })
  t.ok(first.next)
  t.ok(index.examined() <= USES_A_PAGE, `${index.examined()} keys`)
  const all = await everyUse(asking, 500, new Set(told.map(({ id }) => id)))
  t.same(
    all.map(({ story }) => story),
    told.filter(({ language }) => language !== 'de').map(({ id }) => id),
  )
  t.same(
    all.filter(({ chapters }) => chapters.size !== 4).map(({ story }) => story),
    [idOf(1), idOf(3)],
    'of all others each has its chapters whole, wherever a page ends',
  )
})

t.test('a page of words looks at so many, and reads so many chapters', async t => {
  const long = Array.from({ length: 1_990 }, (_, n) => `w${n.toString(36)}q`)
  const story: Story = {
    id: idOf(1),
    language: 'en',
    chapters: [chapterOf(20, long.join(' ')), ...Array.from({ length: 20 }, (_, n) => chapterOf(n, ''))],
  }
  const told = [{ ...story, chapters: [...story.chapters, chapterOf(30, 'The cats ran.')] }]
  const [only = story] = told
  const documents = chapterDocuments(told)
  const asking = askingOf(documents, documentsOf([cat]), only)
  let [read, asked] = [0, 0]
  const watched: WordsAsking = {
    ...asking,
    index: {
      ...asking.index,
      get: async ids => {
        read += ids.length
        return asking.index.get(ids)
      },
    },
    entries: {
      find: async query => {
        asked += query.where.flatMap(each => ('value' in each && Array.isArray(each.value) ? each.value : [])).length
        return asking.entries.find(query)
      },
    },
  }
  const first = await storyWordsPage(watched, { limit: 5 })
  t.same(first.hits, [])
  t.equal(first.next?.at, 0)
  t.ok(asked <= KEYS_A_PAGE + 200, `${asked} words`)
  const last = await storyWordsPage(watched, { limit: 5, cursor: { at: 3, chapter: idOf(2), step: 0, after: null } })
  t.ok(last.next)
  t.ok(read <= 2 * CHAPTERS_A_PAGE, `${read} chapters`)
  t.same(await everyWord(asking, 5), [{ entry: idOf(0), matched: 'form', word: 'cats', chapter: idOf(30) }])
})

t.test('a chapter that is gone meanwhile leaves the place to the next', async t => {
  const story: Story = { id: idOf(1), language: 'en', chapters: [chapterOf(1, 'storm'), chapterOf(2, 'cat')] }
  const asking = askingOf(chapterDocuments([story]), documentsOf([cat]), story)
  const cursor = { at: 1, chapter: idOf(77), step: 2, after: ['0', 'x', 'y'] }
  t.match((await storyWordsPage(asking, { limit: 5, cursor })).hits, [{ matched: 'key', word: 'cat' }])
})
