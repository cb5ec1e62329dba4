/** Ratings as they are read: what a work has, what one gave oneself, all that one has rated. */
import Type, { type TSchema } from 'typebox'
import type { View } from '../core/project/view.ts'
import type { Page, Query, Reader } from '../core/query/define.ts'
import type { Transactor } from '../core/write/transact.ts'
import { defined } from '../domain/defined.ts'
import { type Entry, entryStream } from '../domain/entry/entry.ts'
import type { EntryEvent } from '../domain/entry/events.ts'
import type { EntryState } from '../domain/entry/state.ts'
import { type Refusal, refuse } from '../domain/refusal.ts'
import { storyStream } from '../domain/story/story.ts'
import { LEAST_STARS, MOST_STARS, meanOf, noStars, type StarCounts, totalOf } from '../domain/votes/figures.ts'
import {
  targetKey,
  type Votes,
  type VotesEvent,
  votesStream,
  type Work,
  type WorkKind,
  workKinds,
} from '../domain/votes/votes.ts'
import {
  allOf,
  type OwnRatingDocument,
  ownRatingsProjection,
  type RatingsDocument,
  ratingsProjection,
} from '../projections/ratings.ts'
import { notFound } from './entries.ts'
import { sightOf } from './entry-view.ts'
import { accountOf, keyOf, nextOf, type PageInput, pageOf } from './keyset-pages.ts'
import {
  GoneOr,
  type GoneOrBrief,
  keptBy,
  peopleInBrief,
  type StandingStories,
  standingStories,
} from './standing-stories.ts'
import { shownStory, viewerOf } from './story-view.ts'

/** What reading ratings is refused for, beside what works are. */
export type VotesQueryRefusal = 'rating-not-found'

export type RatingReads = StandingStories & {
  readonly entries: Pick<Transactor<EntryState, EntryEvent>, 'load'>
  readonly votes: Pick<Transactor<Votes, VotesEvent>, 'load'>
  readonly ratings: View<RatingsDocument>
  readonly own: View<OwnRatingDocument>
}

const text = Type.String()
const time = Type.String({ format: 'date-time' })
const stars = Type.Integer({ minimum: LEAST_STARS, maximum: MOST_STARS })
const count = Type.Integer({ minimum: 0 })
const kind = Type.Enum([...workKinds])

/** `yours`: what the reader gave. */
export const RatingsSchema = Type.Object(
  {
    count: Type.Integer({ minimum: 0, description: 'How many rated it.' }),
    mean: Type.Optional(
      Type.Number({
        description:
          'Of its ratings and, weighing as much as five of them, the mean of all works; absent without ratings.',
      }),
    ),
    distribution: Type.Object(
      { '1': count, '2': count, '3': count, '4': count, '5': count },
      { description: 'How many gave one star, two, and so on.' },
    ),
    yours: Type.Optional(stars),
  },
  { $id: 'Ratings' },
)
export type RatingsView = Type.Static<typeof RatingsSchema>

const viewOf = (counts: StarCounts, all: StarCounts, yours: number | undefined): RatingsView => {
  const [one, two, three, four, five] = counts
  return {
    count: totalOf(counts),
    ...defined({ mean: meanOf(counts, all) }),
    distribution: { '1': one, '2': two, '3': three, '4': four, '5': five },
    ...defined({ yours }),
  }
}

/** What an account gave, from its own stream: at once, and whether or not it counts. */
const given = async ({ votes }: Pick<RatingReads, 'votes'>, account: string, of: Work) =>
  (await votes.load(votesStream(account, of))).state.votes.get(targetKey(of))

/** Why the ratings of this are not for the reader to see; undefined where they are. */
const unseen = async (
  reads: RatingReads,
  { kind: of, target, adult }: Work & { readonly adult: boolean },
  reader: Reader,
): Promise<Refusal | undefined> => {
  if (of === 'story') {
    const { state } = await reads.stories.load(storyStream(target))
    const shown = shownStory(state, viewerOf(reader, reads.people, adult))
    return 'refused' in shown ? shown : undefined
  }
  const { entry } = (await reads.entries.load(entryStream(target))).state
  return entry && !entry.removed && sightOf(entry, reader) === 'everything' ? undefined : notFound()
}

export type OfTarget = { readonly id: string; readonly adult: boolean }

