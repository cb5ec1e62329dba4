/** The search of stories: its pages against a look at every document, by brute force and in the embedded read store. */
import { deepEqual, ok } from 'node:assert/strict'
import { join } from 'node:path'
import fc from 'fast-check'
import t from 'tap'
import { openSqliteReadStore } from '../../src/adapters/readstore/sqlite/store.ts'
import { plan } from '../../src/core/project/planner.ts'
import { chapterStream } from '../../src/domain/chapter/chapter.ts'
import type { Published } from '../../src/domain/chapter/published.ts'
import { defined } from '../../src/domain/defined.ts'
import { readAsked } from '../../src/domain/search/story-words.ts'
import { type Story, storyStream } from '../../src/domain/story/story.ts'
import {
  chapterSearchDocument,
  type StorySearchDocument,
  storySearchDocument,
  storySearchProjection,
} from '../../src/projections/story-search.ts'
import {
  coveredBy,
  KEYS_A_PAGE,
  type StoryAsking,
  type StoryCandidate,
  type StoryIndex,
  type StorySearchCursor,
  searchStoryPages,
  tellingStems,
  tierOf,
} from '../../src/queries/story-search-pages.ts'
import { fakeClock } from '../support/clocks.ts'
import { holdsAsync, sample } from '../support/property.ts'
import { bruteForce } from '../support/search-index.ts'

type Written = {
  readonly title: string
  readonly tag: string
  readonly summary: string
  readonly language: string
  readonly visibility: Story['visibility']
  readonly rating: Story['rating']
  readonly isPublished: boolean
  readonly chapters: readonly { readonly text: string; readonly isShown: boolean }[]
}
type Document = { readonly id: string; readonly body: StorySearchDocument }

const idOf = (n: number): string => `${n.toString(16).padStart(8, '0')}-0000-5000-8000-000000000000`
const storyOf = ({ title, tag, summary, language, visibility, rating, isPublished }: Written): Story => ({
  authors: ['ada'],
  former: [],
  invited: [],
  language,
  title,
  ...defined({ summary: summary !== '' ? summary : undefined }),
  tags: tag === '' ? [] : [tag],
  warnings: [],
  rating,
  visibility,
  isPublished,
  isCompleted: false,
  isDeleted: false,
  chapters: [],
  createdAt: '',
  updatedAt: '',
})
const documentsOf = (stories: readonly Written[]): readonly Document[] =>
  stories.flatMap((written, n) => {
    const { language } = written
    const chapters = written.chapters.map(({ text, isShown }, at): Document => {
      const published: Published = { story: idOf(n), title: 'x', isShown, text, words: 1, characters: 1, waiting: [] }
      return { id: chapterStream(idOf(1000 * (at + 1) + n)), body: chapterSearchDocument(published, language) }
    })
    return [{ id: storyStream(idOf(n)), body: storySearchDocument(storyOf(written)) }, ...chapters]
  })

const phrase = fc
  .array(fc.constantFrom('light', 'lights', 'Lighthouse', 'sea', 'Meer', 'storm', 'stormy', 'the', 'año', 'ano'), {
    minLength: 1,
    maxLength: 3,
  })
  .map(words => words.join(' '))
const written: fc.Arbitrary<Written> = fc.record({
  title: phrase,
  tag: fc.oneof(fc.constant(''), phrase),
  summary: fc.oneof(fc.constant(''), phrase),
  language: fc.constantFrom('en', 'de', 'es'),
  visibility: fc.constantFrom('private', 'unlisted', 'members', 'public', 'public'),
  rating: fc.constantFrom('general', 'general', 'mature'),
  isPublished: fc.constantFrom(true, true, false),
  chapters: fc.array(fc.record({ text: phrase, isShown: fc.constantFrom(true, true, false) }), { maxLength: 3 }),
})
const asked = fc.record({
  q: fc.oneof(phrase, fc.constantFrom('lights', 'the sea', 'the', 'stormy lights', 'nothing here', 'año sea')),
  language: fc.constantFrom(undefined, 'en', 'es'),
  listed: fc.constantFrom(['public'], ['public', 'members'], ['public', 'public-adult', 'members', 'members-adult']),
  limit: fc.integer({ min: 1, max: 7 }),
})
type Asked = {
  readonly q: string
  readonly language: string | undefined
  readonly listed: readonly string[]
  readonly limit: number
}
type Hit = { readonly story: string; readonly matched: string; readonly covered: number }

