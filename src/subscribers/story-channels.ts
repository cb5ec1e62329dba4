/**
 * The channels `stories` and `story:<id>`: what readers could see happen to what is listed for them. Who sees an event is decided by
 * `meta.route`, which says for whom the story was then, and by that of the last event that changed it, which says for whom it is now.
 * What is sent are ids and counts: titles and all other text are read where their sight is decided anew.
 */
import type { Carried, Listener, LiveChannel, Telling } from '../core/live/channels.ts'
import { idMember, typeMember } from '../core/live/filter-members.ts'
import { closedSchema, membersOf, textSchema } from '../core/live/schemas.ts'
import { shownOf } from '../core/live/sight.ts'
import type { StandingRule } from '../core/live/standings.ts'
import { defined } from '../domain/defined.ts'
import type { Visibility } from '../domain/event.ts'
import { idOf } from '../domain/ids.ts'
import {
  ChapterShown,
  StoryCompleted,
  StoryDeleted,
  StoryEdited,
  StoryHeld,
  StoryPublished,
  StoryReleased,
  StoryReopened,
  StoryUnpublished,
  StoryVisibilityChanged,
} from '../domain/story/events.ts'
import { languageMember } from './language-filter.ts'

/** What says for whom a story is from then on. */
export const storyStandings: readonly StandingRule[] = [
  { type: StoryEdited, says: 'routed' },
  { type: StoryVisibilityChanged, says: 'routed' },
  { type: StoryPublished, says: 'routed' },
  { type: StoryUnpublished, says: 'routed' },
  { type: StoryHeld, says: 'routed' },
  { type: StoryReleased, says: 'routed' },
  { type: StoryDeleted, says: 'removed' },
]

const told = [StoryPublished, StoryCompleted, StoryReopened, ChapterShown].map(({ type }) => type)

const isMember = ({ actor, permissions }: Listener): boolean =>
  (actor?.kind === 'account' && permissions.has('account:use')) || permissions.has('stories:review')

/** What is its authors' is told on no channel. */
const isFor = (visibility: Visibility, listener: Listener): boolean =>
  visibility === 'public' || (visibility === 'members' && isMember(listener))

const isSeen = ({ event, listener, standing }: Telling): boolean => {
  const now = standing(event.stream)
  const { visibility } = event.meta.route
  return now?.removed !== true && isFor(visibility, listener) && isFor(now?.visibility ?? visibility, listener)
}

const carried: Carried = {
  from: { types: told },
  scope: listener => (isMember(listener) ? 'members' : 'public'),
  wants: isSeen,
  data: telling => ({
    storyId: idOf(telling.event.stream),
    revision: String(telling.event.revision),
    ...defined({ language: telling.event.meta.route.language }),
    ...shownOf(telling, true).data,
  }),
  schema: type => {
    const { properties, required } = membersOf(type)
    return closedSchema({ storyId: textSchema, revision: textSchema, language: textSchema, ...properties }, [
      'storyId',
      'revision',
      ...required,
    ])
  },
}

export const storiesChannel: LiveChannel = {
  name: 'stories',
  about: 'What happens to stories that are listed for you.',
  needs: 'stories:read',
  filters: { language: languageMember, type: typeMember, storyId: idMember },
  carried,
}

export const storyChannel: LiveChannel = {
  name: 'story:{id}',
  about: 'What happens to one story that is listed for you.',
  needs: 'stories:read',
  filters: { type: typeMember },
  carried: {
    ...carried,
    wants: telling => idOf(telling.event.stream) === telling.id && isSeen(telling),
  },
}
