/** Whom one blocks, and whom one mutes. */
import { type RelationDeps, relateTo } from '../../../commands/relations.ts'
import { defined } from '../../../domain/defined.ts'
import type { RelationKind } from '../../../domain/relation/relations.ts'
import { type ownRelations, RelationsSchema } from '../../../queries/relations.ts'
import type { Edge } from '../edge.ts'
import { ownCommandRoute } from '../own-command.ts'
import type { Route } from '../route.ts'
import { pageRoute } from '../route-query.ts'
import { exampleTime, PageQuery, PersonParams, tag } from './comment-schemas.ts'
import { exampleAccount } from './shelf-schemas.ts'

export type RelationQueries = Readonly<Record<RelationKind, ReturnType<typeof ownRelations>>>

const kinds = {
  blocked: {
    path: '/v1/me/blocks',
    begin: 'block-person',
    end: 'unblock-person',
    said: ['Block somebody', 'Unblock somebody', 'Whom you have blocked, newest first'],
    about:
      'Neither of you is shown what the other says, nor answers it, nor is told of it. Nobody is told who blocked whom.',
  },
  muted: {
    path: '/v1/me/mutes',
    begin: 'mute-person',
    end: 'unmute-person',
    said: ['Mute somebody', 'Unmute somebody', 'Whom you have muted, newest first'],
    about: 'You are neither shown nor told what they say. They hear nothing of it.',
  },
} as const

const example = { accountId: exampleAccount, since: exampleTime }

const routesOf = (kind: RelationKind, deps: RelationDeps, queries: RelationQueries, edge: Edge): readonly Route[] => {
  const { path, begin, end, said, about } = kinds[kind]
  const own = { tag, permission: 'relations:write', path: `${path}/:accountId`, params: PersonParams } as const
  const run =
    (isWanted: boolean): Parameters<typeof ownCommandRoute>[0]['run'] =>
    async ({ params }, { account: accountId }, envelope) => {
      const pair = { accountId, other: (params['accountId'] ?? '').toLowerCase() }
      return relateTo(deps, kind, { pair, isWanted }, envelope)
    }
  return [
    ownCommandRoute(
      {
        ...own,
        method: 'PUT',
        name: begin,
        summary: said[0],
        description: about,
        request: { needs: 'an account', params: { accountId: exampleAccount } },
        answers: { 204: { description: 'It is so.' } },
        problems: ['relation-to-oneself', 'relations-full'],
        run: run(true),
        answer: () => ({ status: 204 }),
      },
      edge,
    ),
    ownCommandRoute(
      {
        ...own,
        method: 'DELETE',
        name: end,
        summary: said[1],
        request: { needs: 'an account', params: { accountId: exampleAccount } },
        answers: { 204: { description: 'It is not so, or no longer.' } },
        problems: [],
        run: run(false),
        answer: () => ({ status: 204 }),
      },
      edge,
    ),
    pageRoute(
      {
        tag,
        path,
        summary: said[2],
        querystring: PageQuery,
        query: queries[kind],
        input: ({ limit, after }) => ({ limit, ...defined({ after }) }),
        request: { needs: 'an account', query: { limit: '20' } },
        answers: {
          200: {
            description: 'A page.',
            schema: RelationsSchema,
            headers: ['Link'],
            example: { items: [example], next: null },
          },
        },
        problems: ['not-an-account'],
      },
      edge,
    ),
  ]
}

export const relationRoutes = (deps: RelationDeps, queries: RelationQueries, edge: Edge): readonly Route[] => [
  ...routesOf('blocked', deps, queries, edge),
  ...routesOf('muted', deps, queries, edge),
]