const askingOf = (index: StoryIndex, { q, language, listed }: Asked): StoryAsking => {
  const read = readAsked(q, language)
  if ('fault' in read) throw new Error(read.detail)
  const asking = { index, readings: read.readings, listed: { member: 'listing', op: 'in', value: listed } as const }
  return language === undefined ? asking : { ...asking, language }
}

const isListed = ({ listing }: StorySearchDocument, listed: readonly string[]): boolean =>
  listing !== undefined && listed.includes(listing)

/** What a reader is shown who sees those lists. */
const showing = (documents: readonly Document[], { listed, language }: Asked, asking: StoryAsking) => {
  const seen = new Set<string>(
    documents.flatMap(({ id, body }) =>
      isListed(body, listed) && (language === undefined || body.language === language) ? [id] : [],
    ),
  )
  return async (candidates: readonly StoryCandidate[]) =>
    new Map(
      candidates.flatMap(({ story, matched, about, chapters }): readonly [string, Hit][] =>
        seen.has(storyStream(story))
          ? [
              [
                story,
                { story, matched, covered: coveredBy([...about, ...[...chapters.values()].flat()], asking.readings) },
              ],
            ]
          : [],
      ),
    )
}

const every = async (index: StoryIndex, documents: readonly Document[], question: Asked) => {
  const asking = askingOf(index, question)
  const show = showing(documents, question, asking)
  const hits: Hit[] = []
  let cursor: StorySearchCursor | undefined
  for (let pages = 0; pages < 500; pages += 1) {
    const page = await searchStoryPages(asking, {
      limit: question.limit,
      show,
      ...defined({ cursor: cursor ? cursor : undefined }),
    })
    ok(page.hits.length <= question.limit)
    hits.push(...page.hits)
    if (!page.next) return hits
    cursor = structuredClone(page.next)
  }
  throw new Error('paging does not end')
}

/** Every story in its tier, by a look at all of it. */
const expected = async (
  index: StoryIndex,
  documents: readonly Document[],
  question: Asked,
): Promise<readonly Hit[]> => {
  const asking = askingOf(index, question)
  const { readings } = asking
  const telling = await tellingStems(asking)
  const stories = documents.filter(
    ({ body }) =>
      body.told !== undefined &&
      isListed(body, question.listed) &&
      (question.language === undefined || body.language === question.language),
  )
  const place = stories.map(({ id, body }) => {
    const story = id.slice('story-'.length)
    const texts = documents.flatMap(each => (each.body.story === story ? [each.body.stems ?? []] : []))
    const inText = readings.some(stems => texts.some(text => stems.every(stem => text.includes(stem))))
    const all = [...(body.about ?? []), ...texts.flat()].filter(stem => telling.includes(stem))
    return { story, brevity: body.brevity ?? 0, tier: tierOf(body, readings) ?? (inText ? 'text' : 'part'), all }
  })
  const inOrder = (a: { story: string }, b: { story: string }): number => (a.story < b.story ? -1 : 1)
  const whole = (['title', 'summary', 'text'] as const).flatMap(matched =>
    place
      .filter(({ tier }) => tier === matched)
      .toSorted((a, b) => (matched === 'text' ? 0 : a.brevity - b.brevity) || inOrder(a, b))
      .map(({ story }) => ({ story, matched, covered: 1 })),
  )
  if (whole.length > 0 || readings.every(({ length }) => length < 2)) return whole
  return place
    .map(({ story, all }) => ({ story, matched: 'part', covered: coveredBy(all, readings) }))
    .filter(({ covered }) => covered > 0)
    .toSorted((a, b) => b.covered - a.covered || inOrder(a, b))
}

