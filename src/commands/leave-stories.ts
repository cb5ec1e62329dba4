/**
 * What becomes of stories when the account of an author is erased. What others write too goes on under "former author"; what is theirs alone
 * goes on so where they wished that what they wrote stays, and is deleted otherwise. Done before the account's key is destroyed, and
 * again from the start where a process ended in the middle.
 */
import type { Envelope, Transactor } from '../core/write/transact.ts'
import type { ContentChoice } from '../domain/account/erasure-events.ts'
import { isRefusal, type Refusal } from '../domain/refusal.ts'
import { orphanOf, uninvite } from '../domain/story/authors.ts'
import { deleteWithAuthor } from '../domain/story/decisions.ts'
import type { StoryEvent } from '../domain/story/events.ts'
import { deleteSeriesOf, type SeriesEvent, type SeriesState } from '../domain/story/series.ts'
import type { StoryState } from '../domain/story/story.ts'
import type { Belongings } from './belongings.ts'

export type LeavingDeps = {
  readonly stories: Pick<Transactor<StoryState, StoryEvent>, 'load' | 'run'>
  readonly series: Pick<Transactor<SeriesState, SeriesEvent>, 'run'>
}

/** Who is erased, and what they wished for what they wrote. */
export type Leaving = Pick<Belongings, 'stories' | 'series'> & {
  readonly accountId: string
  readonly content: ContentChoice
}

/** Nobody else could ever see it: there is nothing to leave behind. */
const isUnseen = (story: StoryState): boolean => !story?.isPublished || story.visibility === 'private'

/** `by`: an envelope of its own for each command. */
export const leaveStories = async (
  deps: LeavingDeps,
  { accountId, content, stories, series }: Leaving,
  by: () => Envelope,
): Promise<'done' | Refusal> => {
  for (const stream of stories) {
    const { state: story } = await deps.stories.load(stream)
    if (!story || story.isDeleted) continue
    const isTheirs = story.authors.every(author => author === accountId)
    const isDeleted = isTheirs && (content === 'anonymised' || isUnseen(story))
    for (const decide of [uninvite(accountId), isDeleted ? deleteWithAuthor(accountId) : orphanOf(accountId)]) {
      const result = await deps.stories.run(stream, decide, by())
      if (isRefusal(result)) return result
    }
  }
  for (const stream of series) {
    const deleted = await deps.series.run(stream, deleteSeriesOf(accountId), by())
    if (isRefusal(deleted)) return deleted
  }
  return 'done'
}
