/**
 * The stories as they stand, by id: what GET, lists, counts of tags and the joins of all that names a story read. Folded of what happens to
 * a story and of how it is rated, so that lists are sorted by that under the same filters as by all else.
 */

import { projection } from '../core/project/define.ts'
import { defined } from '../domain/defined.ts'
import type { Recorded } from '../domain/event.ts'
import { markOf } from '../domain/mark.ts'
import { tagKey } from '../domain/story/content.ts'
import { StoryDeleted, type StoryEvent, storyEvents } from '../domain/story/events.ts'
import { evolveStory, type Story, storyCategory, storyIdOf, wordsOf } from '../domain/story/story.ts'
import { isForAdults } from '../domain/story/terms.ts'
import { sortKey } from '../domain/text/text.ts'
import { boundOf, noStars, type StarCounts } from '../domain/votes/figures.ts'
import { type VotesEvent, votesCategory } from '../domain/votes/votes.ts'
import type { Indexes } from '../ports/read-store.ts'
import { countsAfter, isVotesEvent, stepsOf } from './ratings.ts'

/** In which lists a story is: of everybody, of members, each with what is for adults apart; `none`: in those of its authors alone. */
export const listings = ['public', 'public-adult', 'members', 'members-adult'] as const
export type Listing = (typeof listings)[number] | 'none'

/** `titleKey`, `tagKeys` and `listing` are ASCII, so that every engine finds and sorts alike. */
export type StoryDocument = Story & {
  /** Revision of the story's stream, for ETag and If-Match. */
  readonly revision: string
  /** Of the event that led to the revision (src/domain/mark.ts). */
  readonly mark: string
  readonly listing: Listing
  readonly titleKey: string
  readonly tagKeys: readonly string[]
  /** All of them in one, each after a TAB, for counts that read the index alone. */
  readonly tagLine: string
  /** Of the published chapters. */
  readonly words: number
  /** How many gave it one star, two, and so on to five. */
  readonly stars: StarCounts
  /** What they come to, in millionths of a star: `boundOf`. */
  readonly rated: number
}

export const listingOf = (story: Pick<Story, 'isPublished' | 'visibility' | 'rating'>): Listing => {
  const { isPublished, visibility } = story
  if (!isPublished || (visibility !== 'public' && visibility !== 'members')) return 'none'
  return isForAdults(story) ? `${visibility}-adult` : visibility
}

const orders = ['updatedAt', 'publishedAt', 'words', 'titleKey', 'rated'] as const
export type StoryOrder = (typeof orders)[number]
const capital = (order: string): string => order.slice(0, 1).toUpperCase() + order.slice(1)

/** Each order under all that is listed, a language, a tag, an author. The id ends every key. */
const indexes: Indexes = [
  ...orders.flatMap(order => [
    { name: order, on: ['listing', order] },
    { name: `language${capital(order)}`, on: ['listing', 'language', order] },
    { name: `tag${capital(order)}`, on: ['listing', 'tagKeys', order], terms: 'tagKeys', narrow: true as const },
    { name: `author${capital(order)}`, on: ['listing', 'authors', order], terms: 'authors', narrow: true as const },
  ]),
  { name: 'tags', on: ['listing', 'language', 'tagLine'] },
  { name: 'own', on: ['authors', 'updatedAt'], terms: 'authors' },
  { name: 'invited', on: ['invited', 'updatedAt'], terms: 'invited' },
]

const types: ReadonlySet<string> = new Set(storyEvents.map(({ type }) => type))
export const isStoryEvent = (event: Recorded): event is Recorded<StoryEvent> => types.has(event.type)

/** As they stand in `tagLine`; none of them has a TAB. */
export const tagKeysIn = (line: string): readonly string[] => line.split('\t').filter(key => key !== '')

const tagKeysOf = ({ tags }: Pick<Story, 'tags'>): readonly string[] => tags.map(tagKey)

export const storyDocument = (
  story: Story,
  { revision, mark, stars = noStars }: Pick<StoryDocument, 'revision' | 'mark'> & { readonly stars?: StarCounts },
): StoryDocument => ({
  ...story,
  revision,
  mark,
  listing: listingOf(story),
  titleKey: sortKey(story.title),
  tagKeys: tagKeysOf(story),
  tagLine: tagKeysOf(story)
    .map(key => `\t${key}`)
    .join(''),
  words: wordsOf(story),
  stars,
  rated: boundOf(stars),
})

/** Of a story that is not there, or no longer, nothing is counted. */
const ratedBy = (
  document: StoryDocument | undefined,
  event: Recorded<VotesEvent>,
  id: string,
): StoryDocument | undefined => {
  if (!document) return undefined
  const stars = countsAfter(document.stars, event, { kind: 'story', target: id })
  return { ...document, stars, rated: boundOf(stars) }
}

export const storiesProjection = projection<StoryDocument>({
  name: 'stories',
  version: 2,
  categories: [storyCategory, votesCategory],
  removals: [StoryDeleted.type],
  indexes,
  key: event =>
    isVotesEvent(event)
      ? stepsOf(event).flatMap(({ kind, target }) => (kind === 'story' ? [target] : []))
      : storyIdOf(event),
  evolve: (document, event, id) => {
    if (isVotesEvent(event)) return ratedBy(document, event, id)
    if (!isStoryEvent(event)) return document
    const story = evolveStory(document, event)
    if (!story || story.isDeleted) return undefined
    const mark = markOf(event.id, event.meta.at)
    return storyDocument(story, { revision: String(event.revision), mark, ...defined({ stars: document?.stars }) })
  },
})
