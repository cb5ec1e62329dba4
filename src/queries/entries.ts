/** Reading the dictionary: one entry, lists, history, export, chance. */
import Type from 'typebox'
import type { Log } from '../core/log/log.ts'
import type { View } from '../core/project/view.ts'
import type { Cursor, Page, Query, Reader } from '../core/query/define.ts'
import { defined } from '../domain/defined.ts'
import type { Entry } from '../domain/entry/entry.ts'
import { type Refusal, refuse } from '../domain/refusal.ts'
import { anonymousPermissions, permissionsIn, permitsSomewhere } from '../domain/roles.ts'
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
import type { People } from '../projections/people.ts'
import {
  type EntryRevision,
  HistoryItem,
  historyFor,
  lastRevisions,
  peopleInRevision,
  type Revision,
  revisionsOf,
  withoutReplacements,
} from './entry-history.ts'
import { EntrySchema, type EntryView, leastOf, peopleIn, sightOf, viewAs, viewFor } from './entry-view.ts'

/** What the queries read. */
export type EntryReads = {
  readonly entries: View<EntryDocument>
  readonly log: Pick<Log, 'readStream' | 'head'>
  /** Whose contributions may be listed for whom; absent: everybody's for everybody. */
  readonly people?: Pick<People, 'listsFor'>
}
export type EntryPasts = EntryReads & {
  /** Turns at folding an entry's past, which may be long: few at once, of one reader fewer. Strangers count as one. */
  readonly folds: Turns
}

/** Pasts that a node folds at once, and of these for one reader. */
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
const wasThere = ({ event }: Revision, asOf: AsOf): boolean =>
  'position' in asOf ? event.position <= asOf.position : Date.parse(event.meta.at) <= asOf.time.getTime()

const asItWas = async (reads: EntryReads, id: string, asOf: AsOf, reader: Reader) => {
  const position = await reads.log.head()
  let now: Revision | undefined
  let then: Revision | undefined
  for await (const revision of revisionsOf(reads.log, id)) {
    now = revision
    if (wasThere(revision, asOf)) then = revision
  }
  if (!now || !then) return notFound()
  if (now.entry.removed) return removedFor(reader, now.entry)
  const today = await seen(reads, reader, id, now.entry, String(now.event.revision))
  if ('refused' in today) return today
  if ('toCome' in asOf && asOf.time.getTime() > Date.parse(now.event.meta.at))
    return refuse('as-of-invalid', 'asOf is in the future.')
  // A draft is its author's: theirs who was it then, and is it now.
  const { author: _, ...rest } = then.entry
  const byNow = { ...rest, ...defined({ author: now.entry.author }) }
  const sight = leastOf(sightOf(then.entry, reader), sightOf(byNow, reader))
  const value = viewAs(sight, id, then.entry, String(then.event.revision))
  return value ? { value, position } : notFound()
}

/** One entry; with `asOf` as it was then, if it was visible then and is now. */
export const getEntry = (reads: EntryPasts): Query<{ readonly id: string; readonly asOf?: AsOf }, EntryView> => ({
  name: 'get-entry',
  people: peopleIn,
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
const absentFor = async (reads: EntryReads, reader: Reader, id: string): Promise<Refusal> => {
  if (!permitsSomewhere(reader, 'entries:draft')) return notFound()
  const { now } = await lastRevisions(reads.log, id, 1, undefined)
  return now?.entry.removed ? removedFor(reader, now.entry) : notFound()
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

const stranger: Reader = { permissions: anonymousPermissions }
const mayList = ({ people }: EntryReads, contributor: string | undefined, reader: Reader): boolean =>
  contributor === undefined || people?.listsFor(contributor, reader) !== false

/** Entries of one status (published unless named), filtered and sorted. Who hides what they contributed to is found by nobody. */
export const listEntries = (reads: EntryReads): Query<ListInput, Page<EntryView>> => ({
  name: 'list-entries',
  people: peopleIn,
  permission: 'entries:read',
  output: pageSchema,
  reads: ['entries'],
  caching: ({ status, language, partOfSpeech, contributor }) =>
    (status === undefined || status === 'published') && mayList(reads, contributor, stranger)
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
    if (!mayList(reads, input.contributor, reader))
      return { value: { items: [], next: null }, position: reads.entries.position() }
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

/** The entry's revisions, newest first. */
export const entryHistory = (reads: EntryPasts): Query<HistoryInput, Page<EntryRevision>> => ({
  name: 'entry-history',
  people: peopleInRevision,
  permission: 'entries:read',
  output: historySchema,
  reads: [],
  run: async ({ id, limit, after }, reader) => {
    const position = await reads.log.head()
    const from = typeof after?.key === 'string' ? BigInt(after.key) : undefined
    // One more than the page: what its oldest item is compared with, and whether there is more.
    const { now, all, open } = await reads.folds.take(ownerOf(reader), () =>
      lastRevisions(reads.log, id, limit + 1, from),
    )
    if (!now) return notFound()
    if (now.entry.removed) return removedFor(reader, now.entry)
    const sight = sightOf(now.entry, reader)
    if (sight === 'gone') return gone(reads, now.entry)
    if (sight !== 'everything') return notFound()
    const reviewer = permissionsIn(reader, now.entry.language).has('entries:review')
    const author = now.entry.author !== undefined && now.entry.author === reader.actor?.id
    const rest = reviewer || author ? historyFor(all, reviewer ? 'reviewer' : 'author') : historyFor(open, 'public')
    const page = rest.slice(0, limit)
    const items = reviewer ? page : await withoutReplacements(page, ids => publishedOf(reads, ids))
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
  people: peopleIn,
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
