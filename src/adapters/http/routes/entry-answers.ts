/** How the dictionary's commands and queries are answered: from the fold, in the eyes of who asks. */
import { createHash } from 'node:crypto'
import Type, { type TSchema } from 'typebox'
import { FillingSchema } from '../../../core/query/define.ts'
import type { Accepted } from '../../../core/write/transact.ts'
import type { EntryState } from '../../../domain/entry/state.ts'
import type { JsonObject } from '../../../domain/event.ts'
import { idOf } from '../../../domain/ids.ts'
import { HistoryItem } from '../../../queries/entry-history.ts'
import { EntrySchema, type EntryView, peopleIn, viewFor } from '../../../queries/entry-view.ts'
import { etagOf } from '../etags.ts'
import { entryExample, historyExample, listExample, ofExample, searchExample } from '../examples.ts'
import { FILLING } from '../filling.ts'
import { type Names, NamesSchema, withNames } from '../names.ts'
import type { Answer, Documented, Requester } from '../route.ts'

/**
 * The representation part of an entity tag: which view of the entry this is, in which release. The same revision looks
 * otherwise to who may see only its identity, and after a release that shows it otherwise.
 */
export const openEntryTags = (version: string) => {
  const form = createHash('sha256')
    .update(version + JSON.stringify(EntrySchema))
    .digest('base64url')
    .slice(0, 5)
  return (view: EntryView, mark: string): string => etagOf(view.revision, mark, `${form}${view.senses ? 'f' : 'i'}`)
}

/** The entry after the command; what its removal left, when that is what the command did. */
export const answerEntry =
  (status: 200 | 201, tagOf: (view: EntryView, mark: string) => string, names: Pick<Names, 'nameFor'> | undefined) =>
  ({ stream, state, revision, mark }: Accepted<EntryState>, requester: Requester): Omit<Answer, 'position'> => {
    const id = idOf(stream)
    const { entry } = state
    if (!entry || entry.removed)
      return { status, body: JSON.stringify({ id, removed: true, revision: String(revision) }) }
    // Whoever just changed an entry knows what it says; after a take-over or return it may no longer be theirs to see.
    const view = viewFor(requester, id, entry, String(revision))
    const headers = status === 201 ? { location: `/v1/entries/${id}` } : {}
    const shown = view && { body: JSON.stringify(view), etag: tagOf(view, mark), people: [...new Set(peopleIn(view))] }
    return shown
      ? { status, ...withNames(shown, names, requester), headers }
      : { status, body: JSON.stringify({ id, revision: String(revision) }), headers }
  }

const names = Type.Optional(NamesSchema)
const NamedEntry = Type.Object({ ...EntrySchema.properties, names }, { $id: 'NamedEntry' })

const revised = ['ETag', 'Sync-Token', 'Idempotent-Replayed'] as const
const read = ['Sync-Token'] as const

export const entryAnswer = (description: string, status: string, revision: string): Documented => ({
  description,
  schema: NamedEntry,
  example: entryExample(status, revision),
  headers: revised,
})
export const createdAnswer: Documented = {
  ...entryAnswer('The draft.', 'draft', '0'),
  headers: ['Location', ...revised],
}
export const removedAnswer: Documented = {
  description: 'What is left of it.',
  schema: Type.Object({ id: Type.String(), removed: Type.Literal(true), revision: Type.String() }, { $id: 'Removed' }),
  example: { id: entryExample('draft', '0')['id'], removed: true, revision: '3' },
  headers: ['Sync-Token', 'Idempotent-Replayed'],
}

const next = Type.Union([Type.String(), Type.Null()])
/** With `fields`, members may be left out. */
const ShownEntry = Type.Partial(NamedEntry, { $id: 'ShownEntry' })
const Listed = Type.Partial(EntrySchema, { $id: 'EntryFields' })
const listHeaders = ['Link', ...read]
/** Drawn from all of a dictionary. */
const filling = Type.Optional(FillingSchema)
/** Of what is kept and given again: its tag is that of its content. */
const keptHeaders = ['ETag', FILLING, ...listHeaders]

const total = {
  total: Type.Optional(Type.Integer({ minimum: 0 })),
  totalRelation: Type.Optional(Type.Enum(['eq', 'gte'])),
}

export const itemAnswer: Documented = {
  description: 'The entry.',
  schema: ShownEntry,
  example: entryExample('published', '2'),
  headers: ['ETag', ...read],
}
export const drawnAnswer: Documented = {
  ...itemAnswer,
  schema: Type.Object({ ...NamedEntry.properties, filling }, { $id: 'DrawnEntry' }),
  headers: ['ETag', FILLING, ...read],
}
export const listAnswer: Documented = {
  description: 'A page.',
  schema: Type.Object({ items: Type.Array(Listed), next, names, filling, ...total }, { $id: 'EntryPage' }),
  example: listExample,
  headers: keptHeaders,
}
export const historyAnswer: Documented = {
  description: 'A page, newest first.',
  schema: Type.Object({ items: Type.Array(HistoryItem), next, names }, { $id: 'EntryHistory' }),
  example: historyExample,
  headers: listHeaders,
}

/** As the query declares it. */
export const searchAnswer = (output: TSchema): Documented => ({
  description: 'A page, best layer first.',
  schema: output,
  example: searchExample,
  headers: keptHeaders,
})
const suggested: JsonObject = {
  items: [{ ...ofExample, lemma: 'serendipity', language: 'en', partOfSpeech: 'noun' }],
}
export const suggestAnswer = (output: TSchema): Documented => ({
  description: 'Completions, most used first.',
  schema: output,
  example: suggested,
  headers: ['ETag', FILLING, ...read],
})
