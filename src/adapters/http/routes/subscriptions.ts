/** Following a story, a series, an author, a tag. */
import * as shelf from '../../../commands/shelf.ts'
import { defined } from '../../../domain/defined.ts'
import { subscriptionKey, subscriptionKinds } from '../../../domain/shelf/shelf.ts'
import { type mySubscriptions, SubscriptionsSchema } from '../../../queries/shelf.ts'
import type { Routes } from '../edge.ts'
import { ownCommandRoute } from '../own-command.ts'
import type { EdgeRequest } from '../route.ts'
import { pageRoute } from '../route-query.ts'
import type { OwnerOf } from './shelf.ts'
import {
  at,
  exampleBrief,
  exampleStory,
  Followed,
  SubscriptionParams,
  SubscriptionsQuery,
  tag,
} from './shelf-schemas.ts'

const done = { status: 204 } as const
const own = { tag, permission: 'shelf:write' } as const

const followedOf = ({ params }: EdgeRequest): shelf.Followed => ({
  kind: subscriptionKinds.find(known => known === params['kind']) ?? 'tag',
  target: params['target'] ?? '',
})

export const subscriptionRoutes =
  (deps: shelf.ShelfDeps, ownerOf: OwnerOf, subscriptions: ReturnType<typeof mySubscriptions>): Routes =>
  edge => [
    ownCommandRoute(
      {
        ...own,
        method: 'PUT',
        path: '/v1/me/subscriptions/:kind/:target',
        name: 'subscribe',
        summary: 'Follow a story, a series, an author or a tag',
        description: 'Each published chapter is then one mail, and one event on the channel `me`.',
        params: SubscriptionParams,
        request: { needs: 'an account', params: { kind: 'story', target: exampleStory } },
        answers: {
          200: {
            description: 'It is followed.',
            schema: Followed,
            example: { kind: 'story', target: exampleStory, since: at },
          },
        },
        problems: ['story-not-found', 'series-not-found', 'shelf-full', 'text-invalid'],
        run: async (request, asking, envelope) => shelf.follow(deps, ownerOf(asking), followedOf(request), envelope),
        answer: ({ state }, request) => {
          const following = shelf.followingOf(followedOf(request))
          const kept =
            'refused' in following
              ? undefined
              : state.subscriptions.get(subscriptionKey(following.kind, following.target))
          const { kind, target } = followedOf(request)
          const body = { kind, target: kept?.tag ?? target, since: kept?.at ?? '' }
          return { status: 200, body: JSON.stringify(body) }
        },
      },
      edge,
    ),
    ownCommandRoute(
      {
        ...own,
        method: 'DELETE',
        path: '/v1/me/subscriptions/:kind/:target',
        name: 'unsubscribe',
        summary: 'Follow it no longer',
        params: SubscriptionParams,
        request: { needs: 'an account', params: { kind: 'story', target: exampleStory } },
        answers: { 204: { description: 'It is not followed, or no longer.' } },
        problems: ['text-invalid'],
        run: async (request, asking, envelope) => shelf.unfollow(deps, ownerOf(asking), followedOf(request), envelope),
        answer: () => done,
      },
      edge,
    ),
    pageRoute(
      {
        tag,
        path: '/v1/me/subscriptions',
        summary: 'What you follow, newest first',
        querystring: SubscriptionsQuery,
        query: subscriptions,
        input: ({ limit, after, query: { kind } }) => ({ limit, ...defined({ after, kind }) }),
        request: { needs: 'an account', query: { kind: 'story' } },
        answers: {
          200: {
            description: 'A page.',
            schema: SubscriptionsSchema,
            headers: ['Link'],
            example: {
              items: [{ kind: 'story', target: exampleStory, since: at, story: exampleBrief }],
              next: null,
            },
          },
        },
        problems: ['not-an-account'],
      },
      edge,
    ),
  ]
