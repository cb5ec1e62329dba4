/** Reading the dictionary: one entry, lists, history, export, chance. */
import Type from 'typebox'
import type { Entry } from '../domain/entry.ts'
import { type Refusal, refuse } from '../domain/refusal.ts'
import type { Log } from '../log/log.ts'
import type { Cache } from '../ports/cache.ts'
import type { Condition } from '../ports/read-store.ts'
import { type EntryDocument, entryCacheKey, nameKey } from '../projections/entries.ts'
import type { View } from '../projections/view.ts'
import type { Cursor, Page, Query, Reader } from './define.ts'
import { type EntryRevision, HistoryItem, historyFor, type Revision, revisionsOf } from './entry-history.ts'
import { EntrySchema, type EntryView, entryView, sightOf, viewFor } from './entry-view.ts'

/** What the queries read. */
export type EntryReads = {
  readonly entries: View<EntryDocument>
  readonly log: Pick<Log, 'readStream' | 'head'>
  /** Holds the bytes of published entries; without one every read goes to the read model. */
  readonly cache?: Pick<Cache, 'get' | 'set'>
}

/** How long bytes may lie in a cache that nobody invalidates: that of a node which does not run the projection. */
const CACHED_MS = 60_000

export type AsOf = { readonly position: bigint } | { readonly time: Date }

export const notFound = (): Refusal => refuse('entry-not-found', 'There is no such entry, or it is not visible to you.')

const gone = (entry: Pick<Entry, 'replacedBy'>): Refusal =>
  refuse('entry-gone', 'This entry was retired.', { context: { replacedBy: entry.replacedBy ?? null } })

/** The entry in the reader's eyes, or the refusal that says as much as they may know. */
const seen = (reader: Reader, id: string, entry: Entry, revision: string): EntryView | Refusal =>
  sightOf(entry, reader) === 'gone' ? gone(entry) : (viewFor(reader, id, entry, revision) ?? notFound())

const until = (revisions: readonly Revision[], asOf: AsOf): Revision | undefined =>
  revisions.findLast(({ event }) =>
    'position' in asOf ? event.position <= asOf.position : Date.parse(event.recordedAt) <= asOf.time.getTime(),
  )

const asItWas = async (reads: EntryReads, id: string, asOf: AsOf, reader: Reader) => {
  const position = await reads.log.head()
  const revisions = await revisionsOf(reads.log, id)
  const now = revisions.at(-1)
  const then = until(revisions, asOf)
  if (!now || !then) return notFound()
  if (now.entry.removed) return refuse('entry-removed', 'The text of this entry was removed.')
  const today = seen(reader, id, now.entry, String(now.event.revision))
  if ('refused' in today) return today
  const value = viewFor(reader, id, then.entry, String(then.event.revision))
  return value ? { value, position } : notFound()
}

/** One entry; with `asOf` as it was then, if it was visible then and is now. */
export const getEntry = (reads: EntryReads): Query<{ readonly id: string; readonly asOf?: AsOf }, EntryView> => ({
  name: 'get-entry',
  permission: 'entries:read',
  output: EntrySchema,
  reads: ['entries'],
  run: async ({ id, asOf }, reader) => {
    if (asOf) return asItWas(reads, id, asOf, reader)
    const cached = await fromCache(reads, id)
    if (cached) return cached
    // Before the read: what is read then reflects this position at least.
    const position = reads.entries.position()
    const found = (await reads.entries.get([id])).get(id)
    if (!found)
      return (await wasRemoved(reads, id)) ? refuse('entry-removed', 'The text of this entry was removed.') : notFound()
    const value = seen(reader, id, found.body, found.body.revision)
    if ('refused' in value) return value
    if (found.body.status !== 'published') return { value, position }
    // What is published looks the same to everybody.
    const bytes = JSON.stringify(value)
    await reads.cache?.set(entryCacheKey(id), { value: bytes, position }, CACHED_MS)
    return { value, bytes, position }
  },
})

/**
 * The published entry as the cache has it, unless the read model has moved on since it was loaded: a cached value is never
 * older than what an uncached read of this node would be.
 */
