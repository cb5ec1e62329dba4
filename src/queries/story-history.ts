/** What happened to a story, newest first, read from its own stream. */
import Type, { type Static } from 'typebox'
import type { Log } from '../core/log/log.ts'
import { eventsAt } from '../core/log/revisions.ts'
import type { Page, Query } from '../core/query/define.ts'
import type { Transactor } from '../core/write/transact.ts'
import { defined } from '../domain/defined.ts'
import type { Recorded } from '../domain/event.ts'
import type { StoryEvent } from '../domain/story/events.ts'
import { isMember, type StorySight, type Viewer } from '../domain/story/sight.ts'
import { isAuthorOf, type Story, type StoryState, storyStream } from '../domain/story/story.ts'
import { isStoryEvent } from '../projections/stories.ts'
import type { OwnInput, StoryReads } from './stories.ts'
import { shownStory, storyAbsent, viewerOf } from './story-view.ts'

const text = Type.String()
export const StoryHappening = Type.Object(
  {
    revision: text,
    type: text,
    at: text,
    actor: Type.Object({ kind: text, id: text }),
    changes: Type.Optional(Type.Unknown({ description: 'Each changed member with its new value.' })),
    chapter: Type.Optional(text),
  },
  { $id: 'StoryHappening' },
)
export type StoryHappening = Static<typeof StoryHappening>

/** Of these readers are told, as far as they could see them happen. The rest is between its authors. */
const told: ReadonlySet<string> = new Set([
  'StoryEdited',
  'StoryPublished',
  'StoryUnpublished',
  'StoryCompleted',
  'StoryReopened',
  'ChapterShown',
  'ChapterHidden',
])

/** For whom it was then says its route: members were told of what strangers may see only now. */
const isToldTo = ({ type, meta: { route } }: Recorded<StoryEvent>, viewer: Viewer): boolean =>
  told.has(type) &&
  (route.visibility === 'public' ||
    (route.visibility === 'members' && (isMember(viewer) || viewer.permissions.has('stories:review'))))

const changesIn = (event: Recorded<StoryEvent>): unknown => {
  if (event.type === 'StoryEdited') return event.data.changes
  return event.type === 'StoryVisibilityChanged' ? { visibility: event.data.visibility } : undefined
}

/** Who is no author of it any more, or never was one, is named to nobody. */
const happening = (event: Recorded<StoryEvent>, story: Story): StoryHappening => {
  const { actor, at } = event.meta
  const isShown = actor.kind === 'system' || isAuthorOf(story, actor.id)
  const { data } = event
  return {
    revision: String(event.revision),
    type: event.type,
    at,
    actor: isShown ? { ...actor } : { kind: actor.kind, id: 'withheld' },
    ...defined({
      changes: changesIn(event),
      chapter: 'chapter' in data ? data.chapter : undefined,
    }),
  }
}

/** Events read for one page: it ends short where few of them are the reader's to be told of. */
const MOST_READ = 400
const AT_ONCE = 50

const pageBelow = async (
  log: Pick<Log, 'readStream'>,
  stream: string,
  { below, limit }: { readonly below: bigint; readonly limit: number },
  wanted: (event: Recorded<StoryEvent>) => boolean,
) => {
  const items: Recorded<StoryEvent>[] = []
  let from = below
  for (let read = 0; from > 0n && read < MOST_READ && items.length < limit; read += AT_ONCE) {
    const count = from < BigInt(AT_ONCE) ? Number(from) : AT_ONCE
    const revisions = Array.from({ length: count }, (_, n) => from - 1n - BigInt(n))
    const events = await eventsAt(log, stream, revisions)
    for (const revision of revisions) {
      from = revision
      const event = events.get(revision)
      // Its key is gone already.
      if (event?.removed) return undefined
      if (event && isStoryEvent(event) && wanted(event)) items.push(event)
      if (items.length === limit) break
    }
  }
  return { items, below: from }
}

/** To its authors all of it; to others what they could see as it happened. */
export const storyHistory = (
  reads: Pick<StoryReads, 'log' | 'people'> & { readonly streams: Pick<Transactor<StoryState, StoryEvent>, 'load'> },
): Query<OwnInput & { readonly id: string; readonly adult: boolean }, Page<StoryHappening>> => ({
  name: 'story-history',
  permission: 'stories:read',
  people: shown => {
    const { actor }: { readonly actor?: { readonly id?: unknown } } = Object(shown)
    return typeof actor?.id === 'string' ? [actor.id] : []
  },
  output: Type.Object({ items: Type.Array(StoryHappening), next: Type.Union([text, Type.Null()]) }),
  reads: [],
  closed: ['limit', 'adult'],
  run: async ({ id, adult, limit, after }, reader) => {
    const position = await reads.log.head()
    const { state, revision } = await reads.streams.load(storyStream(id))
    const viewer = viewerOf(reader, reads.people, adult)
    const shown = shownStory(state, viewer)
    if ('refused' in shown || revision === 'none') return 'refused' in shown ? shown : storyAbsent()
    const sight: StorySight = shown.sight
    const below = typeof after?.key === 'string' ? BigInt(after.key) : revision + 1n
    const wanted = (event: Recorded<StoryEvent>): boolean => sight === 'authored' || isToldTo(event, viewer)
    const page = await pageBelow(reads.log, storyStream(id), { below, limit }, wanted)
    if (!page) return storyAbsent()
    const items = page.items.map(event => happening(event, shown.story))
    return { value: { items, next: page.below > 0n ? { generation: 'log', key: String(page.below) } : null }, position }
  },
})
