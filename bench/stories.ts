/**
 * A hundred thousand stories in the read model: what a page of a list costs with the filters and orders that readers use, and how
 * much room they take. The documents are made by the projection's own function, as of stories that were written.
 */
import { statSync } from 'node:fs'
import { join } from 'node:path'
import { openSqliteReadStore } from '../src/adapters/readstore/sqlite/store.ts'
import { systemClock } from '../src/app/core.ts'
import { plan } from '../src/core/project/planner.ts'
import type { View } from '../src/core/project/view.ts'
import type { Reader } from '../src/core/query/define.ts'
import { isRefusal } from '../src/domain/refusal.ts'
import type { Story } from '../src/domain/story/story.ts'
import type { StarCounts } from '../src/domain/votes/figures.ts'
import type { DocumentWrite, ReadStore } from '../src/ports/read-store.ts'
import type { SeriesDocument } from '../src/projections/series.ts'
import { type StoryDocument, storiesProjection, storyDocument } from '../src/projections/stories.ts'
import { listStories, type StoryListInput } from '../src/queries/story-lists.ts'
import { type BenchOptions, type BenchRow, inFolder, quantile } from './bench.ts'
import { numbers } from './wordnet.ts'

const STORIES = 100_000
const CHAPTERS = 10
const TAGS = 3_000
const AUTHORS = 20_000
/** Milliseconds of a page, at p99. */
const REACH_MS = 8
const languages = ['en', 'en', 'en', 'es', 'de', 'fr', 'zh']
const ratings = ['general', 'general', 'teen', 'mature', 'explicit'] as const

const idOf = (n: number, group: number): string =>
  `${n.toString(16).padStart(8, '0')}-0000-4000-${group}000-000000000000`
/** Few tags are on most stories, most are on few. */
const tagOf = (random: () => number): string => `tag ${Math.floor(TAGS * random() ** 3)}`
const one = <T>(of: readonly [T, ...T[]] | readonly T[], random: () => number): T => {
  const drawn = of[Math.floor(random() * of.length)]
  if (drawn === undefined) throw new Error('nothing to draw from')
  return drawn
}
const instant = (n: number): string => new Date(Date.UTC(2024, 0, 1) + n * 60_000).toISOString()

const storyOf = (n: number, random: () => number): Story => ({
  authors: [idOf(Math.floor(AUTHORS * random()), 9)],
  former: [],
  invited: [],
  language: one(languages, random),
  title: `Story ${Math.floor(random() * 1e9).toString(36)} of the ${n}`,
  summary: 'Somebody sets out, and does not come back as who they were: a tale of weather, salt and stubbornness.',
  tags: [...new Set(Array.from({ length: 6 }, () => tagOf(random)))],
  warnings: random() < 0.2 ? ['death'] : [],
  rating: one(ratings, random),
  visibility: random() < 0.9 ? 'public' : 'members',
  isPublished: true,
  isCompleted: random() < 0.5,
  isDeleted: false,
  chapters: Array.from({ length: CHAPTERS }, (_, at) => ({
    id: idOf(n * CHAPTERS + at, 8),
    by: idOf(1, 9),
    isShown: true,
    words: Math.floor(2_000 * random()),
    revision: 3,
  })),
  createdAt: instant(n),
  publishedAt: instant(n),
  updatedAt: instant(n + Math.floor(random() * 10_000)),
})

/** Half of them are rated, a few by many. */
const starsOf = (random: () => number): StarCounts => {
  const most = random() < 0.5 ? 0 : 200 * random() ** 4
  const few = (): number => Math.floor(most * random())
  return [few(), few(), few(), few(), few()]
}

const COLLECTION = 'stories@1#1'

const fill = async (store: ReadStore, stories: number): Promise<void> => {
  const random = numbers(11)
  await store.ensure(COLLECTION, storiesProjection.indexes)
  let writes: DocumentWrite[] = []
  for (let n = 1; n <= stories; n += 1) {
    writes.push({
      id: idOf(n, 8),
      position: BigInt(n),
      body: storyDocument(storyOf(n, random), { revision: '3', mark: 'x', stars: starsOf(random) }),
    })
    if (writes.length < 2_000 && n < stories) continue
    const value = { logId: 'bench', position: BigInt(n), eventId: '', token: 1 }
    await store.apply(COLLECTION, writes, { consumer: COLLECTION, value })
    writes = []
  }
}

const isStory = (body: unknown): body is StoryDocument => typeof body === 'object' && body !== null && 'listing' in body
const storyIn = (body: unknown): StoryDocument => {
  if (!isStory(body)) throw new Error('no story')
  return body
}

