/** Rating works: a person once each, with one star to five, and never what is their own. */
import type { Decide } from '../decider.ts'
import { defined } from '../defined.ts'
import type { Entry } from '../entry/entry.ts'
import { refuse } from '../refusal.ts'
import type { Story } from '../story/story.ts'
import { isStars } from './figures.ts'
import { type Target, targetKey, type Votes, type VotesEvent, type Work } from './votes.ts'

/** What is refused of votes, beside `account-suspended`. */
export type VotesRefusal = 'rating-invalid' | 'vote-invalid' | 'own-work' | 'votes-full'

/** Of one account on one of its sixty-four streams. */
export const MOST_VOTES = 2_000

/**
 * Is the story somebody's own? It is whose who write it, have written it and gave up their name on it, or began one of its chapters: what
 * one has left to others is not for oneself to praise.
 */
export const isOwnStory = ({ authors, former, chapters }: Pick<Story, 'authors' | 'former' | 'chapters'>, id: string) =>
  authors.includes(id) || former.includes(id) || chapters.some(({ by }) => by === id)

/** Is the entry somebody's own? It is whose who drafted it, took it over, or changed a word of it. */
export const isOwnEntry = ({ author, contributors }: Pick<Entry, 'author' | 'contributors'>, id: string): boolean =>
  author === id || contributors.includes(id)

export const ownWork = () => refuse('own-work', 'Nobody rates what they have written themselves, alone or with others.')

/** What it counts with now. */
export const countsWith = ({ votes, holds }: Votes, of: Target): number | undefined =>
  holds.length > 0 ? undefined : votes.get(targetKey(of))?.value

/** `stars`: as they were sent, of whatever type. The same again writes nothing. */
export const rate =
  (accountId: string, of: Work, stars: unknown): Decide<Votes, VotesEvent, VotesRefusal | 'account-suspended'> =>
  state => {
    const { kind, target } = of
    if (!isStars(stars)) {
      const detail = 'A rating is a whole number of stars, from 1 to 5.'
      return refuse('rating-invalid', detail, { errors: [{ pointer: '/stars', code: 'range', detail }] })
    }
    if (state.holds.length > 0) return refuse('account-suspended', 'This account is suspended: it rates nothing.')
    const previous = countsWith(state, of)
    if (previous === stars) return []
    if (previous === undefined && state.votes.size >= MOST_VOTES)
      return refuse('votes-full', 'There is no room for more votes: take one away first.')
    return [{ type: 'Rated', data: { accountId, kind, target, stars, ...defined({ previous }) } }]
  }

/** Also while a decision withdraws all of them: what is taken away then does not come back with the others. */
export const withdrawRating =
  (accountId: string, of: Work): Decide<Votes, VotesEvent, never> =>
  state => {
    const { kind, target } = of
    if (!state.votes.has(targetKey(of))) return []
    const previous = countsWith(state, of)
    return [{ type: 'RatingWithdrawn', data: { accountId, kind, target, ...defined({ previous }) } }]
  }
