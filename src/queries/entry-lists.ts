/** Lists of entries: filtered and sorted, at a cost that does not depend on how rare the wanted ones are. */
import Type from 'typebox'
import type { View } from '../core/project/view.ts'
import type { Cursor, Page, Query, Reader } from '../core/query/define.ts'
import { defined } from '../domain/defined.ts'
import { denied } from '../domain/denial.ts'
import { partsOfSpeech } from '../domain/entry/content.ts'
import type { Json, JsonObject } from '../domain/event.ts'
import type { Permission } from '../domain/roles.ts'
import { permissionsIn } from '../domain/roles.ts'
import { compareKeysets, matches } from '../ports/conditions.ts'
import type { Condition } from '../ports/read-store.ts'
import {
  ANY_ENTRY,
  type EntryDocument,
  entriesProjection,
  kindTag,
  languageTag,
  nameKey,
  REMOVAL,
} from '../projections/entries.ts'
import type { EntryReads } from './entries.ts'
import { EntrySchema, type EntryView, peopleIn, viewFor } from './entry-view.ts'

export type ListFilters = {
  readonly language?: string
  readonly partOfSpeech?: string
  readonly status?: string
  readonly category?: string
  readonly label?: string
  readonly contributor?: string
  readonly source?: string
  readonly updatedSince?: string
}
export type ListInput = ListFilters & {
  readonly sort?: ListSort
  readonly limit: number
  readonly after?: Cursor
}
export const listSorts = ['lemma', '-lemma', 'updatedAt', '-updatedAt', 'createdAt', '-createdAt'] as const
export type ListSort = (typeof listSorts)[number]

type Order = { readonly member: 'sortKey' | 'updatedAt' | 'createdAt'; readonly backwards: boolean }
const orders: Readonly<Record<ListSort, Order>> = {
  lemma: { member: 'sortKey', backwards: false },
  '-lemma': { member: 'sortKey', backwards: true },
  updatedAt: { member: 'updatedAt', backwards: false },
  '-updatedAt': { member: 'updatedAt', backwards: true },
  createdAt: { member: 'createdAt', backwards: false },
  '-createdAt': { member: 'createdAt', backwards: true },
}

const equal = (member: string, value: string | undefined): readonly Condition[] =>
  value === undefined ? [] : [{ member, op: 'eq', value }]
const among = (member: string, value: string | undefined): readonly Condition[] =>
  value === undefined ? [] : [{ member, op: 'any', value: [value] }]
const named = (name: string | undefined): string | undefined => (name === undefined ? undefined : nameKey(name))

/** What every index of the entries begins with: closed lists, of which all are asked for where none is named. */
export const scopeOf = ({ status, language, partOfSpeech }: ListFilters): readonly Condition[] => [
  { member: 'status', op: 'eq', value: status ?? 'published' },
  ...equal('language', language),
  { member: 'partOfSpeech', op: 'in', value: partOfSpeech === undefined ? partsOfSpeech : [partOfSpeech] },
]

/** Filters that may leave few of many, each with the order of the index that answers it. */
export const narrowingOf = ({
  label,
  category,
  contributor,
  source,
  updatedSince,
}: ListFilters): readonly Narrowing[] => [
  ...among('labelKeys', named(label)).map(by => ({ by, order: 'sortKey' })),
  ...among('categoryKeys', named(category)).map(by => ({ by, order: 'sortKey' })),
  ...among('contributors', contributor).map(by => ({ by, order: 'sortKey' })),
  ...equal('sourceKey', named(source)).map(by => ({ by, order: 'sortKey' })),
  ...(updatedSince === undefined
    ? []
    : [{ by: { member: 'updatedAt', op: 'range', gte: updatedSince } as const, order: 'updatedAt' }]),
]
type Narrowing = { readonly by: Condition; readonly order: string }

/** Do the filters or the order look at what the identity of an entry does not show? */
const asksForContent = ({ category, label, source, updatedSince, sort = 'lemma' }: ListInput): boolean =>
  [category, label, source, updatedSince].some(wanted => wanted !== undefined) || orders[sort].member !== 'sortKey'

