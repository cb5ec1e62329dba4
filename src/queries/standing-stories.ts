/**
 * Stories by their ids as they stand in their streams now, for lists that were found otherwise: what a reader may no longer see is
 * gone from all of them at once, however far the read models are.
 */
import Type from 'typebox'
import type { Transactor } from '../core/write/transact.ts'
import type { StoryEvent } from '../domain/story/events.ts'
import { isListedFor, type Seen, storySight, type Viewer } from '../domain/story/sight.ts'
import { type Story, type StoryState, storyStream, wordsOf } from '../domain/story/story.ts'
import { isForAdults, RatingSchema } from '../domain/story/terms.ts'
import type { People } from '../projections/people.ts'

export type StandingStories = {
  readonly stories: Pick<Transactor<StoryState, StoryEvent>, 'load'>
  readonly people: Pick<People, 'wantsAdult' | 'listsFor'>
}

/** Each that there is; of those that are not, nothing. */
export const standingStories = async (
  { stories }: Pick<StandingStories, 'stories'>,
  ids: readonly string[],
): Promise<ReadonlyMap<string, Story>> => {
  const loaded = await Promise.all(
    [...new Set(ids)].map(async id => [id, (await stories.load(storyStream(id))).state] as const),
  )
  return new Map(loaded.flatMap(([id, story]) => (story && !story.isDeleted ? [[id, story] as const] : [])))
}

/** What of a story stands in a list of what somebody keeps. */
export const StoryBriefSchema = Type.Object(
  {
    title: Type.String(),
    language: Type.String(),
    authors: Type.Array(Type.String(), { description: 'Ids of accounts.' }),
    rating: RatingSchema,
    completed: Type.Boolean(),
    words: Type.Integer(),
    updatedAt: Type.String({ format: 'date-time' }),
  },
  { $id: 'StoryBrief' },
)
export type StoryBrief = {
  readonly title: string
  readonly language: string
  readonly authors: readonly string[]
  readonly rating: string
  readonly completed: boolean
  readonly words: number
  readonly updatedAt: string
}

export const briefOf = (story: Story): StoryBrief => ({
  title: story.title,
  language: story.language,
  authors: story.authors,
  rating: story.rating,
  completed: story.isCompleted,
  words: wordsOf(story),
  updatedAt: story.updatedAt,
})

/** What one keeps of a story, for oneself: `gone` where it may no longer be seen, whatever the reason, and nothing else of it then. */
export const GoneOr = { story: Type.Optional(StoryBriefSchema), gone: Type.Optional(Type.Literal(true)) }
export type GoneOrBrief = { readonly story?: StoryBrief; readonly gone?: true }

/** May it be shown to those who asked for something else, and did not say that they want what is for adults? */
export const isShownTo = (story: Seen, viewer: Viewer): boolean => {
  const sight = storySight(story, viewer)
  return sight === 'authored' || (sight !== 'nothing' && (!isForAdults(story) || viewer.adult === true))
}

/** As its owner finds it in what they keep: also what is unlisted, whose id they have. */
export const keptBy = (story: Story | undefined, viewer: Viewer): GoneOrBrief =>
  story && isShownTo(story, viewer) ? { story: briefOf(story) } : { gone: true }

/** As others find it in what somebody keeps: only what they could find without it. */
export const listedFor = (story: Story | undefined, viewer: Viewer): GoneOrBrief =>
  story && isListedFor(story, viewer) ? { story: briefOf(story) } : { gone: true }

/** The people that items name beside themselves. */
export const peopleInBrief = (shown: unknown): readonly string[] => {
  if (typeof shown !== 'object' || shown === null) return []
  const { story, accountId, owner } = { story: undefined, accountId: undefined, owner: undefined, ...shown }
  const authors = typeof story === 'object' && story !== null && 'authors' in story ? story['authors'] : []
  return [accountId, owner, ...(Array.isArray(authors) ? authors : [])].flatMap((id: unknown) =>
    typeof id === 'string' ? [id] : [],
  )
}
