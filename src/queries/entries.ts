/** Reading the dictionary: one entry, lists, history, export, chance. */
import Type from 'typebox'
import type { Log } from '../core/log/log.ts'
import type { View } from '../core/project/view.ts'
import type { Cursor, Page, Query, Reader } from '../core/query/define.ts'
import type { Transactor } from '../core/write/transact.ts'
import { defined } from '../domain/defined.ts'
import { type Entry, entryStream } from '../domain/entry/entry.ts'
import type { EntryEvent } from '../domain/entry/events.ts'
import { type EntryPast, holdersOf, type Moment, momentBy } from '../domain/entry/past.ts'
import { type EntryState, entryAt } from '../domain/entry/state.ts'
import { type Refusal, refuse } from '../domain/refusal.ts'
import { permissionsIn, permitsSomewhere } from '../domain/roles.ts'
import type { Turns } from '../domain/turns.ts'
import type { Condition } from '../ports/read-store.ts'
import {
  ANY_ENTRY,
  type EntryDocument,
  entryTag,
  kindTag,
  languageTag,
  nameKey,
  REMOVAL,
} from '../projections/entries.ts'
import {
  type EntryRevision,
  HistoryItem,
  type HistorySight,
  historyPage,
  openEntryEvents,
  withoutReplacements,
} from './entry-history.ts'
import { EntrySchema, type EntryView, leastOf, sightOf, viewAs, viewFor } from './entry-view.ts'

/** What the queries read. */
export type EntryReads = {
  readonly entries: View<EntryDocument>
  readonly log: Pick<Log, 'readStream' | 'head'>
}
export type EntryPasts = EntryReads & {
  /** Entries as they stand in the log now, with what is known of their past. */
  readonly streams: Pick<Transactor<EntryState, EntryEvent>, 'load'>
  /** Turns at an entry's past, whose contents may be large: few at once, of one reader fewer. Strangers count as one. */
  readonly folds: Turns
}

/** Pasts that a node reads at once, and of these for one reader. */
export const FOLDS_AT_ONCE = 4
export const FOLDS_OF_ONE = 2

const ownerOf = ({ actor }: Reader): string => (actor ? `${actor.kind} ${actor.id}` : 'strangers')

/** `toCome`: later than this node's clock, which an entry's own time may be as well. */
export type AsOf = { readonly position: bigint } | { readonly time: Date; readonly toCome?: true }

export const notFound = (): Refusal => refuse('entry-not-found', 'There is no such entry, or it is not visible to you.')

/** Those of the entries that are published: the others are nobody's to be sent to. */
const publishedOf = async (
  reads: Pick<EntryReads, 'entries'>,
  ids: readonly string[],
): Promise<ReadonlySet<string>> => {
  const found = ids.length > 0 ? await reads.entries.get(ids) : new Map<string, never>()
  return new Set([...found.values()].flatMap(({ id, body }) => (body.status === 'published' ? [id] : [])))
}

const gone = async (reads: EntryReads, { replacedBy }: Pick<Entry, 'replacedBy'>): Promise<Refusal> => {
  const shown = replacedBy !== undefined && (await publishedOf(reads, [replacedBy])).has(replacedBy)
  return refuse('entry-gone', 'This entry was retired.', { context: { replacedBy: shown ? replacedBy : null } })
}

/** To who may draft it is told that the id is taken for ever; to all others there never was such an entry. */
const removedFor = (reader: Reader, { language }: Pick<Entry, 'language'>): Refusal =>
  permissionsIn(reader, language).has('entries:draft')
    ? refuse('entry-removed', 'The text of this entry was removed.')
    : notFound()

/** The entry in the reader's eyes, or the refusal that says as much as they may know. */
const seen = async (
  reads: EntryReads,
  reader: Reader,
  id: string,
  entry: Entry,
  revision: string,
): Promise<EntryView | Refusal> =>
  sightOf(entry, reader) === 'gone' ? gone(reads, entry) : (viewFor(reader, id, entry, revision) ?? notFound())

