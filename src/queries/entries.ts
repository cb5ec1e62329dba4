/** Reading the dictionary: one entry, as it is and as it was, and its history. */
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
import { type EntryDocument, entriesProjection, entryTag } from '../projections/entries.ts'
import type { People } from '../projections/people.ts'
import {
  type EntryRevision,
  HistoryItem,
  type HistorySight,
  historyPage,
  openEntryEvents,
  peopleInRevision,
  withoutReplacements,
} from './entry-history.ts'
import { EntrySchema, type EntryView, leastOf, peopleIn, sightOf, viewAs, viewFor } from './entry-view.ts'

/** What reading entries is refused for, beside what is refused of an entry. */
export type EntryQueryRefusal =
  | 'entry-gone'
  | 'day-unknown'
  | 'nothing-found'
  | 'as-of-invalid'
  | 'pattern-too-broad'
  | 'pattern-invalid'

/** What the queries read. */
export type EntryReads = {
  readonly entries: View<EntryDocument>
  readonly log: Pick<Log, 'readStream' | 'head'>
  /** Whose contributions may be listed for whom; absent: everybody's for everybody. */
  readonly people?: Pick<People, 'listsFor'>
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

const gone = async (
  reads: Pick<EntryReads, 'entries'>,
  { replacedBy }: Pick<Entry, 'replacedBy'>,
): Promise<Refusal> => {
  const shown = replacedBy !== undefined && (await publishedOf(reads, [replacedBy])).has(replacedBy)
  return refuse('entry-gone', 'This entry was retired.', { context: { replacedBy: shown ? replacedBy : null } })
}

/** To who may draft it is told that the id is taken for ever; to all others there never was such an entry. */
const removedFor = (reader: Reader, { language }: Pick<Entry, 'language'>): Refusal =>
  permissionsIn(reader, language).has('entries:draft')
    ? refuse('entry-removed', 'The text of this entry was removed.')
    : notFound()

/** The entry in the reader's eyes, or the refusal that says as much as they may know. */
export const seen = async (
  reads: Pick<EntryReads, 'entries'>,
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
  people: peopleIn,
  permission: 'entries:read',
  output: EntrySchema,
  reads: [entriesProjection],
  closed: ['fields'],
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
  people: peopleInRevision,
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
