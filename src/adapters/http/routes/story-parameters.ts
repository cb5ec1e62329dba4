/** Path and query parameters of the routes of stories. */
import Type, { type TSchema } from 'typebox'
import { UUID } from '../../../domain/forms.ts'
import { ratings, storyLimits, warnings } from '../../../domain/story/terms.ts'
import { seriesSorts } from '../../../queries/series-lists.ts'
import { storySorts } from '../../../queries/story-lists.ts'
import { StorySchema } from '../../../queries/story-view.ts'

/** Anything else is no story: 404, not 400. */
export const StoryParams = Type.Object({ id: Type.String({ pattern: UUID, description: 'The id of the story.' }) })
export const InvitationParams = Type.Object({
  ...StoryParams.properties,
  accountId: Type.String({ pattern: UUID, description: 'The id of the account that was invited.' }),
})
export const SeriesParams = Type.Object({ id: Type.String({ pattern: UUID, description: 'The id of the series.' }) })

const query = <P extends Record<string, TSchema>>(properties: P) =>
  Type.Object(properties, { additionalProperties: false, explode: false })
const id = (description: string) => Type.Optional(Type.String({ pattern: UUID, description }))
const limit = Type.Optional(
  Type.Integer({ minimum: 1, maximum: 100, description: 'Items a page at most, 20 by default; go by `next`.' }),
)
const cursor = Type.Optional(Type.String({ description: '`next` of the page before.', minLength: 1, maxLength: 4096 }))
const language = Type.Optional(
  Type.String({ description: 'BCP 47, such as en or pt-BR.', minLength: 1, maxLength: 35 }),
)
const adult = Type.Optional(Type.Boolean({ description: 'true: what is for adults is shown as well.' }))
const fields = Type.Optional(
  Type.Array(Type.Enum(Object.keys(StorySchema.properties)), {
    uniqueItems: true,
    description: 'Members to answer with, by commas or a parameter each.',
  }),
)
const tags = (description: string) =>
  Type.Optional(
    Type.Array(Type.String({ minLength: 1, maxLength: 2 * storyLimits.tag }), { maxItems: 20, description }),
  )
const words = (description: string) => Type.Optional(Type.Integer({ minimum: 0, maximum: 1_000_000_000, description }))
const warned = (description: string) =>
  Type.Optional(Type.Array(Type.Enum([...warnings]), { uniqueItems: true, description }))

export const GetStoryQuery = query({ adult, fields })
export const StoryHistoryQuery = query({ adult, limit, cursor })
export const StoryWordsQuery = query({ chapter: id('The id of a chapter: of this one alone.'), adult, limit, cursor })
export const EntryStoriesQuery = query({ limit, cursor })
export const OwnStoriesQuery = query({ limit, cursor, fields })
export const OwnInvitationsQuery = query({ limit, cursor })
const storyFilters = {
  language,
  tag: tags('Tags that it has, all of them, in any case.'),
  withoutTag: tags('Tags that it has none of.'),
  rating: Type.Optional(Type.Array(Type.Enum([...ratings]), { uniqueItems: true, description: 'One of these.' })),
  warning: warned('Warnings that it has, all of them.'),
  withoutWarning: warned('Warnings that it has none of.'),
  completed: Type.Optional(Type.Boolean()),
  minWords: words('Words of its published chapters, at least.'),
  maxWords: words('Words of its published chapters, at most.'),
  updatedSince: Type.Optional(Type.String({ description: 'A time (RFC 3339).', minLength: 1, maxLength: 40 })),
}
export const ListStoriesQuery = query({
  ...storyFilters,
  author: id('The id of an author.'),
  series: id('The id of a series: its stories, in its order, whatever `sort` says.'),
  sort: Type.Optional(Type.Enum([...storySorts])),
  limit,
  cursor,
  fields,
})
/** Filters of stories: a series is listed of which one story fits them all. */
export const ListSeriesQuery = query({
  ...storyFilters,
  author: id('The id of who made it.'),
  sort: Type.Optional(Type.Enum([...seriesSorts])),
  limit,
  cursor,
})
export const ListTagsQuery = query({
  language,
  q: Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: 2 * storyLimits.tag,
      description: 'The beginning of a tag, in any case.',
    }),
  ),
  limit,
  cursor,
})
export const NoQuery = query({})
