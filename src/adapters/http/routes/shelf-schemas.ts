/** What the routes of shelves take and show, and what their examples name. */
import Type from 'typebox'
import { UUID } from '../../../domain/forms.ts'
import { subscriptionKinds } from '../../../domain/shelf/shelf.ts'

export const tag = 'Stories'
const strict = { additionalProperties: false }
const text = Type.String()
const time = Type.String({ format: 'date-time' })

/** Ids that the examples name. */
export const exampleStory = '3f1c2b9e-5d0a-5c4e-8b7a-6e5d4c3b2a10'
export const exampleChapter = '7a6b5c4d-3e2f-5a1b-9c8d-0e1f2a3b4c5d'
export const exampleAccount = '5d9c68c6-c50e-5d3d-a2a5-1b2c3d4e5f60'
export const at = '2026-01-05T10:00:00.000Z'
export const exampleBrief = {
  title: 'The lighthouse keeper',
  language: 'en',
  authors: [exampleAccount],
  rating: 'general',
  completed: false,
  words: 2400,
  updatedAt: at,
}

export const StoryParams = Type.Object({ id: Type.String({ pattern: UUID, description: 'The id of the story.' }) })
const paging = {
  limit: Type.Optional(
    Type.Integer({ minimum: 1, maximum: 100, description: 'Items a page at most, 20 by default; go by `next`.' }),
  ),
  cursor: Type.Optional(Type.String({ minLength: 1, maxLength: 4096, description: '`next` of the page before.' })),
}
export const PageQuery = Type.Object(paging, strict)
/** Of a story that may be for adults. */
export const OfStoryQuery = Type.Object(
  { ...paging, adult: Type.Optional(Type.Boolean({ description: 'You want to see what is for adults.' })) },
  strict,
)

export const BookmarkBody = Type.Object(
  {
    isPrivate: Type.Optional(Type.Boolean({ description: 'true by default: nobody else sees it.' })),
    note: Type.Optional(Type.Union([Type.String({ description: '5,000 characters at most.' }), Type.Null()])),
  },
  { ...strict, $id: 'Bookmarking' },
)
export const Kept = Type.Object(
  { storyId: text, isPrivate: Type.Boolean(), note: Type.Optional(text), bookmarkedAt: time },
  { $id: 'KeptBookmark' },
)
export const SubscriptionParams = Type.Object({
  kind: Type.Enum([...subscriptionKinds]),
  target: Type.String({
    minLength: 1,
    maxLength: 1_000,
    description: 'The id of the story, the series or the account; of a tag its text.',
  }),
})
export const SubscriptionsQuery = Type.Object(
  { ...paging, kind: Type.Optional(Type.Enum([...subscriptionKinds])) },
  strict,
)
export const Followed = Type.Object(
  { kind: Type.Enum([...subscriptionKinds]), target: text, since: time },
  { $id: 'Followed' },
)
export const ProgressBody = Type.Object(
  {
    chapterId: Type.String({ pattern: UUID }),
    fraction: Type.Number({ minimum: 0, maximum: 1, description: 'Of the chapter that was read.' }),
  },
  { ...strict, $id: 'ProgressMark' },
)
export const Progress = Type.Object(
  { storyId: text, chapterId: text, fraction: Type.Number(), readAt: time },
  { $id: 'MarkedProgress' },
)
