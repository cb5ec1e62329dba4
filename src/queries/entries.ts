/** Reading the dictionary: one entry, lists, history, export, chance. */
import Type from 'typebox'
import type { Entry } from '../domain/entry.ts'
import { type Refusal, refuse } from '../domain/refusal.ts'
import { permissionsIn } from '../domain/roles.ts'
import type { Turns } from '../domain/turns.ts'
import type { Log } from '../log/log.ts'
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
import type { View } from '../projections/view.ts'
import type { Cursor, Page, Query, Reader } from './define.ts'
import {
  type EntryRevision,
  HistoryItem,
  historyFor,
  lastRevisions,
  type Revision,
  revisionsOf,
} from './entry-history.ts'
import { EntrySchema, type EntryView, entryView, sightOf, viewFor } from './entry-view.ts'

/** What the queries read. */
export type EntryReads = {
  readonly entries: View<EntryDocument>
  readonly log: Pick<Log, 'readStream' | 'head'>
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

const gone = (entry: Pick<Entry, 'replacedBy'>): Refusal =>
  refuse('entry-gone', 'This entry was retired.', { context: { replacedBy: entry.replacedBy ?? null } })

/** The entry in the reader's eyes, or the refusal that says as much as they may know. */
const seen = (reader: Reader, id: string, entry: Entry, revision: string): EntryView | Refusal =>
  sightOf(entry, reader) === 'gone' ? gone(entry) : (viewFor(reader, id, entry, revision) ?? notFound())

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
  if (now.entry.removed) return refuse('entry-removed', 'The text of this entry was removed.')
  const today = seen(reader, id, now.entry, String(now.event.revision))
  if ('refused' in today) return today
  if ('toCome' in asOf && asOf.time.getTime() > Date.parse(now.event.meta.at))
    return refuse('as-of-invalid', 'asOf is in the future.')
  const value = viewFor(reader, id, then.entry, String(then.event.revision))
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
    if (!found)
      return (await wasRemoved(reads, id)) ? refuse('entry-removed', 'The text of this entry was removed.') : notFound()
    const value = seen(reader, id, found.body, found.body.revision)
    if ('refused' in value) return value
    return { value, position, mark: found.body.mark }
  },
})

/** Only asked for what the read model does not have, so the look into the stream costs no ordinary read. */
const wasRemoved = async (reads: EntryReads, id: string): Promise<boolean> =>
  (await lastRevisions(reads.log, id, 1, undefined)).now?.entry.removed === true

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
    // What others have drafted is not to be guessed by asking which of it has a label.
    const own = reader.actor !== undefined && input.contributor === reader.actor.id
    const asksForContent = input.category !== undefined || input.label !== undefined
    const open = permissions.has(status === 'retired' ? 'entries:review' : 'entries:edit')
    if (status !== 'published' && asksForContent && !own && !open)
      return refuse(
        'permission-denied',
        'What is not published is filtered by category or label by its author (contributor) and by editors alone.',
      )
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
export const entryHistory = (reads: EntryPasts): Query<HistoryInput, Page<EntryRevision>> => ({
  name: 'entry-history',
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
    if (now.entry.removed) return refuse('entry-removed', 'The text of this entry was removed.')
    const sight = sightOf(now.entry, reader)
    if (sight === 'gone') return gone(now.entry)
    if (sight !== 'everything') return notFound()
    const reviewer = permissionsIn(reader, now.entry.language).has('entries:review')
    const author = now.entry.author !== undefined && now.entry.author === reader.actor?.id
    const rest = reviewer || author ? historyFor(all, reviewer ? 'reviewer' : 'author') : historyFor(open, 'public')
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
