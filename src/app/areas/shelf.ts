/** What readers keep of stories: bookmarks, subscriptions, progress, reading lists; and how they take them away: feeds, books. */

import { shelfProblems } from '../../adapters/http/problems/shelf.ts'
import { readingListRoutes } from '../../adapters/http/routes/reading-lists.ts'
import { openOwner, shelfRoutes } from '../../adapters/http/routes/shelf.ts'
import { storyExportRoute } from '../../adapters/http/routes/story-export.ts'
import { storyFeedRoutes } from '../../adapters/http/routes/story-feeds.ts'
import { subscriptionRoutes } from '../../adapters/http/routes/subscriptions.ts'
import { openView } from '../../core/project/view.ts'
import { chapterAggregate } from '../../domain/chapter/chapter.ts'
import { shelfPermissions } from '../../domain/shelf/permissions.ts'
import { ReadingListDeleted, readingListAggregate } from '../../domain/shelf/reading-list.ts'
import { FollowedPublished, ShelfCleared, shelfAggregate } from '../../domain/shelf/shelf.ts'
import { seriesAggregate } from '../../domain/story/series.ts'
import { storyAggregate } from '../../domain/story/story.ts'
import { chaptersProjection, chapterTextsProjection } from '../../projections/chapters.ts'
import { readingListsProjection } from '../../projections/reading-lists.ts'
import { relationsProjection } from '../../projections/relations.ts'
import { seriesProjection } from '../../projections/series.ts'
import { bookmarksProjection, progressProjection, subscriptionsProjection } from '../../projections/shelf.ts'
import { storiesProjection } from '../../projections/stories.ts'
import { getChapter, listChapters } from '../../queries/chapters.ts'
import { getReadingList, myReadingLists } from '../../queries/reading-lists.ts'
import { myBookmarks, myProgress, mySubscriptions, storyBookmarks } from '../../queries/shelf.ts'
import { getStory } from '../../queries/stories.ts'
import { listStories } from '../../queries/story-lists.ts'
import { followerSubscriber } from '../../subscribers/followers.ts'
import type { Area } from '../area.ts'
import { openMayBeTold } from '../followers.ts'

export const shelf: Area = {
  name: 'shelf',
  aggregates: [shelfAggregate, readingListAggregate],
  projections: [bookmarksProjection, subscriptionsProjection, progressProjection, readingListsProjection],
  removals: [{ type: ShelfCleared }, { type: ReadingListDeleted }],
  permissions: shelfPermissions,
  problems: shelfProblems,
  notices: [{ events: [FollowedPublished], unless: 'chapters' }],
  subscribers: ({ core }) => {
    const { reads: store, clock, freshness, transactor } = core
    return [
      followerSubscriber({
        stories: transactor(storyAggregate),
        chapters: transactor(chapterAggregate),
        shelves: transactor(shelfAggregate),
        subscriptions: openView({ projection: subscriptionsProjection, store, clock, freshness }),
        series: openView({ projection: seriesProjection, store, clock, freshness }),
        mayBeTold: openMayBeTold(core),
        clock,
      }),
    ]
  },
  routes: ({ core, views, renderings, running: { people } }) => {
    const deps = {
      shelves: core.transactor(shelfAggregate),
      lists: core.transactor(readingListAggregate),
      stories: core.transactor(storyAggregate),
      series: core.transactor(seriesAggregate),
    }
    const reads = {
      stories: deps.stories,
      people,
      bookmarks: views.of(bookmarksProjection),
      subscriptions: views.of(subscriptionsProjection),
      progress: views.of(progressProjection),
      lists: views.of(readingListsProjection),
      relations: views.of(relationsProjection),
    }
    const queries = {
      bookmarks: myBookmarks(reads),
      progress: myProgress(reads),
      publicBookmarks: storyBookmarks(reads),
    }
    const ownerOf = openOwner(people)
    const ofShelf = shelfRoutes(deps, ownerOf, queries)
    const ofLists = readingListRoutes(deps, ownerOf, { mine: myReadingLists(reads), one: getReadingList(reads) })
    const ofSubscriptions = subscriptionRoutes(deps, ownerOf, mySubscriptions(reads))
    const told = {
      stories: views.of(storiesProjection),
      series: views.of(seriesProjection),
      relations: reads.relations,
      chapters: views.of(chaptersProjection),
      texts: views.of(chapterTextsProjection),
      log: core.log,
      people,
    }
    const files = {
      getStory: getStory(told),
      listStories: listStories(told),
      listChapters: listChapters(told),
      // A file that has begun waits for all its chapters.
      getChapter: getChapter({ ...told, render: renderings.whenever }),
      people,
    }
    return edge => [
      ...ofShelf(edge),
      ...ofSubscriptions(edge),
      ...ofLists(edge),
      ...storyFeedRoutes(files, edge),
      storyExportRoute(files, edge),
    ]
  },
}
