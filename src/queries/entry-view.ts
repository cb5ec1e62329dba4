/** An entry as its reader may see it. */
import Type, { type Static } from 'typebox'
import type { Reader } from '../core/query/define.ts'
import { defined } from '../domain/defined.ts'
import { Form, Pronunciation, Sense } from '../domain/entry/content.ts'
import type { Entry } from '../domain/entry/entry.ts'
import { StandingMembers } from '../domain/entry/members.ts'
import { permissionsIn } from '../domain/roles.ts'

const text = Type.String()

export const EntrySchema = Type.Object(
  {
    ...StandingMembers,
    variants: Type.Optional(Type.Array(text)),
    senses: Type.Optional(Type.Array(Sense)),
    forms: Type.Optional(Type.Array(Form)),
    pronunciations: Type.Optional(Type.Array(Pronunciation)),
    etymology: Type.Optional(text),
    categories: Type.Optional(Type.Array(text)),
  },
  { $id: 'Entry' },
)
export type EntryView = Static<typeof EntrySchema>

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null

const texts = (...values: readonly unknown[]): readonly string[] => values.filter(each => typeof each === 'string')

/** The actors that an entry names, as far as its members are shown. */
export const peopleIn = (shown: unknown): readonly string[] => {
  if (!isRecord(shown)) return []
  const { author, contributors } = shown
  return texts(author, ...(Array.isArray(contributors) ? contributors : []))
}

/** How much of an entry a reader may see. */
export type Sight = 'nothing' | 'gone' | 'identity' | 'everything'

/**
 * Published: everybody. Retired: gone for the public, there for those who review. Held: there for its
 * author and moderators. Unpublished: its identity for every
 * contributor, its content for its author and for those who edit what others have written.
 */
export const sightOf = (entry: Pick<Entry, 'status' | 'author' | 'language'>, reader: Reader): Sight => {
  if (entry.status === 'published') return 'everything'
  const permissions = permissionsIn(reader, entry.language)
  if (entry.status === 'retired') return permissions.has('entries:review') ? 'everything' : 'gone'
  const author = entry.author !== undefined && reader.actor?.id === entry.author
  if (entry.status === 'held') return author || permissions.has('decisions:take') ? 'everything' : 'nothing'
  if (author || permissions.has('entries:edit')) return 'everything'
  return permissions.has('entries:read-drafts') ? 'identity' : 'nothing'
}

export const entryView = (id: string, entry: Entry, revision: string): EntryView =>
  defined({
    id,
    language: entry.language,
    lemma: entry.lemma,
    partOfSpeech: entry.partOfSpeech,
    homograph: entry.homograph,

    status: entry.status,
    variants: entry.content.variants,
    senses: entry.content.senses,
    forms: entry.content.forms,
    pronunciations: entry.content.pronunciations,
    etymology: entry.content.etymology,
    categories: entry.content.categories,
    source: entry.source,
    licence: entry.licence,
    replacedBy: entry.replacedBy,
    held: entry.holds && [...entry.holds],
    rank: entry.rank,
    author: entry.author,
    contributors: [...entry.contributors],
    revision,
    createdAt: entry.createdAt,
    updatedAt: entry.updatedAt,
  })

/** Identity, status and author: what a contributor sees of somebody else's draft. */
export const identityView = (id: string, entry: Entry, revision: string): EntryView => ({
  id,
  language: entry.language,
  lemma: entry.lemma,
  partOfSpeech: entry.partOfSpeech,
  homograph: entry.homograph,
  status: entry.status,
  revision,
  ...defined({ author: entry.author }),
})

const sights: readonly Sight[] = ['nothing', 'gone', 'identity', 'everything']
/** What both allow. */
export const leastOf = (a: Sight, b: Sight): Sight => (sights.indexOf(a) < sights.indexOf(b) ? a : b)

/** As much of the entry as the sight shows; undefined when that is nothing. */
export const viewAs = (sight: Sight, id: string, entry: Entry, revision: string): EntryView | undefined => {
  if (sight === 'everything') return entryView(id, entry, revision)
  return sight === 'identity' ? identityView(id, entry, revision) : undefined
}

/** The view for this reader; undefined when there is none. */
export const viewFor = (reader: Reader, id: string, entry: Entry, revision: string): EntryView | undefined =>
  viewAs(sightOf(entry, reader), id, entry, revision)
