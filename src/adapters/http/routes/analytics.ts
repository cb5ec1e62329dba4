/** The figures of the dictionary, for those who may see who did how much. */

import Type from 'typebox'
import { defined } from '../../../domain/defined.ts'
import type { Json } from '../../../domain/event.ts'
import { DAY, UUID } from '../../../domain/forms.ts'
import { type analytics, analyticsGroups, FiguresSchema } from '../../../queries/analytics.ts'
import type { Documented, Route } from '../route.ts'
import { pageRoute, type QueryDeps } from '../route-query.ts'
import * as p from './entry-parameters.ts'

const day = (description: string) => Type.Optional(Type.String({ pattern: DAY, description }))

const AnalyticsQuery = Type.Object(
  {
    from: day('The first day, UTC.'),
    to: day('The last day, UTC, included.'),
    language: Type.Optional(Type.String({ minLength: 1, maxLength: 35, description: 'BCP 47, such as en or pt-BR.' })),
    contributor: Type.Optional(Type.String({ pattern: UUID, description: 'The id of an account or a service.' })),
    group: Type.Optional(
      Type.Array(Type.Enum([...analyticsGroups]), {
        uniqueItems: true,
        description: 'One item a day and language, contributor, or both, by commas.',
      }),
    ),
    limit: Type.Optional(
      Type.Integer({ minimum: 1, maximum: 100, description: 'Items a page at most, 20 by default; go by `next`.' }),
    ),
    cursor: Type.Optional(Type.String({ minLength: 1, maxLength: 4096, description: '`next` of the page before.' })),
  },
  { additionalProperties: false, explode: false },
)

const example: Json = {
  items: [
    {
      day: '2026-11-23',
      entries: {
        drafted: 12,
        edited: 30,
        submitted: 9,
        returned: 2,
        published: 7,
        retired: 1,
        restored: 0,
        reverted: 1,
        takenOver: 0,
        removed: 0,
      },
      imported: 0,
      searches: {
        total: 845,
        matched: {
          exact: 610,
          case: 12,
          accent: 8,
          form: 71,
          stem: 40,
          prefix: 22,
          wildcard: 5,
          fuzzy: 41,
          definition: 19,
        },
        nothing: 17,
      },
    },
  ],
  next: null,
}

const answer: Documented = {
  description: 'A page, oldest day first. A day on which nothing was counted has no item.',
  schema: Type.Object(
    { items: Type.Array(FiguresSchema), next: Type.Union([Type.String(), Type.Null()]) },
    { $id: 'FiguresPage' },
  ),
  example,
  headers: ['Link', 'Sync-Token'],
}

/** Both are texts of one length, so that they compare as days do. */
const inOrder = (from: string | undefined, to: string | undefined): void => {
  if (from !== undefined && to !== undefined && from > to) throw p.invalid('from', 'from is a day after to.')
}

export const analyticsRoutes = (query: ReturnType<typeof analytics>, edge: QueryDeps): readonly Route[] => [
  pageRoute(
    {
      tag: 'Analytics',
      path: '/v1/analytics',
      summary: 'What was done and searched, by the day',
      description:
        'Imports and searches are counted by the day alone. Searches come in batches: those of the last half minute may not be in it yet.',
      querystring: AnalyticsQuery,
      query,
      input: ({ query: { cursor: _, from, to, language, contributor, group }, limit, after }) => {
        const days = defined({ from: from && p.dateOf('from', from), to: to && p.dateOf('to', to) })

        inOrder(from, to)
        return {
          ...days,
          ...defined({ language: language && p.languageOf(language), contributor: contributor?.toLowerCase(), after }),
          group: group ?? [],
          limit,
        }
      },
      request: { query: { from: '2026-11-01', to: '2026-11-30' } },
      answers: { 200: answer },
      problems: [],
    },
    edge,
  ),
]
