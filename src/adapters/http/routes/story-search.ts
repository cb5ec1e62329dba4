/** The route of the search of stories. */
import Type, { type TSchema } from 'typebox'
import { defined } from '../../../domain/defined.ts'
import type { JsonObject } from '../../../domain/event.ts'
import { LONGEST_WORD } from '../../../domain/text/text.ts'
import type { searchStories } from '../../../queries/story-search.ts'
import type { Edge } from '../edge.ts'
import type { Documented, Route } from '../route.ts'
import { pageRoute } from '../route-query.ts'
import { languageOf, timeOf } from './entry-parameters.ts'
import { storyExample } from './story-answers.ts'
import { ListStoriesQuery } from './story-parameters.ts'

const { series: _s, sort: _o, fields: _f, limit: _l, ...filters } = ListStoriesQuery.properties
const SearchStoriesQuery = Type.Object(
  {
    q: Type.String({
      minLength: 1,
      maxLength: 2 * LONGEST_WORD,
      description: 'Words, 12 at most; signs say nothing.',
    }),
    ...filters,
    limit: Type.Optional(
      Type.Integer({ minimum: 1, maximum: 50, description: 'Items a page at most, 20 by default; go by `next`.' }),
    ),
  },
  { additionalProperties: false, explode: false },
)

const example: JsonObject = {
  items: [
    {
      story: storyExample,
      matched: 'text',
      covered: 1,
      chapterId: '7a6b5c4d-3e2f-5a1b-9c8d-0e1f2a3b4c5d',
      highlights: [{ pointer: '/text', text: 'The sea was *calm*.', ranges: [{ start: 4, end: 7 }] }],
    },
  ],
  next: null,
}
const answer = (output: TSchema): Documented => ({
  description: 'A page: what is called so first, then what is told so, then what is written so.',
  schema: output,
  example,
  headers: ['Link', 'Sync-Token'],
})

export const storySearchRoute = (query: ReturnType<typeof searchStories>, edge: Edge): Route =>
  pageRoute(
    {
      tag: 'Stories',
      path: '/v1/search/stories',
      summary: 'Search stories',
      description: 'By title, tags, summary and the text of published chapters; each story once.',
      rate: 'search',
      querystring: SearchStoriesQuery,
      query,
      input: ({ query: { cursor: _c, language, updatedSince, ...rest }, limit, after }) => ({
        ...rest,
        ...defined({
          language: language && languageOf(language),
          updatedSince: updatedSince && timeOf('updatedSince', updatedSince).toISOString(),
          after,
        }),
        limit,
      }),
      request: { query: { q: 'calm sea', language: 'en' } },
      answers: { 200: answer(query.output) },
      problems: ['text-invalid'],
    },
    edge,
  )
