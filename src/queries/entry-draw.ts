/** An entry by chance. */
import type { View } from '../core/project/view.ts'
import type { Query } from '../core/query/define.ts'
import type { Refusal } from '../domain/refusal.ts'
import { refuse } from '../domain/refusal.ts'
import { type EntryDocument, entriesProjection } from '../projections/entries.ts'
import type { EntryReads } from './entries.ts'
import { type ListFilters, narrowingOf, scopeOf } from './entry-lists.ts'
import { EntrySchema, type EntryView, peopleIn, viewFor } from './entry-view.ts'

export type DrawFilters = Pick<ListFilters, 'language' | 'partOfSpeech' | 'category' | 'label'>
export type RandomInput = DrawFilters & { readonly seed?: string }

type Drawn = Awaited<ReturnType<View<EntryDocument>['find']>>['documents'][number]
type Draw = { readonly found: Drawn | undefined /** Not all of them were looked at. */; readonly short: boolean }

/** Keys looked at from the point on, and as many from the first id. */
const LOOKED_AT = 1_000
/** Where two names are asked for, the second is looked for in the documents. */
const DOCUMENTS_LOOKED_AT = 200

/**
 * Ids are hashes and so spread evenly: the first entry at or after a random point of their space is a fair draw, in one
 * indexed look-up; past the last id it begins again at the first. Language and part of speech stand in the index of the ids,
 * a label or a category has one of its own, of which some are looked at where more is asked for.
 */
export const drawEntry = async (
  reads: Pick<EntryReads, 'entries'>,
  filters: DrawFilters,
  point: string,
): Promise<Draw> => {
  const names = narrowingOf(filters).map(({ by }) => by)
  const query = {
    where: [...scopeOf(filters), ...names],
    order: [],
    limit: 1,
    examine: names.length > 1 ? DOCUMENTS_LOOKED_AT : LOOKED_AT,
  }
  const onwards = await reads.entries.find({ ...query, after: [point] })
  const [first] = onwards.documents
  if (first) return { found: first, short: false }
  const afresh = await reads.entries.find(query)
  return { found: afresh.documents[0], short: onwards.next !== null || afresh.next !== null }
}

const nothing = (short: boolean): Refusal =>
  refuse(
    'nothing-found',
    short
      ? 'None of the entries that were looked at matches these filters, and not all were: leave one out, or list them.'
      : 'No published entry matches these filters.',
  )

/** A published entry by chance; the same one for the same seed while the dictionary stands still. */
export const randomEntry = (
  reads: Pick<EntryReads, 'entries'>,
  pointOf: (seed: string | undefined) => string,
): Query<RandomInput, EntryView> => ({
  name: 'random-entry',
  ofAll: true,
  people: peopleIn,
  permission: 'entries:read',
  output: EntrySchema,
  reads: [entriesProjection],
  caching: () => ({ strategy: 'none' }),
  run: async ({ seed, ...filters }, reader) => {
    const { found, short } = await drawEntry(reads, filters, pointOf(seed))
    const value = found && viewFor(reader, found.id, found.body, found.body.revision)
    return value ? { value, position: reads.entries.position() } : nothing(short)
  },
})