t.test('each story once, in its best tier, best tier first, whatever the page size', async t => {
  const met = new Set<string>()
  await holdsAsync(
    fc.asyncProperty(fc.array(written, { maxLength: 30 }), asked, async (stories, question) => {
      const documents = documentsOf(stories)
      const index = bruteForce(documents, storySearchProjection.indexes)
      const hits = await every(index, documents, question)
      deepEqual(hits, await expected(index, documents, question))
      for (const { matched } of hits) met.add(matched)
    }),
    400,
  )
  t.same([...met].sort(), ['part', 'summary', 'text', 'title'])
})

t.test('the embedded read store finds the same, in the same order', async t => {
  const store = await openSqliteReadStore({ path: join(t.testdir(), 'read.db'), clock: fakeClock() })
  t.teardown(() => store.close())
  const documents = documentsOf(sample(written, 200, 7).slice(0, 200))
  const collection = 'story-search@1#1'
  const { indexes } = storySearchProjection
  await store.ensure(collection, indexes)
  await store.apply(
    collection,
    documents.map(document => ({ ...document, position: 1n })),
    { consumer: collection, value: { logId: 'log', position: 1n, eventId: '', token: 1 } },
  )
  const bodies = new Map(documents.map(document => [document.id, document]))
  const heldIn = (ids: readonly string[]): readonly Document[] => ids.flatMap(id => bodies.get(id) ?? [])
  const index: StoryIndex = {
    find: async query => {
      const page = await store.find(collection, plan(query, indexes))
      return { ...page, documents: heldIn(page.documents.map(({ id }) => id)) }
    },
    select: (query, members) => store.select(collection, plan(query, indexes), members),
    get: async ids => new Map(heldIn(ids).map(document => [document.id, document])),
    count: (query, limit) => store.count(collection, plan({ ...query, limit: 1 }, indexes), limit),
  }
  for (const question of sample(asked, 80, 3))
    t.strictSame(await every(index, documents, question), await expected(index, documents, question), question.q)
})

t.test('a page looks at so many keys, and goes on behind what nobody is shown', async t => {
  const hidden = Array.from(
    { length: KEYS_A_PAGE + 300 },
    (): Written => ({
      title: 'x',
      tag: '',
      summary: '',
      language: 'en',
      visibility: 'private',
      rating: 'general',
      isPublished: true,
      chapters: [{ text: 'storm', isShown: true }],
    }),
  )
  const last: Written = { ...(hidden[0] ?? never()), visibility: 'public' }
  const documents = documentsOf([...hidden, last])
  const found = bruteForce(documents, storySearchProjection.indexes)
  let examined = 0
  const index: StoryIndex = {
    ...found,
    select: async (query, members) => {
      const page = await found.select(query, members)
      examined += page.examined
      return page
    },
  }
  const question: Asked = { q: 'storm', language: 'en', listed: ['public'], limit: 5 }
  const asking = askingOf(index, question)
  const first = await searchStoryPages(asking, { limit: 5, show: showing(documents, question, asking) })
  t.same(first.hits, [])
  t.ok(first.next)
  t.ok(examined <= KEYS_A_PAGE)
  const story = idOf(hidden.length)
  t.same(await every(index, documents, question), [{ story, matched: 'text', covered: 1 }])
})

t.test('a story of more chapters than a page looks at comes once', async t => {
  const [story] = sample(written, 1, 5)
  const chapters = Array.from({ length: KEYS_A_PAGE + 100 }, () => ({ text: 'a storm', isShown: true }))
  const listed = { visibility: 'public', rating: 'general', isPublished: true, language: 'en' } as const
  const told: Written = { ...(story ?? never()), ...listed, title: 'x', tag: '', summary: '', chapters }
  const documents = documentsOf([told])
  const question: Asked = { q: 'storm', language: 'en', listed: ['public'], limit: 5 }
  const hits = await every(bruteForce(documents, storySearchProjection.indexes), documents, question)
  t.same(hits, [{ story: idOf(0), matched: 'text', covered: 1 }])
})

const never = (): never => {
  throw new Error('there is none')
}