/** Who is shown all of what was published and is not now, by its status. */
const needed: ReadonlyMap<string, Permission> = new Map([
  ['retired', 'entries:review'],
  ['held', 'decisions:take'],
])

/**
 * Filters and orders are about what the reader may see: what others have not published shows its identity, status and author,
 * so that asking for anything else finds what is one's own, and the contributor it is found by is the author. Undefined:
 * everything is shown.
 */
const authorShown = (input: ListInput, status: string, reader: Reader): string | undefined => {
  const permissions = permissionsIn(reader, input.language)
  if (status === 'published' || permissions.has(needed.get(status) ?? 'entries:edit')) return undefined
  return asksForContent(input) ? (reader.actor?.id ?? '') : input.contributor
}

/** What a list of what is published depends on. */
export const publicTags = (language: string | undefined, partOfSpeech?: string): readonly string[] =>
  language === undefined
    ? [ANY_ENTRY]
    : [partOfSpeech === undefined ? languageTag(language) : kindTag(language, partOfSpeech), REMOVAL]

/** As many are placed in memory. Where more are left, one in so many of the dictionary is among them, and it is read in order. */
const MOST_PLACED = 2_000
/** Keys of a page on whose documents conditions have to be looked at one by one. */
const DOCUMENTS_LOOKED_AT = 400

type Wanted = {
  readonly scope: readonly Condition[]
  /** A language or a part of speech is: the scope may leave little. */
  readonly isNamed: boolean
  readonly narrowing: readonly Narrowing[]
  /** Looked at on each document. */
  readonly rest: readonly Condition[]
  readonly order: Order
  readonly limit: number
  readonly after: readonly Json[] | undefined
}
type Found = Awaited<ReturnType<View<EntryDocument>['find']>>

const isTerms = ({ op }: Condition): boolean => op === 'any' || op === 'all'

/** The filter that leaves the fewest, if these are few enough to be placed in memory. */
const fewest = async (entries: View<EntryDocument>, { scope, narrowing }: Wanted): Promise<Narrowing | undefined> => {
  let best: { readonly each: Narrowing; readonly count: number } | undefined
  for (const each of narrowing) {
    // One that leaves more than another does is not counted to its end.
    const limit = best ? best.count : MOST_PLACED + 1
    if (limit === 0) break
    const where = [...(each.order === 'updatedAt' ? scope : scope.slice(0, 1)), each.by]
    const count = await entries.count({ where, order: [each.order] }, limit)
    if (count < limit) best = { each, count }
  }
  return best?.each
}

const allOf = ({ scope, narrowing, rest }: Wanted): readonly Condition[] => [
  ...scope,
  ...narrowing.map(({ by }) => by),
  ...rest,
]

/** The few that one filter leaves, by what an index has of them; the documents of the page alone are read. */
const placed = async (
  entries: View<EntryDocument>,
  wanted: Wanted,
  { by, order }: Narrowing,
): Promise<Found | undefined> => {
  const where = allOf(wanted)
  const { member, backwards } = wanted.order
  const rows = await entries.select({ where, order: [order], by: by.member, limit: MOST_PLACED }, [member])
  // More since they were counted.
  if (rows.next) return undefined
  const compare = (a: readonly Json[], b: readonly Json[]): number =>
    compareKeysets([member], a, b) * (backwards ? -1 : 1)
  const places = rows.documents
    .map(({ id, members: [value = null] }) => ({ id, place: [value, id] }))
    .filter(({ place }) => wanted.after === undefined || compare(place, wanted.after) > 0)
    .toSorted((a, b) => compare(a.place, b.place))
  const page = places.slice(0, wanted.limit)
  const documents = await entries.get(page.map(each => each.id))
  const stands = (body: JsonObject): boolean => where.every(each => matches(body, each))
  return {
    ...rows,
    documents: page.flatMap(({ id }) => {
      const document = documents.get(id)
      return document && stands(document.body) ? [document] : []
    }),
    next: places.length > page.length ? (page.at(-1)?.place ?? null) : null,
  }
}