/** By the time that histories and entries show, of which each revision of an entry has its own. */
const momentFor = (past: EntryPast, asOf: AsOf): Moment | undefined =>
  momentBy(past, 'position' in asOf ? { position: Number(asOf.position) } : { at: asOf.time.getTime() })

const asItWas = async (reads: EntryPasts, id: string, asOf: AsOf, reader: Reader) => {
  const position = await reads.log.head()
  const { state, revision } = await reads.streams.load(entryStream(id))
  const { entry: now, past } = state
  if (!now) return notFound()
  const moment = momentFor(past, asOf)
  if (!moment) return notFound()
  if (now.removed) return removedFor(reader, now)
  const today = await seen(reads, reader, id, now, String(revision))
  if ('refused' in today) return today
  if ('toCome' in asOf && asOf.time.getTime() > Date.parse(now.updatedAt))
    return refuse('as-of-invalid', 'asOf is in the future.')
  const events = await openEntryEvents(reads.log, id).at(holdersOf(past, moment.revision))
  const then = entryAt(past, moment.revision, events)
  if (!then) return removedFor(reader, now)
  // A draft is its author's: theirs who was it then, and is it now.
  const { author: _, ...rest } = then
  const byNow = { ...rest, ...defined({ author: now.author }) }
  const sight = leastOf(sightOf(then, reader), sightOf(byNow, reader))
  const value = viewAs(sight, id, then, String(moment.revision))
  return value ? { value, position } : notFound()
}

/** One entry; with `asOf` as it was then, if it was visible then and is now. */
export const getEntry = (reads: EntryPasts): Query<{ readonly id: string; readonly asOf?: AsOf }, EntryView> => ({
  name: 'get-entry',
  permission: 'entries:read',
  output: EntrySchema,
  reads: ['entries'],
  caching: ({ id, asOf }) =>
    asOf ? { strategy: 'none' } : { strategy: 'until-changed', tags: [entryTag(id)], cheap: true },
  // What is published looks the same to everybody.
  shared: ({ status }) => status === 'published',
  run: async ({ id, asOf }, reader) => {
    if (asOf) return reads.folds.take(ownerOf(reader), () => asItWas(reads, id, asOf, reader))
    // Before the read: what is read then reflects this position at least.
    const position = reads.entries.position()
    const found = (await reads.entries.get([id])).get(id)
    if (!found) return absentFor(reads, reader, id)
    const value = await seen(reads, reader, id, found.body, found.body.revision)
    if ('refused' in value) return value
    return { value, position, mark: found.body.mark }
  },
})

/**
 * Of what the read model does not have. Whoever may not be told what became of it costs no look into the stream either, so
 * that what never was and what was removed are one and the same.
 */
const absentFor = async (reads: EntryPasts, reader: Reader, id: string): Promise<Refusal> => {
  if (!permitsSomewhere(reader, 'entries:draft')) return notFound()
  const { entry } = (await reads.streams.load(entryStream(id))).state
  return entry?.removed ? removedFor(reader, entry) : notFound()
}

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

