/** Every route of the service, each with its command or query. */
import * as commands from '../../commands/entries.ts'
import { defined } from '../../domain/defined.ts'
import { NO_MARK } from '../../domain/mark.ts'
import type { HttpDeps } from './deps.ts'
import { draftExample, ofExample } from './examples.ts'
import type { Limits } from './limits.ts'
import type { ProblemCode } from './problems.ts'
import type { Route } from './route.ts'
import { type CommandDeps, commandRoute } from './route-command.ts'
import { itemRoute, pageRoute, type QueryDeps } from './route-query.ts'
import { accountRoutes } from './routes/accounts.ts'
import { administrationRoutes } from './routes/administration.ts'
import { analyticsRoutes } from './routes/analytics.ts'
import { openAsOf } from './routes/as-of.ts'
import { blockRoutes } from './routes/blocks.ts'
import * as answers from './routes/entry-answers.ts'
import * as p from './routes/entry-parameters.ts'
import { exportRoute } from './routes/export.ts'
import { historyRoutes } from './routes/history.ts'
import { liveRoutes } from './routes/live.ts'
import { openIdRoutes } from './routes/openid.ts'
import { operationRoutes } from './routes/operations.ts'
import { ownDataRoutes } from './routes/own-data.ts'
import { peopleRoutes } from './routes/people.ts'
import { profileRoutes } from './routes/profile.ts'
import { publicProfileRoute } from './routes/public-profile.ts'
import { securityTextRoute } from './routes/security-text.ts'
import type { SessionCookies } from './session-cookies.ts'

export type RouteDeps = CommandDeps &
  QueryDeps & { readonly limits: Limits; readonly isClosing: () => boolean } & {
    readonly cookies: SessionCookies
  }

const tag = 'Dictionary'
const onEntry = { tag, params: p.EntryParams }
const absent = ['entry-not-found', 'entry-removed'] as const satisfies readonly ProblemCode[]
const unseen = [...absent, 'entry-gone'] as const satisfies readonly ProblemCode[]
const texts = ['text-invalid', 'language-unknown', 'sense-unknown', 'sense-repeated'] as const

const entryCommands = (deps: HttpDeps, edge: RouteDeps): readonly Route[] => {
  const transactor = deps.entries
  const tagOf = answers.openEntryTags(deps.version)
  const changed = answers.answerEntry(200, tagOf, deps.names)
  const life = { ...onEntry, transactor, answer: changed }
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
        answer: answers.answerEntry(201, tagOf, deps.names),
        request: { body: draftExample },
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
        request: { params: ofExample, body: { categories: ['discovery'] } },
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
        request: { params: ofExample, body: {} },
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
        request: { params: ofExample, body: {} },
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
        request: { params: ofExample, body: { reason: 'Give an example.' } },
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
        request: { params: ofExample, body: { reason: 'A duplicate.' } },
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
        request: { params: ofExample, body: { reason: 'No duplicate after all.' } },
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
        request: { params: ofExample, body: { toRevision: '0' } },
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
        request: { params: ofExample, body: {} },
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
        request: { params: ofExample, body: { ground: 'privacy' } },
        answers: { 200: answers.removedAnswer },
        problems: ['entry-not-found'],
      },
      edge,
    ),
  ]
}

const entryQueries = ({ queries, ...deps }: HttpDeps, edge: RouteDeps): readonly Route[] => {
  const tagOf = answers.openEntryTags(deps.version)
  const asOf = openAsOf(deps, edge)
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
        request: { params: ofExample },
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
        request: { query: { language: 'en', limit: '2' } },
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
        request: { params: ofExample },
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

        request: { query: { q: 'serendipty' } },
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

        request: { query: { q: 'seren' } },
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
        request: { query: { language: 'en', seed: 'monday' } },
        answers: { 200: answers.itemAnswer },
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
        request: { query: { language: 'en' } },
        answers: { 200: answers.itemAnswer },
        problems: ['day-unknown'],
      },
      edge,
    ),
    exportRoute({ ...edge, exportEntries: queries.exportEntries }),
  ]
}

export const routes = (deps: HttpDeps, edge: RouteDeps): readonly Route[] => [
  ...entryCommands(deps, edge),
  ...entryQueries(deps, edge),
  ...analyticsRoutes(deps, edge),
  ...historyRoutes({ ...edge, ...deps.history }),
  ...operationRoutes(deps, edge.isClosing),
  securityTextRoute(deps),
  ...(deps.identity ? accountRoutes(deps.identity, edge.cookies) : []),
  ...(deps.administration && deps.identity ? administrationRoutes(deps.administration, deps.identity.stepUp) : []),
  ...(deps.ownData && deps.identity
    ? ownDataRoutes({
        types: deps.history.types,
        ...edge,
        ownData: deps.ownData,
        stepUp: deps.identity.stepUp,
        readings: deps.history.readings,
      })
    : []),
  ...(deps.people ? peopleRoutes(deps.people, { ...edge, types: deps.history.types }) : []),
  ...(deps.blocks ? blockRoutes(deps.blocks.port, edge) : []),
  ...(deps.profile ? [...profileRoutes(deps.profile, edge), publicProfileRoute(deps.profile)] : []),
  ...(deps.openId && deps.identity ? openIdRoutes(deps.openId, edge.cookies, deps.identity.stepUp) : []),
  ...(deps.live ? liveRoutes(deps.live, deps.authority, deps.settings) : []),
]
