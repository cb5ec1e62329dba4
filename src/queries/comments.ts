/** Reading comments: what stands under a story, a chapter or an entry, one comment with what it said before, and one's own. */
import Type, { type Static } from 'typebox'
import type { Cursor, Page, Query, Reader } from '../core/query/define.ts'
import type { Transactor } from '../core/write/transact.ts'
import { commentStream } from '../domain/comment/comment.ts'
import { commentNotFound } from '../domain/comment/decisions.ts'
import type { ThreadEvent } from '../domain/comment/events.ts'
import { DEPTH_SHOWN } from '../domain/comment/limits.ts'
import { AFTER } from '../domain/comment/path.ts'
import type { Places } from '../domain/comment/place.ts'
import { type Target, type TargetKind, threadOf } from '../domain/comment/target.ts'
import { type Thread, threadStream } from '../domain/comment/thread.ts'
import { isRefusal, type Refusal, refuse } from '../domain/refusal.ts'
import type { Viewer } from '../domain/story/sight.ts'
import { commentsProjection, commentTextsProjection } from '../projections/comments.ts'
import type { People } from '../projections/people.ts'
import { relationsProjection } from '../projections/relations.ts'
import {
  type CommentReads,
  CommentSchema,
  type CommentView,
  commentViews,
  type Found,
  peopleInComment,
  sightOfComment,
  viewerAmong,
} from './comment-view.ts'
import { accountOf, keyOf, nextOf } from './keyset-pages.ts'
import { viewerOf } from './story-view.ts'

export type CommentQueryDeps = CommentReads & {
  readonly places: Places
  readonly threads: Pick<Transactor<Thread, ThreadEvent>, 'load'>
  readonly people: Pick<People, 'wantsAdult'>
}

const text = Type.String()
export const CommentsSchema = Type.Object(
  {
    items: Type.Array(CommentSchema),
    next: Type.Union([text, Type.Null()]),
    total: Type.Integer({ minimum: 0, description: 'Comments that stand, stubs not counted.' }),
    totalRelation: Type.Enum(['eq', 'gte']),
    names: Type.Optional(Type.Record(text, text)),
  },
  { $id: 'Comments' },
)
export const OwnCommentsSchema = Type.Object(
  {
    items: Type.Array(CommentSchema),
    next: Type.Union([text, Type.Null()]),
    names: Type.Optional(Type.Record(text, text)),
  },
  { $id: 'OwnComments' },
)
export const CommentHistorySchema = Type.Object(
  { items: Type.Array(Type.Object({ revision: text, at: Type.String({ format: 'date-time' }), text })) },
  { $id: 'CommentHistory' },
)

const reads = [commentsProjection, commentTextsProjection, relationsProjection]

/** Before the reads: what is read then reflects these positions at least. */
const positionOf = ({ comments, texts, relations }: CommentQueryDeps): bigint =>
  [texts, relations].reduce((least, view) => (view.position() < least ? view.position() : least), comments.position())

const adultContent = (): Refusal =>
  refuse('adult-content', 'The story is for adults: ask with adult=true, or say so in your preferences.')

/** The thread of what this viewer may see now. */
const threadFor = async (
  { places, threads }: CommentQueryDeps,
  target: Target,
  viewer: Viewer,
): Promise<{ readonly name: string; readonly thread: Thread } | Refusal> => {
  const found = await places(target, viewer)
  if (isRefusal(found)) return found
  if (found.place.isAdult && !viewer.adult) return adultContent()
  const name = threadOf(target)
  return { name, thread: (await threads.load(threadStream(name))).state }
}

export type ThreadInput = {
  readonly target: Target
  readonly under?: string
  readonly sort: 'createdAt' | '-createdAt'
  readonly adult: boolean
  readonly limit: number
  readonly after?: Cursor
}

/** Comments that are counted: beyond them the count is a lower bound. */
const MOST_COUNTED = 2_000

const branchOf = async (
  { comments }: CommentQueryDeps,
  thread: string,
  id: string | undefined,
): Promise<Found | Refusal | undefined> => {
  if (id === undefined) return undefined
  const found = (await comments.get([id])).get(id)
  return found?.body.listed === thread ? found : commentNotFound()
}