const fromCache = async ({ entries, cache }: EntryReads, id: string) => {
  if (!cache || !(await entries.ready())) return undefined
  const hit = await cache.get(entryCacheKey(id))
  if (!hit || hit.position < entries.position()) return undefined
  const value: EntryView = JSON.parse(hit.value)
  return { value, bytes: hit.value, position: hit.position }
}

/** Only asked for what the read model does not have, so the look into the stream costs no ordinary read. */
const wasRemoved = async (reads: EntryReads, id: string): Promise<boolean> =>
  (await revisionsOf(reads.log, id)).at(-1)?.entry.removed === true

export type ListInput = {
  readonly language?: string
  readonly partOfSpeech?: string
  readonly status?: string
  readonly category?: string
  readonly label?: string
  readonly contributor?: string
  readonly source?: string
  readonly updatedSince?: string
  readonly sort?: ListSort
  readonly limit: number
  readonly after?: Cursor
}
export const listSorts = ['lemma', '-lemma', 'updatedAt', '-updatedAt', 'createdAt', '-createdAt'] as const
export type ListSort = (typeof listSorts)[number]

const orders: Readonly<Record<ListSort, string>> = {
  lemma: 'sortKey',
  '-lemma': '-sortKey',
  updatedAt: 'updatedAt',
  '-updatedAt': '-updatedAt',
  createdAt: 'createdAt',
  '-createdAt': '-createdAt',
}

const conditions = (input: ListInput): readonly Condition[] => [
  { member: 'status', op: 'eq', value: input.status ?? 'published' },
  ...(input.language === undefined ? [] : [{ member: 'language', op: 'eq' as const, value: input.language }]),
  ...(input.partOfSpeech === undefined
    ? []
    : [{ member: 'partOfSpeech', op: 'eq' as const, value: input.partOfSpeech }]),
  ...(input.category === undefined
    ? []
    : [{ member: 'categoryKeys', op: 'any' as const, value: [nameKey(input.category)] }]),
  ...(input.label === undefined ? [] : [{ member: 'labelKeys', op: 'any' as const, value: [nameKey(input.label)] }]),
  ...(input.contributor === undefined
    ? []
    : [{ member: 'contributors', op: 'any' as const, value: [input.contributor] }]),
  ...(input.source === undefined ? [] : [{ member: 'sourceKey', op: 'eq' as const, value: nameKey(input.source) }]),
  ...(input.updatedSince === undefined ? [] : [{ member: 'updatedAt', op: 'range' as const, gte: input.updatedSince }]),
]

const keyOf = (cursor: Cursor | undefined) => (Array.isArray(cursor?.key) ? { after: cursor.key } : {})

const pageSchema = Type.Object({
  items: Type.Array(EntrySchema),
  next: Type.Union([Type.String(), Type.Null()]),
})

/** Entries of one status (published unless named), filtered and sorted. */
export const listEntries = (reads: EntryReads): Query<ListInput, Page<EntryView>> => ({
  name: 'list-entries',
  permission: 'entries:read',
  output: pageSchema,
  reads: ['entries'],
  run: async (input, reader) => {
    const status = input.status ?? 'published'
    if (
      status === 'retired'
        ? !reader.permissions.has('entries:review')
        : status !== 'published' && !reader.permissions.has('entries:read-drafts')
    )
      return refuse('permission-denied', `Entries that are ${status} are not listed for everybody.`)
    const order = [orders[input.sort ?? 'lemma']]
    const found = await reads.entries.find({
      where: conditions(input),
      order,
      limit: input.limit,
      ...keyOf(input.after),
    })
    const items = found.documents.flatMap(({ id, body }) => viewFor(reader, id, body, body.revision) ?? [])
    const next = found.next ? { generation: found.generation, key: found.next } : null
    return { value: { items, next }, position: found.position }
  },
})

const historySchema = Type.Object({
  items: Type.Array(HistoryItem),
  next: Type.Union([Type.String(), Type.Null()]),
})

export type HistoryInput = { readonly id: string; readonly limit: number; readonly after?: Cursor }

