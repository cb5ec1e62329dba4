/** The dictionary: every route of entries, each with its command or query. */
import * as commands from '../../../commands/entries.ts'
import type { Transactor } from '../../../core/write/transact.ts'
import { defined } from '../../../domain/defined.ts'
import type { EntryEvent } from '../../../domain/entry/events.ts'
import type { EntryState } from '../../../domain/entry/state.ts'
import { NO_MARK } from '../../../domain/mark.ts'
import type { wordOfTheDay } from '../../../queries/days.ts'
import { type entryHistory, type getEntry, notFound } from '../../../queries/entries.ts'
import type { randomEntry } from '../../../queries/entry-draw.ts'
import type { exportEntries } from '../../../queries/entry-export.ts'
import type { listEntries } from '../../../queries/entry-lists.ts'
import type { searchEntries, suggestEntries } from '../../../queries/search-entries.ts'
import type { Edge, Routes } from '../edge.ts'
import { anyRevision, draftExample, exampleKey, ofExample } from '../examples.ts'
import type { Route } from '../route.ts'
import { commandRoute } from '../route-command.ts'
import { itemRoute, pageRoute } from '../route-query.ts'
import { openAsOf } from './as-of.ts'
import * as answers from './entry-answers.ts'
import * as p from './entry-parameters.ts'
import { exportRoute } from './export.ts'

export type EntryQueries = {
  readonly getEntry: ReturnType<typeof getEntry>
  readonly listEntries: ReturnType<typeof listEntries>
  readonly entryHistory: ReturnType<typeof entryHistory>
  readonly randomEntry: ReturnType<typeof randomEntry>
  readonly wordOfTheDay: ReturnType<typeof wordOfTheDay>
  readonly exportEntries: ReturnType<typeof exportEntries>
  readonly searchEntries: ReturnType<typeof searchEntries>
  readonly suggestEntries: ReturnType<typeof suggestEntries>
}

/** What the routes of entries stand on. */
export type EntryParts = {
  readonly transactor: Transactor<EntryState, EntryEvent>
  readonly queries: EntryQueries
}

const tag = 'Dictionary'
const onEntry = { tag, params: p.EntryParams }
const absent = ['entry-not-found', 'entry-removed'] as const
const unseen = [...absent, 'entry-gone'] as const
const texts = ['text-invalid', 'language-unknown', 'sense-unknown', 'sense-repeated'] as const

