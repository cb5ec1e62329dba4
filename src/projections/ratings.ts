/**
 * Ratings as they count: of each work, and of all works of its kind, how many gave each number of stars; and of each account what it has
 * rated. What an event takes away it names, so that no document is needed beside the one that changes.
 */
import { projection } from '../core/project/define.ts'
import type { Recorded } from '../domain/event.ts'
import { counted, noStars, type StarCounts } from '../domain/votes/figures.ts'
import {
  Rated,
  RatingWithdrawn,
  type TargetKind,
  targetKey,
  type VotesEvent,
  VotesRestored,
  VotesWithdrawn,
  votesCategory,
  votesEvents,
  type Work,
  type WorkKind,
} from '../domain/votes/votes.ts'

const names: ReadonlySet<string> = new Set(votesEvents.map(({ type }) => type))
export const isVotesEvent = (event: Recorded): event is Recorded<VotesEvent> => names.has(event.type)
/** What counts, or counts no longer. */
export const countingTypes: readonly string[] = [
  Rated.type,
  RatingWithdrawn.type,
  VotesWithdrawn.type,
  VotesRestored.type,
]

/** How the counts of one target change: so many more, or fewer, of one value. */
export type Step = { readonly kind: TargetKind; readonly target: string; readonly value: number; readonly by: number }

/** All that the event changes. A value that is given in the place of another is two steps. */
export const stepsOf = (event: Recorded<VotesEvent>): readonly Step[] => {
  switch (event.type) {
    case 'Rated':
    case 'RatingWithdrawn': {
      const { kind, target, previous } = event.data
      return [
        ...(previous === undefined ? [] : [{ kind, target, value: previous, by: -1 }]),
        ...(event.type === 'Rated' ? [{ kind, target, value: event.data.stars, by: 1 }] : []),
      ]
    }
    case 'CommentVoted':
    case 'CommentVoteWithdrawn': {
      const { comment, previous } = event.data
      const of = { kind: 'comment', target: comment } as const
      return [
        ...(previous === undefined ? [] : [{ ...of, value: previous, by: -1 }]),
        ...(event.type === 'CommentVoted' ? [{ ...of, value: event.data.value, by: 1 }] : []),
      ]
    }
    case 'VotesWithdrawn':
    case 'VotesRestored': {
      const by = event.type === 'VotesRestored' ? 1 : -1
      return event.data.items.map(({ kind, target, value }) => ({ kind, target, value, by }))
    }
  }
}

/** What the event changes of one target, which it names once at most: looked for without making a step of each of its items. */
export const stepsAt = (event: Recorded<VotesEvent>, kind: string, target: string): readonly Step[] => {
  if (!('items' in event.data)) return stepsOf(event).filter(step => step.kind === kind && step.target === target)
  const item = event.data.items.find(each => each.target === target && each.kind === kind)
  return item ? [{ ...item, by: event.type === VotesRestored.type ? 1 : -1 }] : []
}

const stepped = (counts: StarCounts, steps: readonly Step[]): StarCounts =>
  steps.reduce((all, { value, by }) => counted(all, value, by), counts)

/** The counts of one target after the event. */
export const countsAfter = (
  counts: StarCounts,
  event: Recorded<VotesEvent>,
  { kind, target }: { readonly kind: string; readonly target: string },
): StarCounts => stepped(counts, stepsAt(event, kind, target))

/** No target has this id. */
const EVERY = 'all'
/** Of all works of a kind. */
export const allOf = (kind: WorkKind): string => targetKey({ kind, target: EVERY })
const isOfWork = (step: Step): step is Step & Work => step.kind !== 'comment'

export type RatingsDocument = { readonly counts: StarCounts }

/** By `targetKey`, and of all works of a kind. What is not there has not been rated. */
export const ratingsProjection = projection<RatingsDocument>({
  name: 'ratings',
  version: 1,
  categories: [votesCategory],
  types: countingTypes,
  indexes: [],
  key: event =>
    isVotesEvent(event)
      ? stepsOf(event)
          .filter(isOfWork)
          .flatMap(step => [targetKey(step), allOf(step.kind)])
      : [],
  evolve: (document, event, id) => {
    if (!isVotesEvent(event)) return document
    const [kind = '', target = ''] = id.split(':')
    const counts = document?.counts ?? noStars
    if (target !== EVERY) return { counts: countsAfter(counts, event, { kind, target }) }
    return {
      counts: stepped(
        counts,
        stepsOf(event).filter(step => step.kind === kind),
      ),
    }
  },
})

/** `at`: RFC 3339, of the last change. */
export type OwnRatingDocument = {
  readonly accountId: string
  readonly kind: WorkKind
  readonly target: string
  readonly stars: number
  readonly at: string
}

/** What each account has rated, whether or not it counts: it is its owner's to see and to take away. */
export const ownRatingsProjection = projection<OwnRatingDocument>({
  name: 'own-ratings',
  version: 1,
  categories: [votesCategory],
  types: [Rated.type, RatingWithdrawn.type],
  indexes: [{ name: 'owner', on: ['accountId', 'at'] }],
  key: event =>
    isVotesEvent(event) && 'target' in event.data ? `${event.data.accountId}:${targetKey(event.data)}` : [],
  evolve: (_document, event) => {
    if (!isVotesEvent(event) || event.type !== 'Rated') return undefined
    const { accountId, kind, target, stars } = event.data
    return { accountId, kind, target, stars, at: event.meta.at }
  },
})
