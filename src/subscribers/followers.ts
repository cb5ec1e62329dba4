/**
 * Whoever follows a story, one of its authors, a series that it is in or one of its tags is told once of each chapter that is published
 * in it: by an event on their own shelf, from which the channel `me` and the mail are made. What a follower may not see as it stands when
 * this is done, they are not told of.
 */

import type { View } from '../core/project/view.ts'
import { type Subscriber, subscriber } from '../core/subscribe/define.ts'
import type { Transactor } from '../core/write/transact.ts'
import { type ChapterState, chapterCategory, chapterIdOf } from '../domain/chapter/chapter.ts'
import { type ChapterEvent, ChapterPublished } from '../domain/chapter/events.ts'
import type { Recorded } from '../domain/event.ts'
import { actorId, stepId } from '../domain/ids.ts'
import { OwnError } from '../domain/own-error.ts'
import { isRefusal } from '../domain/refusal.ts'
import {
  type Shelf,
  type ShelfEvent,
  shelfStream,
  subscriptionKey,
  tagTarget,
  tellFollower,
} from '../domain/shelf/shelf.ts'
import { tagKey } from '../domain/story/content.ts'
import { type StoryEvent, StoryPublished } from '../domain/story/events.ts'
import {
  type Story,
  type StoryState,
  shownChapters,
  storyCategory,
  storyIdOf,
  storyStream,
} from '../domain/story/story.ts'
import type { Clock } from '../ports/clock.ts'
import type { SeriesDocument } from '../projections/series.ts'
import type { SubscriptionDocument } from '../projections/shelf.ts'

export type FollowerDeps = {
  readonly stories: Pick<Transactor<StoryState, StoryEvent>, 'load'>
  readonly chapters: Pick<Transactor<ChapterState, ChapterEvent>, 'load'>
  readonly shelves: Pick<Transactor<Shelf, ShelfEvent>, 'run'>
  readonly subscriptions: Pick<View<SubscriptionDocument>, 'select' | 'waitFor'>
  readonly series: Pick<View<SeriesDocument>, 'select'>
  /** May the account be told of this story now, and does it want to be? */
  readonly mayBeTold: (accountId: string, story: Story) => Promise<boolean>
  readonly clock: Pick<Clock, 'now'>
}

const teller = { kind: 'system', id: actorId('system', 'followers') } as const
const PAGE = 1_000

type News = { readonly story: string; readonly chapters: readonly string[] }

/** What is new by the event, the first time that it is: what was unpublished and is published again is no news. */
const newsOf = async ({ stories, chapters }: FollowerDeps, event: Recorded): Promise<News | undefined> => {
  const { at } = event.meta
  if (event.type === StoryPublished.type) {
    const { state } = await stories.load(event.stream)
    return state?.publishedAt === at ? { story: storyIdOf(event), chapters: shownChapters(state) } : undefined
  }
  const { state: chapter } = await chapters.load(event.stream)
  if (!chapter?.isPublished || chapter.publishedAt !== at) return undefined
  const { state: story } = await stories.load(storyStream(chapter.story))
  // Published before its story it is told of with that.
  const isLater = story?.publishedAt !== undefined && story.publishedAt < at
  return isLater ? { story: chapter.story, chapters: [chapterIdOf(event)] } : undefined
}

/** All that somebody may follow it by. */
const followedIn = async ({ series }: FollowerDeps, id: string, story: Story): Promise<readonly string[]> => {
  const where = [{ member: 'stories', op: 'any' as const, value: [id] }]
  const { documents } = await series.select({ where, order: [], limit: PAGE }, ['author'])
  return [
    subscriptionKey('story', id),
    ...story.authors.map(author => subscriptionKey('author', author)),
    ...documents.map(document => subscriptionKey('series', document.id)),
    ...story.tags.map(tag => subscriptionKey('tag', tagTarget(tagKey(tag)))),
  ]
}

/** Each once, however many ways they follow it, and none of its authors. */
const followersOf = async (
  deps: FollowerDeps,
  followed: readonly string[],
  story: Story,
): Promise<ReadonlySet<string>> => {
  const found = new Set<string>()
  for (const value of followed) {
    const where = [{ member: 'followed', op: 'eq' as const, value }]
    let after: readonly unknown[] | null = null
    do {
      const from = after === null ? {} : { after: [String(after.at(-1))] }
      const page = await deps.subscriptions.select({ where, order: [], limit: PAGE, ...from }, ['accountId'])
      for (const { members } of page.documents) found.add(String(members[0]))
      after = page.next
    } while (after !== null)
  }
  for (const author of story.authors) found.delete(author)
  return found
}

export const followerSubscriber = (deps: FollowerDeps): Subscriber => {
  const tell = async (event: Recorded): Promise<void> => {
    const news = await newsOf(deps, event)
    if (!news) return
    const { state: story } = await deps.stories.load(storyStream(news.story))
    if (!story?.isPublished) return
    // Who followed before it was published is among them.
    await deps.subscriptions.waitFor(event.position)
    const followers = await followersOf(deps, await followedIn(deps, news.story, story), story)
    for (const accountId of followers) {
      if (!(await deps.mayBeTold(accountId, story))) continue
      const envelope = {
        commandId: stepId(event.id, accountId),
        actor: teller,
        correlationId: event.meta.correlationId,
        at: deps.clock.now(),
      }
      const stream = shelfStream(accountId, news.story)
      const told = await deps.shelves.run(stream, tellFollower(accountId, news.story, news.chapters), envelope)
      if (isRefusal(told)) throw new OwnError(`a follower was not told: ${told.refused}`)
    }
  }
  return subscriber({
    name: 'followers',
    categories: [storyCategory, chapterCategory],
    types: [StoryPublished.type, ChapterPublished.type],
    from: 'now',
    // Read models that are behind catch up.
    attempts: 20,
    handle: async (events, signal) => {
      for (const event of events) {
        signal.throwIfAborted()
        await tell(event)
      }
    },
  })
}