/** What a work is rated, by whoever may see it. */
export const workRatings = (reads: RatingReads, of: WorkKind): Query<OfTarget, RatingsView> => ({
  name: `${of}-ratings`,
  permission: of === 'story' ? 'stories:read' : 'entries:read',
  output: RatingsSchema,
  reads: [ratingsProjection],
  closed: ['adult'],
  run: async ({ id: target, adult }, reader) => {
    const fault = await unseen(reads, { kind: of, target, adult }, reader)
    if (fault) return fault
    // Before the read: what is read then reflects this position at least.
    const position = reads.ratings.position()
    const work = { kind: of, target }
    const found = await reads.ratings.get([targetKey(work), allOf(of)])
    const countsIn = (key: string): StarCounts => found.get(key)?.body.counts ?? noStars
    const account = reader.actor?.kind === 'account' ? reader.actor.id : undefined
    const yours = account === undefined ? undefined : (await given(reads, account, work))?.value
    return { value: viewOf(countsIn(targetKey(work)), countsIn(allOf(of)), yours), position }
  },
})

export const OwnRatingSchema = Type.Object({ kind, id: text, stars, ratedAt: time }, { $id: 'OwnRating' })
export type OwnRating = Type.Static<typeof OwnRatingSchema>

export const ownRatingOf = ({ votes }: Votes, of: Work): OwnRating | undefined => {
  const vote = votes.get(targetKey(of))
  return vote && { kind: of.kind, id: of.target, stars: vote.value, ratedAt: vote.at }
}

/** What the reader gave a work, whether or not it may still be seen. */
export const ownRating = (reads: RatingReads, of: WorkKind): Query<{ readonly id: string }, OwnRating> => ({
  name: `own-${of}-rating`,
  permission: 'account:read',
  output: OwnRatingSchema,
  reads: [],
  run: async ({ id: target }, reader) => {
    const account = accountOf(reader)
    if (typeof account !== 'string') return account
    const work = { kind: of, target }
    const { state, position } = await reads.votes.load(votesStream(account, work))
    const value = ownRatingOf(state, work)
    return value ? { value, position } : refuse('rating-not-found', 'You have not rated this.')
  },
})

/** What of an entry stands in a list of what somebody has rated. */
export const EntryBriefSchema = Type.Object({ language: text, lemma: text, partOfSpeech: text }, { $id: 'EntryBrief' })
const entryMember: { readonly entry: TSchema } = { entry: Type.Optional(EntryBriefSchema) }
export const RatedWorkSchema = Type.Object(
  { ...OwnRatingSchema.properties, ...GoneOr, ...entryMember },
  { $id: 'RatedWork' },
)
export const RatedWorksSchema = pageOf(RatedWorkSchema, 'RatedWorks')
export type RatedWork = OwnRating &
  GoneOrBrief & {
    readonly entry?: { readonly language: string; readonly lemma: string; readonly partOfSpeech: string }
  }

const isPublished = ({ status, removed }: Entry): boolean => status === 'published' && !removed

const briefEntry = async (reads: RatingReads, id: string): Promise<Pick<RatedWork, 'entry' | 'gone'>> => {
  const { entry } = (await reads.entries.load(entryStream(id))).state
  if (!entry || !isPublished(entry)) return { gone: true }
  const { language, lemma, partOfSpeech } = entry
  return { entry: { language, lemma, partOfSpeech } }
}

/** All that the reader has rated, the last changed first. */
export const myRatings = (reads: RatingReads): Query<PageInput, Page<RatedWork>> => ({
  name: 'my-ratings',
  permission: 'account:read',
  output: RatedWorksSchema,
  reads: [ownRatingsProjection],
  closed: ['limit'],
  people: peopleInBrief,
  run: async ({ limit, after }, reader) => {
    const account = accountOf(reader)
    if (typeof account !== 'string') return account
    const where = [{ member: 'accountId', op: 'eq' as const, value: account }]
    const page = await reads.own.find(
      { where, order: ['at'], backwards: true, limit, ...keyOf(after) },
      after?.generation,
    )
    const rated = page.documents.map(({ body }) => body)
    const viewer = viewerOf(reader, reads.people)
    const stories = await standingStories(
      reads,
      rated.flatMap(({ kind: of, target }) => (of === 'story' ? [target] : [])),
    )
    const items = await Promise.all(
      rated.map(async ({ kind: of, target: id, stars: value, at: ratedAt }) => ({
        kind: of,
        id,
        stars: value,
        ratedAt,
        ...(of === 'story' ? keptBy(stories.get(id), viewer) : await briefEntry(reads, id)),
      })),
    )
    return { value: { items, next: nextOf(page) }, position: page.position }
  },
})