const entryCommands = ({ transactor }: EntryParts, edge: Edge): readonly Route[] => {
  const tagOf = answers.openEntryTags(edge.version)
  const changed = answers.answerEntry(200, tagOf, edge.names)
  const life = { ...onEntry, transactor, answer: changed, absent: notFound() }
  return [
    commandRoute(
      {
        method: 'POST',
        path: '/v1/entries',
        tag,
        summary: 'Draft an entry',
        description: 'Language, lemma, part of speech and homograph are its identity and never change.',
        command: commands.draftEntry,
        transactor,
        answer: answers.answerEntry(201, tagOf, edge.names),
        request: { headers: exampleKey, body: draftExample },
        answers: { 201: answers.createdAnswer },
        problems: ['entry-exists', 'entry-removed', ...texts],
      },
      edge,
    ),
    commandRoute(
      {
        ...life,
        method: 'PATCH',
        path: '/v1/entries/:id',
        summary: 'Edit an entry',
        description:
          'A JSON Merge Patch (RFC 7396) over the editable members. senses is replaced whole: a known id is kept, no id is a new sense, an omitted one is removed.',
        command: commands.editEntry,
        request: { after: 'draft-entry', headers: anyRevision, params: ofExample, body: { categories: ['discovery'] } },
        answers: { 200: answers.entryAnswer('The entry after the edit.', 'draft', '1') },
        problems: [...absent, ...texts, 'identity-fixed', 'read-only-member', 'entry-retired'],
      },
      edge,
    ),
    commandRoute(
      {
        ...life,
        method: 'POST',
        path: '/v1/entries/:id/submit',
        summary: 'Submit a draft for review',
        command: commands.submitEntry,
        request: { after: 'edit-entry', params: ofExample, body: {} },
        answers: { 200: answers.entryAnswer('The submitted entry.', 'submitted', '1') },
        problems: [...absent, 'entry-not-draft', 'entry-incomplete'],
      },
      edge,
    ),
    commandRoute(
      {
        ...life,
        method: 'POST',
        path: '/v1/entries/:id/publish',
        summary: 'Publish an entry',
        command: commands.publishEntry,
        request: { after: 'take-over-entry', headers: anyRevision, params: ofExample, body: {} },
        answers: { 200: answers.entryAnswer('The published entry.', 'published', '2') },
        problems: [...absent, 'entry-retired', 'entry-incomplete'],
      },
      edge,
    ),
    commandRoute(
      {
        ...life,
        method: 'POST',
        path: '/v1/entries/:id/return',
        summary: 'Return a submitted entry to its author',
        command: commands.returnEntry,
        request: { after: 'submit-entry', params: ofExample, body: { reason: 'Give an example.' } },
        answers: { 200: answers.entryAnswer('The draft again.', 'draft', '2') },
        problems: [...absent, 'entry-not-submitted', 'reason-required', 'text-invalid'],
      },
      edge,
    ),
    commandRoute(
      {
        ...life,
        method: 'POST',
        path: '/v1/entries/:id/retire',
        summary: 'Retire a published entry',
        command: commands.retireEntry,
        request: { after: 'revert-entry', params: ofExample, body: { reason: 'A duplicate.' } },
        answers: { 200: answers.entryAnswer('The retired entry.', 'retired', '3') },
        problems: [
          ...absent,

          'entry-not-published',
          'entry-retired',
          'reason-required',
          'text-invalid',
          'replacement-unknown',
        ],
      },
      edge,
    ),
    commandRoute(
      {
        ...life,
        method: 'POST',
        path: '/v1/entries/:id/restore',
        summary: 'Restore a retired entry',

        command: commands.restoreEntry,
        request: { after: 'retire-entry', params: ofExample, body: { reason: 'No duplicate after all.' } },
        answers: { 200: answers.entryAnswer('The published entry.', 'published', '4') },
        problems: [...absent, 'entry-not-retired', 'reason-required', 'text-invalid'],
      },
      edge,
    ),
    commandRoute(
      {
        ...life,
        method: 'POST',
        path: '/v1/entries/:id/revert',
        summary: 'Go back to an old content',
        description: 'Writes a new revision with the content of toRevision; nothing is lost.',
        command: commands.revertEntry,
        request: { after: 'publish-entry', headers: anyRevision, params: ofExample, body: { toRevision: '0' } },
        answers: { 200: answers.entryAnswer('The entry with its old content.', 'published', '4') },
        problems: [...absent, 'revision-unknown', 'entry-retired', 'reason-required', 'text-invalid'],
      },
      edge,
    ),
    commandRoute(
      {
        ...life,
        method: 'POST',
        path: '/v1/entries/:id/take-over',
        summary: 'Take over a draft',
        description: 'A draft untouched for 30 days, or as an editor at any time.',
        command: commands.takeOverEntry,
        request: { as: 'editor', after: 'return-entry', params: ofExample, body: {} },
        answers: { 200: answers.entryAnswer('The draft, now yours.', 'draft', '1') },
        problems: [...absent, 'entry-not-draft', 'entry-not-stale'],
      },
      edge,
    ),
    commandRoute(
      {
        ...life,
        method: 'POST',
        path: '/v1/entries/:id/redact',
        summary: 'Remove the text of an entry for good',
        description: 'Destroys the key that its text is sealed with: nobody can read it again, in no copy of the log.',
        command: commands.redactEntry,
        request: { isLast: true, params: ofExample, body: { ground: 'privacy' } },
        answers: { 200: answers.removedAnswer },
        problems: ['entry-not-found'],
      },
      edge,
    ),
  ]
}