/** In the order of reading: each with its answers below it, down to five levels below what the page is of. */
export const listComments = (of: TargetKind, deps: CommentQueryDeps): Query<ThreadInput, Page<CommentView>> => ({
  name: `list-${of}-comments`,
  permission: 'comments:read',
  output: CommentsSchema,
  reads,
  closed: ['under', 'sort', 'adult', 'limit'],
  people: peopleInComment,
  run: async ({ target, under, sort, adult, limit, after }, reader) => {
    const position = positionOf(deps)
    const viewer = viewerOf(reader, deps.people, adult)
    const found = await threadFor(deps, target, viewer)
    if (isRefusal(found)) return found
    const { name, thread } = found
    const branch = await branchOf(deps, name, under)
    if (branch && isRefusal(branch)) return branch
    const order = sort === 'createdAt' ? 'path' : 'newest'
    const lowest = (branch?.body.depth ?? 0) + DEPTH_SHOWN
    const from = branch?.body[order]
    const where = [
      { member: 'listed', op: 'eq' as const, value: name },
      ...(from === undefined ? [] : [{ member: order, op: 'range' as const, gt: from, lt: `${from}${AFTER}` }]),
      { member: 'depth', op: 'range' as const, lte: lowest },
    ]
    const [page, standing] = await Promise.all([
      deps.comments.find({ where, order: [order], limit, ...keyOf(after) }, after?.generation),
      branch?.body.replies ??
        deps.comments.count({ where: [{ member: 'standing', op: 'eq', value: name }], order: [] }, MOST_COUNTED),
    ])
    const items = await commentViews(deps, page.documents, { viewer, thread, lowest })
    const isMore = branch === undefined && standing >= MOST_COUNTED
    return {
      value: { items, next: nextOf(page), total: standing, totalRelation: isMore ? 'gte' : 'eq' },
      position,
    }
  },
})

type OneInput = { readonly id: string; readonly adult: boolean }

/** The comment with its thread, where what it is about may be seen, and anything of it. */
const oneFor = async (
  deps: CommentQueryDeps,
  { id, adult }: OneInput,
  reader: Reader,
): Promise<{ readonly found: Found; readonly viewer: Viewer; readonly thread: Thread } | Refusal> => {
  const viewer = viewerOf(reader, deps.people, adult)
  const found = (await deps.comments.get([id])).get(id)
  if (found?.body.listed === undefined) return commentNotFound()
  const about = await threadFor(deps, found.body.target, viewer)
  if (isRefusal(about)) return about.refused === 'adult-content' ? about : commentNotFound()
  return { found, viewer, thread: about.thread }
}

export const getComment = (deps: CommentQueryDeps): Query<OneInput, CommentView> => ({
  name: 'get-comment',
  permission: 'comments:read',
  output: CommentSchema,
  reads,
  closed: ['adult'],
  people: peopleInComment,
  run: async (input, reader) => {
    const position = positionOf(deps)
    const one = await oneFor(deps, input, reader)
    if (isRefusal(one)) return one
    const { found, ...showing } = one
    const [value] = await commentViews(deps, [found], showing)
    return value ? { value, position, mark: found.body.mark } : commentNotFound()
  },
})

/** What it said from when on, oldest first: for whoever may read what it says. */
export const commentHistory = (deps: CommentQueryDeps): Query<OneInput, Static<typeof CommentHistorySchema>> => ({
  name: 'comment-history',
  permission: 'comments:read',
  output: CommentHistorySchema,
  reads,
  closed: ['adult'],
  run: async (input, reader) => {
    const position = positionOf(deps)
    const one = await oneFor(deps, input, reader)
    if (isRefusal(one)) return one
    const { found, viewer, thread } = one
    const { viewer: among } = await viewerAmong(deps, viewer, [found])
    const { state } = await deps.streams.load(commentStream(found.id))
    if (!state || state.isDeleted || sightOfComment(found.body, thread, among) !== 'shown') return commentNotFound()
    return { value: { items: state.versions.map(version => ({ ...version })) }, position }
  },
})

/** One's own, newest first, wherever they stand; those that were deleted are not among them. */
export const ownComments = (
  deps: CommentQueryDeps,
): Query<{ readonly limit: number; readonly after?: Cursor }, Page<CommentView>> => ({
  name: 'own-comments',
  permission: 'account:read',
  output: OwnCommentsSchema,
  reads,
  closed: ['limit'],
  people: peopleInComment,
  run: async ({ limit, after }, reader) => {
    const account = accountOf(reader)
    if (typeof account !== 'string') return account
    const position = positionOf(deps)
    const where = [{ member: 'own', op: 'eq' as const, value: account }]
    const page = await deps.comments.find(
      { where, order: ['createdAt'], backwards: true, limit, ...keyOf(after) },
      after?.generation,
    )
    const items = await commentViews(deps, page.documents, { viewer: viewerOf(reader, deps.people) })
    return { value: { items, next: nextOf(page) }, position }
  },
})
