/** What people think of works: ratings of stories and entries, and what becomes of them when an account is suspended. */

import { votesProblems } from '../../adapters/http/problems/votes.ts'
import { ratingRoutes } from '../../adapters/http/routes/ratings.ts'
import { entryAggregate } from '../../domain/entry/state.ts'
import { storyAggregate } from '../../domain/story/story.ts'
import { votesPermissions } from '../../domain/votes/permissions.ts'
import { votesAggregate } from '../../domain/votes/votes.ts'
import { ownRatingsProjection, ratingsProjection } from '../../projections/ratings.ts'
import { myRatings, ownRating, workRatings } from '../../queries/ratings.ts'
import { authorsVotesSubscriber, suspendedVotesSubscriber } from '../../subscribers/votes.ts'
import type { Area } from '../area.ts'
import type { Core } from '../core.ts'

const depsOf = ({ transactor }: Pick<Core, 'transactor'>) => ({
  votes: transactor(votesAggregate),
  stories: transactor(storyAggregate),
  entries: transactor(entryAggregate),
})

export const votes: Area = {
  name: 'votes',
  aggregates: [votesAggregate],
  projections: [ratingsProjection, ownRatingsProjection],
  permissions: votesPermissions,
  problems: votesProblems,
  subscribers: ({ core }) => {
    const deps = { ...depsOf(core), clock: core.clock }
    return [suspendedVotesSubscriber(deps), authorsVotesSubscriber(deps)]
  },
  routes: ({ core, views, running: { people } }) => {
    const deps = depsOf(core)
    const reads = {
      ...deps,
      people,
      ratings: views.of(ratingsProjection),
      own: views.of(ownRatingsProjection),
    }
    return ratingRoutes(deps, people, {
      ratings: { story: workRatings(reads, 'story'), entry: workRatings(reads, 'entry') },
      own: { story: ownRating(reads, 'story'), entry: ownRating(reads, 'entry') },
      mine: myRatings(reads),
    })
  },
}
