/** Comments: every route that reads them, each with its query. */

import type { TargetKind } from '../../../domain/comment/target.ts'
import { defined } from '../../../domain/defined.ts'
import { CommentSchema } from '../../../queries/comment-view.ts'
import {
  CommentHistorySchema,
  CommentsSchema,
  type commentHistory,
  type getComment,
  type listComments,
  OwnCommentsSchema,
  type ownComments,
} from '../../../queries/comments.ts'
import type { Edge } from '../edge.ts'
import type { RequestExample, Route } from '../route.ts'
import { itemRoute, pageRoute } from '../route-query.ts'
import * as shown from './comment-schemas.ts'
import { StoryParams } from './shelf-schemas.ts'

export type CommentQueries = {
  readonly getComment: ReturnType<typeof getComment>
  readonly commentHistory: ReturnType<typeof commentHistory>
  readonly ownComments: ReturnType<typeof ownComments>
  /** By what it is about: each is a query of its own. */
  readonly listComments: (of: TargetKind) => ReturnType<typeof listComments>
}

const { tag } = shown
const page = { items: [shown.exampleRead], next: null, total: 1, totalRelation: 'eq' }

type ThreadPlace = {
  readonly kind: TargetKind
  readonly path: string
  readonly summary: string
  readonly params: typeof StoryParams | typeof shown.ChapterParams
  readonly example: NonNullable<RequestExample['params']>
  readonly problems: readonly ('story-not-found' | 'chapter-not-found' | 'entry-not-found' | 'adult-content')[]
}

const threadRoute = (
  queries: CommentQueries,
  { kind, path, summary, params, example, problems }: ThreadPlace,
  edge: Edge,
): Route =>
  pageRoute(
    {
      tag,
      path,
      summary,
      description:
        'In the order of reading, each with its answers below it, five levels deep; `deeper` says where there are more. What was deleted, is held back, or is not for you to see is a stub.',
      params,
      querystring: shown.ThreadQuery,
      query: queries.listComments(kind),
      input: ({ id, query, request, limit, after }) => ({
        target: { kind, id: (request.params['chapterId'] ?? id).toLowerCase() },
        sort: query.sort ?? 'createdAt',
        adult: query.adult === true,
        limit,
        ...defined({ under: query.under?.toLowerCase(), after }),
      }),
      request: { needs: 'an account', params: example },
      answers: { 200: { description: 'A page.', schema: CommentsSchema, headers: ['Link'], example: page } },
      problems: [...problems, 'comments-not-open', 'comment-not-found'],
    },
    edge,
  )

export const commentQueryRoutes = (queries: CommentQueries, edge: Edge): readonly Route[] => [
  threadRoute(
    queries,
    {
      kind: 'story',
      path: '/v1/stories/:id/comments',
      summary: 'The comments on a story',
      params: StoryParams,
      example: { id: shown.exampleTarget },
      problems: ['story-not-found', 'adult-content'],
    },
    edge,
  ),
  threadRoute(
    queries,
    {
      kind: 'chapter',
      path: '/v1/stories/:id/chapters/:chapterId/comments',
      summary: 'The comments on a chapter',
      params: shown.ChapterParams,
      example: shown.ofChapterExample,
      problems: ['chapter-not-found', 'adult-content'],
    },
    edge,
  ),
  threadRoute(
    queries,
    {
      kind: 'entry',
      path: '/v1/entries/:id/comments',
      summary: 'The comments on an entry',
      params: shown.EntryParams,
      example: { id: shown.exampleTarget },
      problems: ['entry-not-found'],
    },
    edge,
  ),
  itemRoute(
    {
      tag,
      path: '/v1/comments/:id',
      summary: 'One comment',
      params: shown.CommentParams,
      querystring: shown.OneQuery,
      query: queries.getComment,
      input: ({ id, query }) => ({ id: id.toLowerCase(), adult: query.adult === true }),
      request: { needs: 'an account', params: { id: shown.exampleComment } },
      answers: { 200: { description: 'The comment, or its stub.', schema: CommentSchema, example: shown.exampleRead } },
      problems: ['comment-not-found', 'adult-content'],
    },
    edge,
  ),
  itemRoute(
    {
      tag,
      path: '/v1/comments/:id/history',
      summary: 'What a comment said from when on',
      params: shown.CommentParams,
      querystring: shown.OneQuery,
      query: queries.commentHistory,
      input: ({ id, query }) => ({ id: id.toLowerCase(), adult: query.adult === true }),
      request: { needs: 'an account', params: { id: shown.exampleComment } },
      answers: {
        200: {
          description: 'All of it, oldest first.',
          schema: CommentHistorySchema,
          example: { items: [{ revision: '0', at: shown.exampleTime, text: 'The light!' }] },
        },
      },
      problems: ['comment-not-found', 'adult-content'],
    },
    edge,
  ),
  pageRoute(
    {
      tag,
      path: '/v1/me/comments',
      summary: 'Your comments, newest first',
      querystring: shown.PageQuery,
      query: queries.ownComments,
      input: ({ limit, after }) => ({ limit, ...defined({ after }) }),
      request: { needs: 'an account', query: { limit: '20' } },
      answers: {
        200: {
          description: 'A page.',
          schema: OwnCommentsSchema,
          headers: ['Link'],
          example: { items: [shown.exampleRead], next: null },
        },
      },
      problems: ['not-an-account'],
    },
    edge,
  ),
]
