/** Ratings of stories and entries: giving one, taking it away, and what they come to. */
import Type from 'typebox'
import * as ratings from '../../../commands/ratings.ts'
import { defined } from '../../../domain/defined.ts'
import { UUID } from '../../../domain/forms.ts'
import { type Work, type WorkKind, workKinds } from '../../../domain/votes/votes.ts'
import type { People } from '../../../projections/people.ts'
import {
  type myRatings,
  OwnRatingSchema,
  type ownRating,
  ownRatingOf,
  RatedWorksSchema,
  RatingsSchema,
  type workRatings,
} from '../../../queries/ratings.ts'
import type { Edge, Routes } from '../edge.ts'
import { ownCommandRoute } from '../own-command.ts'
import type { Documented, EdgeRequest, Route } from '../route.ts'
import { itemRoute, pageRoute } from '../route-query.ts'
import { reading } from './account-edge.ts'
import { openOwner } from './shelf.ts'
import { at, exampleBrief, exampleStory, PageQuery } from './shelf-schemas.ts'

const strict = { additionalProperties: false }
const tag = 'Ratings'

/** Whatever is sent for `stars` is judged where ratings are, which says what they are. */
export const RatingBody = Type.Object(
  { stars: Type.Unknown({ description: 'A whole number from 1 to 5.', examples: [4] }) },
  { ...strict, $id: 'RatingOfWork' },
)
const readRating = reading(RatingBody)
const NoQuery = Type.Object({}, strict)
const AdultQuery = Type.Object(
  { adult: Type.Optional(Type.Boolean({ description: 'You want to see what is for adults.' })) },
  strict,
)

export type RatingQueries = {
  readonly ratings: Readonly<Record<WorkKind, ReturnType<typeof workRatings>>>
  readonly own: Readonly<Record<WorkKind, ReturnType<typeof ownRating>>>
  readonly mine: ReturnType<typeof myRatings>
}

type About = {
  readonly path: string
  readonly what: string
  readonly example: string
  readonly unseen: readonly ('story-not-found' | 'adult-content' | 'entry-not-found')[]
}
const about: Readonly<Record<WorkKind, About>> = {
  story: {
    path: '/v1/stories/:id',
    what: 'a story',
    example: exampleStory,
    unseen: ['story-not-found', 'adult-content'],
  },
  entry: {
    path: '/v1/entries/:id',
    what: 'an entry',
    example: '0b0f7f5e-9a51-5c3a-8f0e-2c1d4b6a7e90',
    unseen: ['entry-not-found'],
  },
}

const own = { tag, permission: 'ratings:write' } as const
const paramsOf = ({ what }: About) =>
  Type.Object({ id: Type.String({ pattern: UUID, description: `The id of ${what}.` }) })

const routesOf = (
  kind: WorkKind,
  deps: ratings.RatingDeps,
  people: Pick<People, 'wantsAdult'>,
  queries: RatingQueries,
  edge: Edge,
): readonly Route[] => {
  const { path, what, example: id, unseen } = about[kind]
  const of = ({ params }: EdgeRequest): Work => ({ kind, target: params['id'] ?? '' })
  const params = paramsOf(about[kind])
  const rated: Documented = {
    description: 'Your rating.',
    schema: OwnRatingSchema,
    example: { kind, id, stars: 4, ratedAt: at },
  }
  const ownerOf = openOwner(people)
  return [
    ownCommandRoute(
      {
        ...own,
        method: 'PUT',
        path: `${path}/rating`,
        name: `rate-${kind}`,
        summary: `Rate ${what}`,
        description: 'Or change the rating. The same again writes nothing.',
        params,
        body: RatingBody,
        request: { needs: 'an account', params: { id }, body: { stars: 4 } },
        answers: { 200: rated },
        problems: [
          ...unseen.filter(code => code !== 'adult-content'),
          'rating-invalid',
          'own-work',
          'votes-full',
          'account-suspended',
        ],
        run: async (request, asking, envelope) => {
          const given = { ...of(request), stars: readRating(request.body).stars }
          return ratings.rateWork(deps, ownerOf(asking), given, envelope)
        },
        answer: ({ state }, request) => ({ status: 200, body: JSON.stringify(ownRatingOf(state, of(request))) }),
      },
      edge,
    ),
    ownCommandRoute(
      {
        ...own,
        method: 'DELETE',
        path: `${path}/rating`,
        name: `unrate-${kind}`,
        summary: `Take your rating of ${what} away`,
        description: 'Whether or not you may still see it.',
        params,
        request: { needs: 'an account', params: { id } },
        answers: { 204: { description: 'It is not rated, or no longer.' } },
        problems: [],
        run: async (request, asking, envelope) => ratings.unrateWork(deps, asking, of(request), envelope),
        answer: () => ({ status: 204 }),
      },
      edge,
    ),
    itemRoute(
      {
        tag,
        path: `${path}/rating`,
        summary: `Your rating of ${what}`,
        params,
        querystring: NoQuery,
        query: queries.own[kind],
        input: ({ id: target }) => ({ id: target }),
        request: { needs: 'an account', params: { id } },
        answers: { 200: rated },
        problems: ['rating-not-found', 'not-an-account'],
      },
      edge,
    ),
    itemRoute(
      {
        tag,
        path: `${path}/ratings`,
        summary: `How ${what} is rated`,
        description:
          'How many gave how many stars, and the mean; what suspended accounts gave does not count. `yours` is what you gave.',
        params,
        querystring: kind === 'story' ? AdultQuery : NoQuery,
        query: queries.ratings[kind],
        input: ({ id: target, query }) => ({ id: target, adult: 'adult' in query && query.adult === true }),
        request: { needs: 'an account', params: { id } },
        answers: {
          200: {
            description: 'Its ratings.',
            schema: RatingsSchema,
            example: { count: 3, mean: 3.75, distribution: { '1': 0, '2': 0, '3': 0, '4': 2, '5': 1 }, yours: 4 },
          },
        },
        problems: [...unseen],
      },
      edge,
    ),
  ]
}

export const ratingRoutes =
  (deps: ratings.RatingDeps, people: Pick<People, 'wantsAdult'>, queries: RatingQueries): Routes =>
  edge => [
    ...workKinds.flatMap(kind => routesOf(kind, deps, people, queries, edge)),
    pageRoute(
      {
        tag,
        path: '/v1/me/ratings',
        summary: 'What you have rated, the last changed first',
        description: 'Of a work that you may no longer see stands its id alone, and `gone`.',
        querystring: PageQuery,
        query: queries.mine,
        input: ({ limit, after }) => ({ limit, ...defined({ after }) }),
        request: { needs: 'an account', query: { limit: '20' } },
        answers: {
          200: {
            description: 'A page.',
            schema: RatedWorksSchema,
            headers: ['Link'],
            example: {
              items: [{ kind: 'story', id: exampleStory, stars: 4, ratedAt: at, story: exampleBrief }],
              next: null,
            },
          },
        },
        problems: ['not-an-account'],
      },
      edge,
    ),
  ]