/** The read model as queries see it, without a log beside it. */
const viewOn = (store: ReadStore): View<StoryDocument> => {
  const { indexes } = storiesProjection
  const standing = { generation: '1.1', position: 1n }
  return {
    name: 'stories',
    get: async ids => {
      const found = await store.get(COLLECTION, ids)
      return new Map([...found].map(([id, document]) => [id, { ...document, body: storyIn(document.body) }]))
    },
    find: async query => {
      const page = await store.find(COLLECTION, plan(query, indexes))
      const documents = page.documents.map(document => ({ ...document, body: storyIn(document.body) }))
      return { ...page, ...standing, documents }
    },
    select: async (query, members) => ({
      ...(await store.select(COLLECTION, plan(query, indexes), members)),
      ...standing,
    }),
    count: (query, limit) => store.count(COLLECTION, plan({ ...query, limit: 1 }, indexes), limit),
    generation: () => standing.generation,
    position: () => standing.position,
    waitFor: async () => undefined,
    ready: async () => true,
  }
}

const noSeries: View<SeriesDocument> = {
  name: 'series',
  get: async () => new Map(),
  find: async () => ({ documents: [], next: null, examined: 0, generation: '1.1', position: 1n }),
  select: async () => ({ documents: [], next: null, examined: 0, generation: '1.1', position: 1n }),
  count: async () => 0,
  generation: () => '1.1',
  position: () => 1n,
  waitFor: async () => undefined,
  ready: async () => true,
}

const stranger: Reader = { permissions: new Set(['stories:read']) }

/** What readers ask, each with what is drawn for it. */
const asked = (random: () => number): Readonly<Record<string, () => StoryListInput>> => ({
  'newest first': () => ({ limit: 20 }),
  'a language, longest first': () => ({ limit: 20, language: one(languages, random), sort: '-words' }),
  'rated best, in a language': () => ({ limit: 20, language: one(languages, random), sort: '-rated' }),
  'a tag, rated best': () => ({ limit: 20, tag: [tagOf(random)], sort: '-rated' }),
  'a tag': () => ({ limit: 20, tag: [tagOf(random)] }),
  'two tags': () => ({ limit: 20, tag: [tagOf(random), tagOf(random)] }),
  'an author': () => ({ limit: 20, author: idOf(Math.floor(AUTHORS * random()), 9) }),
  'without a tag, completed, in a language': () => ({
    limit: 20,
    language: one(languages, random),
    withoutTag: [tagOf(random)],
    completed: true,
  }),
  'what leaves next to nothing': () => ({
    limit: 20,
    language: 'zh',
    rating: ['teen'],
    warning: ['death'],
    minWords: 15_000,
  }),
})

const MEGABYTE = 1024 * 1024

export const run = ({ quick }: BenchOptions): Promise<readonly BenchRow[]> =>
  inFolder(async temporary => {
    const path = join(temporary, 'read.db')
    const store = await openSqliteReadStore({ path, clock: systemClock })
    const stories = quick ? 500 : STORIES
    await fill(store, stories)
    const view = viewOn(store)
    const people = { wantsAdult: () => false, listsFor: () => true }
    const log = { readStream: async function* () {}, head: async () => 1n }
    const list = listStories({ stories: view, series: noSeries, people, log })
    const rows: BenchRow[] = []
    for (const [work, make] of Object.entries(asked(numbers(5)))) {
      const times: number[] = []
      let found = 0
      for (let n = 0; n < (quick ? 5 : 400); n += 1) {
        const input = make()
        const before = performance.now()
        const answer = await list.run(input, stranger)
        times.push(performance.now() - before)
        if (isRefusal(answer)) throw new Error(answer.detail)
        found += answer.value.items.length
      }
      const p99 = quantile(times, 0.99)
      rows.push({
        work: `stories: ${work}`,
        against: '',
        ours: `p50 ${quantile(times, 0.5).toFixed(2)} p99 ${p99.toFixed(2)} ms`,
        peer: '',
        reach: `p99 <= ${REACH_MS} ms`,
        met: p99 <= REACH_MS,
        note: `${stories} stories; ${(found / times.length).toFixed(1)} a page`,
      })
    }
    await store.close()
    rows.push({
      work: 'stories: room and memory',
      against: '',
      ours: `${(statSync(path).size / MEGABYTE).toFixed(0)} MB on disk, ${(process.memoryUsage().rss / MEGABYTE).toFixed(0)} MB of memory`,
      peer: '',
      reach: '<= 450 MB of memory',
      met: process.memoryUsage().rss <= 450 * MEGABYTE,
    })
    return rows
  })