/** In the order of an index, where each is looked at; that of the scope where it leaves little. */
const inOrder = (entries: View<EntryDocument>, wanted: Wanted, byScope: boolean): Promise<Found> => {
  const { order, limit, after, rest } = wanted
  const where = allOf(wanted)
  const answered = !byScope && order.member === 'sortKey' ? 1 : 0
  const dear = rest.length + where.filter(isTerms).length > answered
  return entries.find({
    where,
    order: [order.member],
    backwards: order.backwards,
    limit,
    ...defined({ by: byScope ? 'partOfSpeech' : undefined }),
    ...defined({ examine: dear ? Math.max(DOCUMENTS_LOOKED_AT, limit) : undefined }),
    ...defined({ after: after ? after : undefined }),
  })
}

const find = async (entries: View<EntryDocument>, wanted: Wanted): Promise<Found> => {
  const { scope, narrowing, rest, order } = wanted
  const [only, ...others] = narrowing
  if (!only) return inOrder(entries, wanted, false)
  const isAnswered =
    others.length + rest.length === 0 && !wanted.isNamed && only.order === order.member && isTerms(only.by)
  if (isAnswered) return inOrder(entries, wanted, false)
  const few = await fewest(entries, wanted)
  const page = few && (await placed(entries, wanted, few))
  if (page) return page
  const left = wanted.isNamed
    ? await entries.count({ where: scope, order: [order.member] }, MOST_PLACED + 1)
    : MOST_PLACED + 1
  return inOrder(entries, wanted, left <= MOST_PLACED)
}

const pageSchema = Type.Object({
  items: Type.Array(EntrySchema),
  next: Type.Union([Type.String(), Type.Null()]),
})

/** What is needed to list entries of a status. */
const neededFor = (status: string): Permission =>
  status === 'published' ? 'entries:read' : (needed.get(status) ?? 'entries:read-drafts')

const stranger: Reader = { permissions: new Set() }
const mayList = ({ people }: Pick<EntryReads, 'people'>, contributor: string | undefined, reader: Reader): boolean =>
  contributor === undefined || people?.listsFor(contributor, reader) !== false

/** Entries of one status (published unless named), filtered and sorted. Who hides what they contributed to is found by nobody. A page may be short where much is left and little of it fits. */
export const listEntries = (reads: Pick<EntryReads, 'entries' | 'people'>): Query<ListInput, Page<EntryView>> => ({
  name: 'list-entries',
  ofAll: true,
  people: peopleIn,
  permission: 'entries:read',
  output: pageSchema,
  reads: [entriesProjection],
  closed: ['language', 'partOfSpeech', 'status', 'contributor', 'sort', 'limit', 'fields'],
  caching: ({ status, language, partOfSpeech, contributor }) =>
    (status === undefined || status === 'published') && mayList(reads, contributor, stranger)
      ? { strategy: 'until-changed', tags: publicTags(language, partOfSpeech) }
      : { strategy: 'none' },
  run: async (input, reader) => {
    const status = input.status ?? 'published'
    const permissions = permissionsIn(reader, input.language)
    const needed = neededFor(status)
    if (!permissions.has(needed)) return denied(needed, reader, reader.inLanguages && 'for the language of the entries')
    if (!mayList(reads, input.contributor, reader))
      return { value: { items: [], next: null }, position: reads.entries.position() }
    const author = authorShown(input, status, reader)
    const found = await find(reads.entries, {
      scope: scopeOf(input),
      isNamed: input.language !== undefined || input.partOfSpeech !== undefined,
      // An author is among the contributors, which an index has.
      narrowing: [...narrowingOf(input), ...(author === undefined ? [] : narrowingOf({ contributor: author }))],
      rest: equal('author', author),
      order: orders[input.sort ?? 'lemma'],
      limit: input.limit,
      after: Array.isArray(input.after?.key) ? input.after.key : undefined,
    })
    const items = found.documents.flatMap(({ id, body }) => viewFor(reader, id, body, body.revision) ?? [])
    const next = found.next ? { generation: found.generation, key: found.next } : null
    return { value: { items, next }, position: found.position }
  },
})
