/**
 * What becomes of stories when the account of an author is erased. What others write too goes on under "former author"; what is theirs alone
 * goes on so where they wished that what they wrote stays, and is deleted otherwise. Done before the account's key is destroyed, and
 * again from the start where a process ended in the middle.
 */
import type { Log } from '../core/log/log.ts'
import type { Envelope, Transactor } from '../core/write/transact.ts'
import type { ContentChoice } from '../domain/account/erasure-events.ts'
import { isRefusal, type Refusal } from '../domain/refusal.ts'
import { orphanOf, uninvite } from '../domain/story/authors.ts'
import { deleteWithAuthor } from '../domain/story/decisions.ts'
import { AuthorInvited, StoryBegun, type StoryEvent } from '../domain/story/events.ts'
import { deleteSeriesOf, SeriesBegun, type SeriesEvent, type SeriesState } from '../domain/story/series.ts'
import type { StoryState } from '../domain/story/story.ts'
import { sinceAccount } from './since-account.ts'

export type LeavingDeps = {
  readonly stories: Pick<Transactor<StoryState, StoryEvent>, 'load' | 'run'>
  readonly series: Pick<Transactor<SeriesState, SeriesEvent>, 'run'>
  readonly log: Pick<Log, 'readStream' | 'readFrom'>
}

/** Who is erased, and what they wished for what they wrote. */
export type Leaving = { readonly accountId: string; readonly content: ContentChoice }

type Streams = { readonly stories: ReadonlySet<string>; readonly series: ReadonlySet<string> }

/** Those that the account began or was invited to. */
const streamsOf = async ({ log }: LeavingDeps, accountId: string): Promise<Streams> => {
  const [stories, series] = [new Set<string>(), new Set<string>()]
  const types = [StoryBegun.type, AuthorInvited.type, SeriesBegun.type]
  for await (const { type, stream, data } of sinceAccount(log, accountId, types)) {
    if (data['author'] !== accountId && data['account'] !== accountId) continue
    if (type === SeriesBegun.type) series.add(stream)
    else stories.add(stream)
  }
  return { stories, series }
}

/** Nobody else could ever see it: there is nothing to leave behind. */
const isUnseen = (story: StoryState): boolean => !story?.isPublished || story.visibility === 'private'

/** `by`: an envelope of its own for each command. */
export const leaveStories = async (
  deps: LeavingDeps,
  { accountId, content }: Leaving,
  by: () => Envelope,
): Promise<'done' | Refusal> => {
  const { stories, series } = await streamsOf(deps, accountId)
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
