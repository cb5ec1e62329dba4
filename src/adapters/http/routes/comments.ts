/** Commenting: every route that writes a comment, or ends what is said in a thread. */
import * as comments from '../../../commands/comments.ts'
import type { Accepted } from '../../../core/write/transact.ts'
import { type CommentState, currentVersion } from '../../../domain/comment/comment.ts'
import { depthOf } from '../../../domain/comment/path.ts'
import { targetKinds, targetOf } from '../../../domain/comment/target.ts'
import { isClosed, isFrozen, type Thread } from '../../../domain/comment/thread.ts'
import { defined } from '../../../domain/defined.ts'
import { idOf } from '../../../domain/ids.ts'
import { CommentSchema } from '../../../queries/comment-view.ts'
import type { Edge } from '../edge.ts'
import { type Asking, type OwnCommand, ownCommandRoute } from '../own-command.ts'
import type { Answer, EdgeRequest, Route } from '../route.ts'
import { reading } from './account-edge.ts'
import * as shown from './comment-schemas.ts'

const { tag, exampleView } = shown
const readComment = reading(shown.CommentBody)
const readEdit = reading(shown.CommentEdit)
const parameter = ({ params }: EdgeRequest, name: string): string => (params[name] ?? '').toLowerCase()

const unseen = ['story-not-found', 'chapter-not-found', 'entry-not-found'] as const

/** What was said, to who said it: without the HTML, which is made as it is read. */
const answerComment =
  (status: 200 | 201) =>
  ({ stream, state, revision }: Accepted<CommentState>): Omit<Answer, 'position'> => {
    const id = idOf(stream)
    const said = state && currentVersion(state)
    if (!state || !said) return { status, body: JSON.stringify({ id, gone: 'deleted' }) }
    const { target, story, parent, root, path, author, mentions, quotes, createdAt } = state
    const view = {
      id,
      target,
      ...defined({ storyId: story, parentId: parent }),
      rootId: root,
      depth: depthOf(path),
      replies: 0,
      createdAt,
      open: true,
      author,
      text: said.text,
      mentions,
      quotes,
      ...defined({ editedAt: said.at === createdAt ? undefined : said.at }),
      revision: String(revision),
    }
    return {
      status,
      body: JSON.stringify(view),
      ...defined({ headers: status === 201 ? { location: `/v1/comments/${id}` } : undefined }),
    }
  }

export type CommenterOf = (asking: Asking) => comments.Commenter

const sayingRoutes = (deps: comments.CommentDeps, commenterOf: CommenterOf, edge: Edge): readonly Route[] => [
  ownCommandRoute(
    {
      tag,
      permission: 'comments:write',
      method: 'POST',
      path: '/v1/comments',
      name: 'post-comment',
      summary: 'Comment on a story, a chapter or an entry, or answer a comment',
      description:
        'Who is answered, who is mentioned, and who wrote the story are told. A new account posts three comments within fifteen minutes: what comes sooner is 429, and Retry-After says when to come again.',
      body: shown.CommentBody,
      request: {
        needs: 'an account',
        body: { target: { kind: 'story', id: shown.exampleTarget }, text: 'The *light* in the third chapter!' },
      },
      answers: {
        201: { description: 'What was said.', schema: CommentSchema, headers: ['Location'], example: exampleView },
      },
      problems: [
        ...unseen,
        'comments-not-open',
        'comment-not-found',
        'comment-gone',
        'comment-unwanted',
        'comments-too-soon',
        'quote-invalid',
        'thread-closed',
        'thread-frozen',
        'thread-too-deep',
        'markup-too-deep',
        'text-invalid',
      ],
      run: async (request, asking, envelope) => {
        const { target, parent, text, mentions = [], quotes = [] } = readComment(request.body)
        const given = {
          target: { kind: target.kind, id: target.id.toLowerCase() },
          text,
          mentions: mentions.map(account => account.toLowerCase()),
          quotes: quotes.map(quote => ({ ...quote, comment: quote.comment.toLowerCase() })),
          ...defined({ parent: parent?.toLowerCase() }),
        }
        return comments.postComment(deps, commenterOf(asking), given, envelope)
      },
      answer: answerComment(201),
    },
    edge,
  ),
  ownCommandRoute(
    {
      tag,
      permission: 'comments:write',
      method: 'PATCH',
      path: '/v1/comments/:id',
      name: 'edit-comment',
      summary: 'Edit a comment of yours',
      description: 'For 24 hours, and until it is answered or its branch is frozen. What it said before may be read.',
      params: shown.CommentParams,
      body: shown.CommentEdit,
      request: { needs: 'an account', params: { id: shown.exampleComment }, body: { text: 'The light!' } },
      answers: {
        200: {
          description: 'As it stands.',
          schema: CommentSchema,
          example: { ...exampleView, text: 'The light!', editedAt: shown.exampleTime, revision: '1' },
        },
      },
      problems: [
        'comment-not-found',
        'permission-denied',
        'comment-fixed',
        'thread-frozen',
        'markup-too-deep',
        'text-invalid',
      ],
      run: async (request, asking, envelope) => {
        const edit = { id: parameter(request, 'id'), text: readEdit(request.body).text }
        return comments.editComment(deps, commenterOf(asking), edit, envelope)
      },
      answer: answerComment(200),
    },
    edge,
  ),
  ownCommandRoute(
    {
      tag,
      permission: 'comments:delete',
      method: 'DELETE',
      path: '/v1/comments/:id',
      name: 'delete-comment',
      summary: 'Delete a comment of yours',
      description: 'What it said is gone for good. A stub stands as long as there are answers to it.',
      params: shown.CommentParams,
      request: { needs: 'an account', params: { id: shown.exampleComment } },
      answers: { 204: { description: 'It is gone.' } },
      problems: ['comment-not-found', 'permission-denied'],
      run: async (request, asking, envelope) =>
        comments.deleteComment(deps, commenterOf(asking), parameter(request, 'id'), envelope),
      answer: () => ({ status: 204 }),
    },
    edge,
  ),
]

