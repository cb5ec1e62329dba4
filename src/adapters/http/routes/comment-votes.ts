/** Votes for comments: giving one, taking it away, and how they stand. */
import Type from 'typebox'
import * as votes from '../../../commands/comment-votes.ts'
import { UUID } from '../../../domain/forms.ts'
import type { People } from '../../../projections/people.ts'
import {
  CommentVotesSchema,
  type commentVotes,
  OwnCommentVoteSchema,
  ownVoteOf,
} from '../../../queries/comment-votes.ts'
import type { Routes } from '../edge.ts'
import { ownCommandRoute } from '../own-command.ts'
import type { EdgeRequest } from '../route.ts'
import { itemRoute } from '../route-query.ts'
import { reading } from './account-edge.ts'
import { openOwner } from './shelf.ts'
import { at } from './shelf-schemas.ts'

const strict = { additionalProperties: false }
const params = Type.Object({ id: Type.String({ pattern: UUID, description: 'The id of the comment.' }) })
/** Whatever is sent for `value` is judged where votes are, which says what they are. */
const VoteBody = Type.Object(
  { value: Type.Unknown({ description: '1 for the comment, -1 against it.', examples: [1] }) },
  { ...strict, $id: 'VoteForComment' },
)
const readVote = reading(VoteBody)
const exampleComment = '2c1d4b6a-7e90-5c3a-8f0e-0b0f7f5e9a51'
const request = { needs: 'an account', params: { id: exampleComment } } as const
const own = { tag: 'Comments', permission: 'ratings:write', path: '/v1/comments/:id/vote', params } as const
const idOf = ({ params: { id = '' } }: EdgeRequest): string => id.toLowerCase()

export const commentVoteRoutes =
  (deps: votes.CommentVoteDeps, people: Pick<People, 'wantsAdult'>, query: ReturnType<typeof commentVotes>): Routes =>
  edge => {
    const ownerOf = openOwner(people)
    return [
      ownCommandRoute(
        {
          ...own,
          method: 'PUT',
          name: 'vote-for-comment',
          summary: 'Vote for a comment, or against it',
          description: 'Or change the vote. The same again writes nothing.',
          body: VoteBody,
          request: { ...request, body: { value: 1 } },
          answers: {
            200: {
              description: 'Your vote.',
              schema: OwnCommentVoteSchema,
              example: { commentId: exampleComment, value: 1, votedAt: at },
            },
          },
          problems: ['comment-not-found', 'vote-invalid', 'own-work', 'votes-full', 'account-suspended'],
          run: async (asked, asking, envelope) =>
            votes.voteFor(deps, ownerOf(asking), { comment: idOf(asked), value: readVote(asked.body).value }, envelope),
          answer: ({ state }, asked) => ({ status: 200, body: JSON.stringify(ownVoteOf(state, idOf(asked))) }),
        },
        edge,
      ),
      ownCommandRoute(
        {
          ...own,
          method: 'DELETE',
          name: 'unvote-comment',
          summary: 'Take your vote for a comment away',
          description: 'Whether or not you may still see it.',
          request,
          answers: { 204: { description: 'You have no vote there, or no longer.' } },
          problems: [],
          run: async (asked, asking, envelope) => votes.unvote(deps, asking, idOf(asked), envelope),
          answer: () => ({ status: 204 }),
        },
        edge,
      ),
      itemRoute(
        {
          tag: 'Comments',
          path: '/v1/comments/:id/votes',
          params,
          summary: 'How a comment is voted for',
          description: 'What suspended accounts gave does not count. `yours` is what you gave.',
          querystring: Type.Object(
            { adult: Type.Optional(Type.Boolean({ description: 'You want to see what is for adults.' })) },
            strict,
          ),
          query,
          input: ({ id, query: { adult } }) => ({ id: id.toLowerCase(), adult: adult === true }),
          request,
          answers: {
            200: {
              description: 'Its votes.',
              schema: CommentVotesSchema,
              example: { up: 3, down: 1, score: 2, yours: 1 },
            },
          },
          problems: ['comment-not-found', 'adult-content'],
        },
        edge,
      ),
    ]
  }