/** The entry's revisions, newest first. */
export const entryHistory = (reads: EntryReads): Query<HistoryInput, Page<EntryRevision>> => ({
  name: 'entry-history',
  permission: 'entries:read',
  output: historySchema,
  reads: [],
  run: async ({ id, limit, after }, reader) => {
    const position = await reads.log.head()
    const revisions = await revisionsOf(reads.log, id)
    const now = revisions.at(-1)
    if (!now) return notFound()
    if (now.entry.removed) return refuse('entry-removed', 'The text of this entry was removed.')
    const sight = sightOf(now.entry, reader)
    if (sight === 'gone') return gone(now.entry)
    if (sight !== 'everything') return notFound()
    const reviewer = reader.permissions.has('entries:review')
    const author = now.entry.author !== undefined && now.entry.author === reader.actor?.id
    const all = historyFor(revisions, reviewer ? 'reviewer' : author ? 'author' : 'public')
    const from = typeof after?.key === 'string' ? BigInt(after.key) : undefined
    const rest = from === undefined ? all : all.filter(each => BigInt(each.revision) < from)
    const items = rest.slice(0, limit)
    const last = items.at(-1)
    const next = last && rest.length > limit ? { generation: 'log', key: last.revision } : null
    return { value: { items, next }, position }
  },
})

export type RandomInput = {
  readonly seed?: string
  readonly language?: string
  readonly partOfSpeech?: string
  readonly category?: string
  readonly label?: string
}

/** A published entry by chance; the same one for the same seed while the dictionary stands still. */
export const randomEntry = (
  reads: EntryReads,
  pointOf: (seed: string | undefined) => string,
): Query<RandomInput, EntryView> => ({
  name: 'random-entry',
  permission: 'entries:read',
  output: EntrySchema,
  reads: ['entries'],
  run: async (input, reader) => {
    const found = await drawEntry(reads, input, pointOf(input.seed))
    const value = found && viewFor(reader, found.id, found.body, found.body.revision)
    return value
      ? { value, position: reads.entries.position() }
      : refuse('nothing-found', 'No published entry matches these filters.')
  },
})

/**
 * Ids are hashes and so spread evenly: the first entry at or after a random point of their space is a fair draw, in one
 * indexed look-up. Past the last id it begins again at the first. With a filter that is not in the index and matches
 * fewer than one entry in 10,000, the pages are followed to the end.
 */
export const drawEntry = async (reads: EntryReads, input: Omit<RandomInput, 'seed'>, point: string) => {
  const where = conditions({ ...input, limit: 1 })
  for (const start of [point, '']) {
    let after: readonly [string] | undefined = [start]
    while (after) {
      const page: Awaited<ReturnType<View<EntryDocument>['find']>> = await reads.entries.find({
        where,
        order: [],
        limit: 1,
        after,
      })
      const [found] = page.documents
      if (found) return found
      const last: unknown = page.next?.at(-1)
      after = typeof last === 'string' ? [last] : undefined
    }
  }
  return undefined
}

export type ExportPage = { readonly items: readonly EntryView[]; readonly cursor: Cursor; readonly position: bigint }

/** The published dictionary in the order of its ids, page by page, from a cursor on. */
export const exportEntries = (reads: EntryReads) =>
  async function* (input: { readonly after?: Cursor; readonly language?: string }): AsyncGenerator<ExportPage> {
    const where = conditions({ limit: 0, ...(input.language !== undefined && { language: input.language }) })
    let after = input.after?.key
    let generation = input.after?.generation
    for (;;) {
      const page = await reads.entries.find(
        { where, order: [], limit: 200, ...(Array.isArray(after) && { after }) },
        generation,
      )
      generation = page.generation
      const items = page.documents.map(({ id, body }) => entryView(id, body, body.revision))
      const key = page.next ?? (page.documents.length > 0 ? [page.documents.at(-1)?.id ?? ''] : after)
      yield {
        items,
        cursor: { generation: reads.entries.generation(), key: key ?? [''] },
        position: reads.entries.position(),
      }
      if (!page.next) return
      after = page.next
    }
  }
