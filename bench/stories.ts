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
import type { JsonObject } from '../src/domain/event.ts'
import { isRefusal } from '../src/domain/refusal.ts'
import type { Story } from '../src/domain/story/story.ts'
import type { StarCounts } from '../src/domain/votes/figures.ts'
import type { DocumentWrite, Indexes, ReadStore } from '../src/ports/read-store.ts'
import { type RelationDocument, relationId, relationsProjection } from '../src/projections/relations.ts'
import { type SeriesDocument, seriesProjection } from '../src/projections/series.ts'
import { type StoryDocument, storiesProjection, storyDocument } from '../src/projections/stories.ts'
import { listStories, type StoryListInput } from '../src/queries/story-lists.ts'
import { type BenchOptions, type BenchRow, inFolder, quantile } from './bench.ts'
import { numbers } from './wordnet.ts'

const STORIES = 100_000
const CHAPTERS = 10
const TAGS = 3_000
const AUTHORS = 20_000
const MUTED = 2_000
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

const isDocument = <Body extends JsonObject>(body: unknown, member: string): body is Body =>
  typeof body === 'object' && body !== null && member in body

/** A read model as queries see it, without a log beside it; `member`: one that each document has. */
const viewOn = <Body extends JsonObject>(
  store: ReadStore,
  { collection, indexes, member }: { readonly collection: string; readonly indexes: Indexes; readonly member: string },
): View<Body> => {
  const standing = { generation: '1.1', position: 1n }
  const bodyOf = (body: unknown): Body => {
    if (!isDocument<Body>(body, member)) throw new Error(`not a document of ${collection}`)
    return body
  }
  return {
    name: collection,
    get: async ids => {
      const found = await store.get(collection, ids)
      return new Map([...found].map(([id, document]) => [id, { ...document, body: bodyOf(document.body) }]))
    },
    find: async query => {
      const page = await store.find(collection, plan(query, indexes))
      const documents = page.documents.map(document => ({ ...document, body: bodyOf(document.body) }))
      return { ...page, ...standing, documents }
    },
    select: async (query, members) => ({
      ...(await store.select(collection, plan(query, indexes), members)),
      ...standing,
    }),
    count: (query, limit) => store.count(collection, plan({ ...query, limit: 1 }, indexes), limit),
    generation: () => standing.generation,
    position: () => standing.position,
    waitFor: async () => undefined,
    ready: async () => true,
  }
}

const READER = idOf(AUTHORS + 1, 9)
const RELATIONS = 'relations@1#1'
/** Somebody who mutes a tenth of all who write. */
const fillRelations = async (store: ReadStore): Promise<void> => {
  await store.ensure(RELATIONS, relationsProjection.indexes)
  const writes = Array.from({ length: MUTED }, (_, n): DocumentWrite => {
    const other = idOf(n * (AUTHORS / MUTED), 9)
    const body = { accountId: READER, other, muter: READER, mutedAt: instant(n) }
    return { id: relationId(READER, other), position: BigInt(n + 1), body }
  })
  const value = { logId: 'bench', position: BigInt(MUTED), eventId: '', token: 1 }
  await store.apply(RELATIONS, writes, { consumer: RELATIONS, value })
}

const noSeries = async (store: ReadStore): Promise<View<SeriesDocument>> => {
  const collection = 'series@1#1'
  await store.ensure(collection, seriesProjection.indexes)
  return viewOn<SeriesDocument>(store, { collection, indexes: seriesProjection.indexes, member: 'stories' })
}

const stranger: Reader = { permissions: new Set(['stories:read']) }
const reader: Reader = { permissions: new Set(['stories:read', 'account:use']), actor: { kind: 'account', id: READER } }

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
    await fillRelations(store)
    const { indexes } = storiesProjection
    const view = viewOn<StoryDocument>(store, { collection: COLLECTION, indexes, member: 'listing' })
    const relations = viewOn<RelationDocument>(store, {
      collection: RELATIONS,
      indexes: relationsProjection.indexes,
      member: 'other',
    })
    const people = { wantsAdult: () => false, listsFor: () => true }
    const log = { readStream: async function* () {}, head: async () => 1n }
    const list = listStories({ stories: view, series: await noSeries(store), relations, people, log })
    const rows: BenchRow[] = []
    for (const [who, asking] of [
      ['', stranger],
      [`, of a reader who mutes ${MUTED}`, reader],
    ] as const)
      for (const [work, make] of Object.entries(asked(numbers(5)))) {
        const times: number[] = []
        let found = 0
        const used = process.cpuUsage()
        for (let n = 0; n < (quick ? 5 : 400); n += 1) {
          const input = make()
          const before = performance.now()
          const answer = await list.run(input, asking)
          times.push(performance.now() - before)
          if (isRefusal(answer)) throw new Error(answer.detail)
          found += answer.value.items.length
        }
        const { user, system } = process.cpuUsage(used)
        const p99 = quantile(times, 0.99)
        rows.push({
          work: `stories: ${work}${who}`,
          against: '',
          ours: `p50 ${quantile(times, 0.5).toFixed(2)} p99 ${p99.toFixed(2)} ms`,
          peer: '',
          reach: `p99 <= ${REACH_MS} ms`,
          met: p99 <= REACH_MS,
          note: `${stories} stories; ${(found / times.length).toFixed(1)} a page, ${((user + system) / 1000 / times.length).toFixed(2)} ms of CPU`,
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