/** Each with its end: closed and reopened, frozen and thawed. */
const endingRoutes = (deps: comments.CommentDeps, commenterOf: CommenterOf, edge: Edge): readonly Route[] => {
  type Ending = Pick<OwnCommand<Thread>, 'method' | 'name' | 'summary'> & { readonly isEnded: boolean }
  const closing = ({ isEnded, ...declared }: Ending): Route =>
    ownCommandRoute(
      {
        ...declared,
        tag,
        permission: 'comments:write',
        path: '/v1/threads/:kind/:id/close',
        description: 'For the authors of the work, and moderators. Who said something may edit and delete it still.',
        params: shown.ThreadParams,
        request: { needs: 'an account', params: shown.exampleThread },
        answers: {
          200: {
            description: 'The thread as it is.',
            schema: shown.ClosedSchema,
            example: { target: shown.exampleThread, closed: isEnded },
          },
        },
        problems: [...unseen, 'comments-not-open', 'comment-not-found', 'permission-denied'],
        run: async (request, asking, envelope) => {
          const kind = targetKinds.find(known => known === parameter(request, 'kind')) ?? 'story'
          const ending = { target: { kind, id: parameter(request, 'id') }, isClosed: isEnded }
          return comments.endThread(deps, commenterOf(asking), ending, envelope)
        },
        answer: ({ stream, state }) => ({
          status: 200,
          body: JSON.stringify({ target: targetOf(idOf(stream)), closed: isClosed(state) }),
        }),
      },
      edge,
    )
  const freezing = ({ isEnded, ...declared }: Ending): Route =>
    ownCommandRoute(
      {
        ...declared,
        tag,
        permission: 'comments:write',
        path: '/v1/comments/:id/freeze',
        description: 'For the authors of the work, and moderators: nothing more is said below it, nor edited there.',
        params: shown.CommentParams,
        request: { needs: 'an account', params: { id: shown.exampleComment } },
        answers: {
          200: {
            description: 'The branch as it is.',
            schema: shown.FrozenSchema,
            example: { id: shown.exampleComment, frozen: isEnded },
          },
        },
        problems: [...unseen, 'comments-not-open', 'comment-not-found', 'permission-denied'],
        run: async (request, asking, envelope) => {
          const ending = { id: parameter(request, 'id'), isFrozen: isEnded }
          return comments.freezeBranch(deps, commenterOf(asking), ending, envelope)
        },
        answer: async ({ state }, request) => {
          const id = parameter(request, 'id')
          const path = await comments.pathOf(deps, id)
          return { status: 200, body: JSON.stringify({ id, frozen: isFrozen(state, path) }) }
        },
      },
      edge,
    )
  return [
    closing({ method: 'POST', name: 'close-thread', summary: 'Close a thread', isEnded: true }),
    closing({ method: 'DELETE', name: 'reopen-thread', summary: 'Reopen a thread', isEnded: false }),
    freezing({ method: 'POST', name: 'freeze-branch', summary: 'Freeze what is said below a comment', isEnded: true }),
    freezing({ method: 'DELETE', name: 'thaw-branch', summary: 'Thaw what is said below a comment', isEnded: false }),
  ]
}

export const commentRoutes = (deps: comments.CommentDeps, commenterOf: CommenterOf, edge: Edge): readonly Route[] => [
  ...sayingRoutes(deps, commenterOf, edge),
  ...endingRoutes(deps, commenterOf, edge),
]