const entryQueries = ({ queries }: EntryParts, edge: Edge): readonly Route[] => {
  const tagOf = answers.openEntryTags(edge.version)
  const asOf = openAsOf(edge)
  return [
    itemRoute(
      {
        ...onEntry,
        path: '/v1/entries/:id',
        summary: 'One entry',
        querystring: p.GetEntryQuery,
        query: queries.getEntry,
        input: async ({ id, query }) => (query.asOf === undefined ? { id } : { id, asOf: await asOf(query.asOf) }),
        etag: ({ value, mark = NO_MARK }, { query }) => (query.asOf === undefined ? tagOf(value, mark) : undefined),
        request: { after: 'publish-entry', params: ofExample },
        answers: { 200: answers.itemAnswer },
        problems: [...unseen, 'as-of-invalid'],
      },
      edge,
    ),
    pageRoute(
      {
        tag,
        path: '/v1/entries',
        summary: 'List entries',
        querystring: p.ListEntriesQuery,
        query: queries.listEntries,
        input: ({ query: { cursor: _c, fields: _f, language, updatedSince, ...filters }, limit, after }) => ({
          ...filters,
          ...defined({
            language: language && p.languageOf(language),
            updatedSince: updatedSince && p.timeOf('updatedSince', updatedSince).toISOString(),
            after,
          }),
          limit,
        }),
        request: { after: 'publish-entry', query: { language: 'en', limit: '2' } },
        answers: { 200: answers.listAnswer },
        problems: [],
      },
      edge,
    ),
    pageRoute(
      {
        ...onEntry,
        path: '/v1/entries/:id/history',
        summary: 'Revisions, newest first',
        querystring: p.HistoryQuery,
        query: queries.entryHistory,
        input: ({ id, limit, after }) => ({ id, limit, ...defined({ after }) }),
        request: { after: 'publish-entry', params: ofExample },
        answers: { 200: answers.historyAnswer },
        problems: unseen,
      },
      edge,
    ),
    pageRoute(
      {
        tag,
        path: '/v1/search',
        summary: 'Search',
        rate: 'search',
        querystring: p.SearchQuery,
        description: 'Each entry once, in the best layer that found it.',
        query: queries.searchEntries,
        input: ({ query: { cursor: _, language, fuzzy, facets, ...rest }, limit, after }) => ({
          ...rest,
          ...defined({ language: language && p.languageOf(language), after }),
          limit,
          facets: facets ?? [],
          fuzzy: p.fuzzyOf(fuzzy),
        }),

        request: { after: 'publish-entry', query: { q: 'serendipty' } },
        answers: { 200: answers.searchAnswer(queries.searchEntries.output) },
        problems: ['pattern-too-broad', 'pattern-invalid', 'text-invalid'],
      },
      edge,
    ),
    itemRoute(
      {
        tag,
        path: '/v1/suggest',
        summary: 'Complete what is typed',
        rate: 'suggest',
        querystring: p.SuggestQuery,
        query: queries.suggestEntries,
        input: ({ query: { q, language, limit } }) => ({
          q,
          limit: limit ?? 20,
          ...defined({ language: language && p.languageOf(language) }),
        }),

        request: { after: 'publish-entry', query: { q: 'seren' } },
        answers: { 200: answers.suggestAnswer(queries.suggestEntries.output) },
        problems: ['pattern-too-broad', 'pattern-invalid', 'text-invalid'],
      },
      edge,
    ),
    itemRoute(
      {
        tag,
        path: '/v1/random',
        summary: 'An entry by chance',
        querystring: p.RandomQuery,
        query: queries.randomEntry,
        input: ({ query: { language, ...rest } }) => ({
          ...rest,
          ...defined({ language: language && p.languageOf(language) }),
        }),
        request: { after: 'publish-entry', query: { language: 'en', seed: 'monday' } },
        answers: { 200: answers.drawnAnswer },
        problems: ['nothing-found'],
      },
      edge,
    ),
    itemRoute(
      {
        tag,
        path: '/v1/word-of-the-day',
        summary: 'The same word for everyone',
        querystring: p.WordOfTheDayQuery,
        query: queries.wordOfTheDay,
        input: ({ query: { language, date } }) => ({
          language: p.languageOf(language ?? 'en'),
          ...defined({ date: date && p.dateOf('date', date) }),
        }),
        request: { after: 'publish-entry', query: { language: 'en' } },
        answers: { 200: answers.drawnAnswer },
        problems: ['day-unknown'],
      },
      edge,
    ),
    exportRoute({ ...edge, exportEntries: queries.exportEntries }),
  ]
}

export const entryRoutes =
  (parts: EntryParts): Routes =>
  edge => [...entryCommands(parts, edge), ...entryQueries(parts, edge)]
