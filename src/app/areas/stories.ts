/** Stories: what people write, alone or together, and series of them. */

import { storyProblems } from '../../adapters/http/problems/stories.ts'
import { seriesRoutes } from '../../adapters/http/routes/series.ts'
import { storyCommandRoutes } from '../../adapters/http/routes/stories.ts'
import { storyQueryRoutes } from '../../adapters/http/routes/story-reading.ts'
import { publishPlanned } from '../../commands/planned-stories.ts'
import { isBlockedBetween } from '../../commands/relations.ts'
import { accountAggregate, accountStream } from '../../domain/account/account.ts'
import { endFault } from '../../domain/account/standing.ts'
import type { Recorded } from '../../domain/event.ts'
import { streamName } from '../../domain/ids.ts'
import { relationsAggregate } from '../../domain/relation/relations.ts'
import { StoryDeleted } from '../../domain/story/events.ts'
import { storyPermissions } from '../../domain/story/permissions.ts'
import { SeriesDeleted, seriesAggregate } from '../../domain/story/series.ts'
import { isAuthorOf, storyAggregate, storyStream } from '../../domain/story/story.ts'
import { relationsProjection } from '../../projections/relations.ts'
import { seriesProjection } from '../../projections/series.ts'
import { storiesProjection } from '../../projections/stories.ts'
import { getSeries } from '../../queries/series.ts'
import { listSeries } from '../../queries/series-lists.ts'
import { getStory, ownInvitations, ownStories } from '../../queries/stories.ts'
import { storyHistory } from '../../queries/story-history.ts'
import { listStories } from '../../queries/story-lists.ts'
import { listTags } from '../../queries/tags.ts'
import { storiesChannel, storyChannel, storyStandings } from '../../subscribers/story-channels.ts'
import { storyPublicationJobs, storyScheduleSubscriber } from '../../subscribers/story-schedule.ts'
import type { Area, Service } from '../area.ts'
import type { Core } from '../core.ts'

const isThere =
  ({ transactor }: Pick<Core, 'transactor'>) =>
  async (accountId: string): Promise<boolean> =>
    endFault((await transactor(accountAggregate).load(accountStream(accountId))).state) === undefined

const isApart =
  ({ transactor }: Pick<Core, 'transactor'>) =>
  async (accountId: string, storyId: string): Promise<boolean> => {
    const { state } = await transactor(storyAggregate).load(storyStream(storyId))
    return isBlockedBetween({ relations: transactor(relationsAggregate) }, accountId, state?.authors ?? [])
  }

/** By the read model, and what that does not say yet by the streams. */
const openOwnOf =
  ({ core, views }: Pick<Service, 'core' | 'views'>) =>
  async (account: string, ids: readonly string[]): Promise<ReadonlySet<string>> => {
    const documents = ids.length > 0 ? await views.of(storiesProjection).get(ids) : new Map<string, never>()
    const own = new Set<string>()
    for (const id of ids) {
      const story = documents.get(id)?.body ?? (await core.transactor(storyAggregate).load(storyStream(id))).state
      if (story && !story.isDeleted && isAuthorOf(story, account)) own.add(id)
    }
    return own
  }

/** The story's own text, and that of all its chapters. */
const textOf = (event: Recorded): readonly string[] => {
  const { chapters } = event.data
  const ids = Array.isArray(chapters) ? chapters.map(String) : []
  return [event.stream, ...ids.map(id => streamName('chapter', id))]
}

export const stories: Area = {
  name: 'stories',
  aggregates: [storyAggregate, seriesAggregate],
  projections: [storiesProjection, seriesProjection],
  channels: [storiesChannel, storyChannel],
  standings: storyStandings,
  removals: [{ type: StoryDeleted, streams: textOf }, { type: SeriesDeleted }],
  permissions: storyPermissions,
  problems: storyProblems,
  subscribers: ({ core }) => [storyScheduleSubscriber(core.jobs)],
  jobs: ({ transactor, clock, newId }) => [
    storyPublicationJobs(publishPlanned({ stories: transactor(storyAggregate), clock, newId })),
  ],
  routes: service => {
    const { core, views, running } = service
    const transactor = core.transactor(storyAggregate)
    const series = views.of(seriesProjection)
    const reads = {
      stories: views.of(storiesProjection),
      log: core.log,
      people: running.people,
      series,
      relations: views.of(relationsProjection),
    }
    const queries = {
      getStory: getStory(reads),
      listStories: listStories(reads),
      ownStories: ownStories(reads),
      ownInvitations: ownInvitations(reads),
      storyHistory: storyHistory({ ...reads, streams: transactor }),
      listTags: listTags({ stories: reads.stories, clock: core.clock }),
    }
    return edge => [
      ...storyCommandRoutes({ transactor, isThere: isThere(core), isApart: isApart(core) }, edge),
      ...storyQueryRoutes(queries, edge),
      ...seriesRoutes(
        {
          transactor: core.transactor(seriesAggregate),
          getSeries: getSeries(reads),
          listSeries: listSeries(reads),
          ownOf: openOwnOf(service),
        },
        edge,
      ),
    ]
  },
}
