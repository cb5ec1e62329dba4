/**
 * Rating works. What somebody may not see, they cannot rate: to them it is not there. A rating that they have given they may always take
 * away.
 */
import type { Envelope, Result, Transactor } from '../core/write/transact.ts'
import { entryStream } from '../domain/entry/entry.ts'
import type { EntryEvent } from '../domain/entry/events.ts'
import type { EntryState } from '../domain/entry/state.ts'
import { type Refusal, refuse } from '../domain/refusal.ts'
import type { StoryEvent } from '../domain/story/events.ts'
import { storySight, type Viewer } from '../domain/story/sight.ts'
import { type StoryState, storyNotFound, storyStream } from '../domain/story/story.ts'
import { isOwnEntry, isOwnStory, ownWork, rate, withdrawRating } from '../domain/votes/ratings.ts'
import { type Votes, type VotesEvent, votesStream, type Work } from '../domain/votes/votes.ts'

/** Works as they stand in their streams. */
export type Works = {
  readonly stories: Pick<Transactor<StoryState, StoryEvent>, 'load'>
  readonly entries: Pick<Transactor<EntryState, EntryEvent>, 'load'>
}
export type RatingDeps = Works & { readonly votes: Transactor<Votes, VotesEvent> }

/** Who rates, with what they may. */
export type Rater = Viewer & { readonly account: string }

/** Is it the account's own, as far as there is such a work? */
export const isOwn = async (works: Works, { kind, target }: Work, account: string): Promise<boolean> => {
  if (kind === 'story') {
    const { state } = await works.stories.load(storyStream(target))
    return state !== undefined && isOwnStory(state, account)
  }
  const { entry } = (await works.entries.load(entryStream(target))).state
  return entry !== undefined && isOwnEntry(entry, account)
}

/** Why there is nothing here for this person to rate; undefined where there is. */
const unseen = async (works: Works, { kind, target }: Work, rater: Rater): Promise<Refusal | undefined> => {
  if (kind === 'story') {
    const { state } = await works.stories.load(storyStream(target))
    return state && storySight(state, rater) !== 'nothing' ? undefined : storyNotFound()
  }
  const { entry } = (await works.entries.load(entryStream(target))).state
  const isShown = entry !== undefined && !entry.removed && entry.status === 'published'
  return isShown ? undefined : refuse('entry-not-found', 'There is no such entry, or it is not published.')
}

export const rateWork = async (
  deps: RatingDeps,
  rater: Rater,
  { stars, ...of }: Work & { readonly stars: unknown },
  envelope: Envelope,
): Promise<Result<Votes>> => {
  const fault = await unseen(deps, of, rater)
  if (fault) return fault
  if (await isOwn(deps, of, rater.account)) return ownWork()
  return deps.votes.run(votesStream(rater.account, of), rate(rater.account, of, stars), envelope)
}

export const unrateWork = (
  { votes }: Pick<RatingDeps, 'votes'>,
  { account }: Pick<Rater, 'account'>,
  of: Work,
  envelope: Envelope,
): Promise<Result<Votes>> => votes.run(votesStream(account, of), withdrawRating(account, of), envelope)
