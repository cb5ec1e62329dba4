/** What people think of works and comments: ratings, votes, and what becomes of them when an account is suspended. */

import { votesProblems } from '../../adapters/http/problems/votes.ts'
import { commentVoteRoutes } from '../../adapters/http/routes/comment-votes.ts'
import { ratingRoutes } from '../../adapters/http/routes/ratings.ts'
import { commentAggregate } from '../../domain/comment/comment.ts'
import { threadAggregate } from '../../domain/comment/thread.ts'
import { entryAggregate } from '../../domain/entry/state.ts'
import { relationsAggregate } from '../../domain/relation/relations.ts'
import { storyAggregate } from '../../domain/story/story.ts'
import { votesPermissions } from '../../domain/votes/permissions.ts'
import { votesAggregate } from '../../domain/votes/votes.ts'
import { commentVotesProjection } from '../../projections/comment-votes.ts'
import { commentsProjection, commentTextsProjection } from '../../projections/comments.ts'
import { ownRatingsProjection, ratingsProjection } from '../../projections/ratings.ts'
import { relationsProjection } from '../../projections/relations.ts'
import { commentVotes } from '../../queries/comment-votes.ts'
import { getComment } from '../../queries/comments.ts'
import { myRatings, ownRating, workRatings } from '../../queries/ratings.ts'
import { authorsVotesSubscriber, suspendedVotesSubscriber } from '../../subscribers/votes.ts'
import type { Area } from '../area.ts'
import { openPlaces } from '../comment-places.ts'
import type { Core } from '../core.ts'

const depsOf = ({ transactor }: Pick<Core, 'transactor'>) => ({
  votes: transactor(votesAggregate),
  stories: transactor(storyAggregate),
  entries: transactor(entryAggregate),
})

export const votes: Area = {
  name: 'votes',
  aggregates: [votesAggregate],
  projections: [ratingsProjection, ownRatingsProjection, commentVotesProjection],
  permissions: votesPermissions,
  problems: votesProblems,
  subscribers: ({ core }) => {
    const deps = { ...depsOf(core), clock: core.clock }
    return [suspendedVotesSubscriber(deps), authorsVotesSubscriber(deps)]
  },
  routes: ({ core, views, renderings, running: { people } }) => {
    const deps = depsOf(core)
    const reads = {
      ...deps,
      people,
      ratings: views.of(ratingsProjection),
      own: views.of(ownRatingsProjection),
    }
    const places = openPlaces(core)
    const threads = core.transactor(threadAggregate)
    const comments = core.transactor(commentAggregate)
    const relations = core.transactor(relationsAggregate)
    const oneComment = getComment({
      comments: views.of(commentsProjection),
      texts: views.of(commentTextsProjection),
      relations: views.of(relationsProjection),
      streams: comments,
      threads,
      places,
      people,
      render: renderings.whenever,
    })
    const counts = views.of(commentVotesProjection)
    const ofComments = commentVoteRoutes(
      { votes: deps.votes, comments, threads, relations, places },
      people,
      commentVotes({ votes: deps.votes, counts, getComment: oneComment }),
    )
    const ofWorks = ratingRoutes(deps, people, {
      ratings: { story: workRatings(reads, 'story'), entry: workRatings(reads, 'entry') },
      own: { story: ownRating(reads, 'story'), entry: ownRating(reads, 'entry') },
      mine: myRatings(reads),
    })
    return edge => [...ofWorks(edge), ...ofComments(edge)]
  },
}