export const conditions = (input: ListInput): readonly Condition[] => [
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

/** Do the filters or the order look at what the identity of an entry does not show? */
const asksForContent = ({ category, label, source, updatedSince, sort = 'lemma' }: ListInput): boolean =>
  [category, label, source, updatedSince].some(wanted => wanted !== undefined) || !orders[sort].endsWith('sortKey')

/**
 * Filters and orders are about what the reader may see: what others have not published shows its identity, status and author,
 * so that asking for anything else finds what is one's own, and the contributor it is found by is the author.
 */
const shownOf = (input: ListInput, status: string, reader: Reader): readonly Condition[] => {
  const permissions = permissionsIn(reader, input.language)
  if (status === 'published' || permissions.has(status === 'retired' ? 'entries:review' : 'entries:edit')) return []
  const author = asksForContent(input) ? (reader.actor?.id ?? '') : input.contributor
  return author === undefined ? [] : [{ member: 'author', op: 'eq', value: author }]
}

/** What a list of what is published depends on. */
export const publicTags = (language: string | undefined, partOfSpeech?: string): readonly string[] =>
  language === undefined
    ? [ANY_ENTRY]
    : [partOfSpeech === undefined ? languageTag(language) : kindTag(language, partOfSpeech), REMOVAL]

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
  caching: ({ status, language, partOfSpeech }) =>
    status === undefined || status === 'published'
      ? { strategy: 'until-changed', tags: publicTags(language, partOfSpeech) }
      : { strategy: 'none' },
  run: async (input, reader) => {
    const status = input.status ?? 'published'
    const permissions = permissionsIn(reader, input.language)
    if (
      status === 'retired'
        ? !permissions.has('entries:review')
        : status !== 'published' && !permissions.has('entries:read-drafts')
    )
      return refuse('permission-denied', `Entries that are ${status} are not listed for everybody.`)
    const order = [orders[input.sort ?? 'lemma']]
    const found = await reads.entries.find({
      where: [...conditions(input), ...shownOf(input, status, reader)],
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

const historySight = (entry: Entry, reader: Reader): HistorySight => {
  if (permissionsIn(reader, entry.language).has('entries:review')) return 'reviewer'
  return entry.author !== undefined && entry.author === reader.actor?.id ? 'author' : 'public'
}

const historyOf = async (reads: EntryPasts, { id, limit, after }: HistoryInput, reader: Reader) => {
  const { entry, past } = (await reads.streams.load(entryStream(id))).state
  if (!entry) return notFound()
  if (entry.removed) return removedFor(reader, entry)
  const seenAs = sightOf(entry, reader)
  if (seenAs === 'gone') return gone(reads, entry)
  if (seenAs !== 'everything') return notFound()
  const sight = historySight(entry, reader)
  const before = typeof after?.key === 'string' ? Number(after.key) : undefined
  const page = await historyPage(past, openEntryEvents(reads.log, id), { limit, before, sight })
  return page ? { ...page, sight } : removedFor(reader, entry)
}

/** The entry's revisions, newest first. */
export const entryHistory = (reads: EntryPasts): Query<HistoryInput, Page<EntryRevision>> => ({
  name: 'entry-history',
  permission: 'entries:read',
  output: historySchema,
  reads: [],
  run: async (input, reader) => {
    const position = await reads.log.head()
    const page = await reads.folds.take(ownerOf(reader), () => historyOf(reads, input, reader))
    if ('refused' in page) return page
    const items =
      page.sight === 'reviewer' ? page.items : await withoutReplacements(page.items, ids => publishedOf(reads, ids))
    const last = items.at(-1)
    return { value: { items, next: last && page.more ? { generation: 'log', key: last.revision } : null }, position }
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
  caching: () => ({ strategy: 'none' }),
  run: async (input, reader) => {
    const found = await drawEntry(reads, input, pointOf(input.seed))
    const value = found && viewFor(reader, found.id, found.body, found.body.revision)
    return value
      ? { value, position: reads.entries.position() }
      : refuse('nothing-found', 'No published entry matches these filters.')
  },
})

/** Entries of a category or label that are drawn from. */
const DRAWN_FROM = 500
/** Pages of 10,000 entries examined at most, from the point and from the first id. */
const MOST_PAGES = 2

/**
 * Ids are hashes and so spread evenly: the first entry at or after a random point of their space is a fair draw, in one
 * indexed look-up. Past the last id it begins again at the first. With a filter that is not in the index it looks at 20,000
 * entries from there and from the first on, so that a draw costs little whatever is asked for: what is rarer may not be found.
 */
export const drawEntry = async (reads: EntryReads, input: Omit<RandomInput, 'seed'>, point: string) => {
  const where = conditions({ ...input, limit: 1 })
  // Few have a category or a label, and an index of their own: one of the first of them, by the point.
  if (input.category !== undefined || input.label !== undefined) {
    const { documents } = await reads.entries.find({ where, order: ['sortKey'], limit: DRAWN_FROM })
    return documents.toSorted((a, b) => (a.id < b.id ? -1 : 1)).find(each => each.id >= point) ?? documents[0]
  }
  for (const start of [point, '']) {
    let after: readonly [string] | undefined = [start]
    for (let pages = 0; after && pages < MOST_PAGES; pages += 1) {
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
