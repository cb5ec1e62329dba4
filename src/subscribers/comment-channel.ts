/**
 * The channel `comments:<thread>`: that something is said, changed or gone in the thread of a story, a chapter or an entry. What is sent
 * are ids: what a comment says, and whose it is, is read where its sight is decided anew, so that blocks hold here as there. Who is told
 * follows from whom the work was for then, by `meta.route`, and from whom it is for now.
 */
import type { Listener, LiveChannel, Telling } from '../core/live/channels.ts'
import { typeMember } from '../core/live/filter-members.ts'
import { closedSchema, textSchema } from '../core/live/schemas.ts'
import type { StandingRule } from '../core/live/standings.ts'
import { chapterStream } from '../domain/chapter/chapter.ts'
import { ChapterDeleted, ChapterPublished, ChapterUnpublished } from '../domain/chapter/events.ts'
import { commentEvents } from '../domain/comment/events.ts'
import { targetOf } from '../domain/comment/target.ts'
import { defined } from '../domain/defined.ts'
import { entryStream } from '../domain/entry/entry.ts'
import type { Visibility } from '../domain/event.ts'
import { UUID } from '../domain/forms.ts'
import { idOf } from '../domain/ids.ts'
import { storyStream } from '../domain/story/story.ts'

/** Beside what the areas of stories and entries say of theirs. */
export const commentStandings: readonly StandingRule[] = [
  { type: ChapterPublished, says: 'restored' },
  { type: ChapterUnpublished, says: 'retired' },
  { type: ChapterDeleted, says: 'removed' },
]

const isMember = ({ actor, permissions }: Listener): boolean =>
  (actor?.kind === 'account' && permissions.has('account:use')) || permissions.has('comments:moderate')

const isFor = (visibility: Visibility, listener: Listener): boolean =>
  visibility === 'public' || (visibility === 'members' && isMember(listener))

/** The streams that say whether it may be seen: of a chapter its story's too. */
const streamsOf = (thread: string, story: unknown): readonly string[] => {
  const target = targetOf(thread)
  if (!target) return []
  if (target.kind === 'entry') return [entryStream(target.id)]
  const stories = typeof story === 'string' ? [storyStream(story)] : []
  return target.kind === 'chapter' ? [chapterStream(target.id), ...stories] : stories
}

const isSeen = ({ event, listener, standing }: Telling): boolean => {
  const { visibility } = event.meta.route
  if (!isFor(visibility, listener)) return false
  const streams = streamsOf(String(event.data['thread']), event.data['story'])
  const isNow = (stream: string): boolean => {
    const now = standing(stream)
    return !(now?.removed || now?.retired) && isFor(now?.visibility ?? visibility, listener)
  }
  return streams.length > 0 && streams.every(isNow)
}

export const commentsChannel: LiveChannel = {
  name: 'comments:{id}',
  ids: `(?:story|chapter|entry)-${UUID.slice(1, -1).replaceAll('[0-9a-fA-F]', '[0-9a-f]')}`,
  about: 'What is said, changed and gone in the comments on a story, a chapter or an entry that is listed for you.',
  needs: 'comments:read',
  filters: { type: typeMember },
  carried: {
    from: { types: commentEvents.map(({ type }) => type) },
    scope: listener => (isMember(listener) ? 'members' : 'public'),
    wants: telling => telling.event.data['thread'] === telling.id && isSeen(telling),
    data: ({ event: { stream, data } }) => ({
      commentId: idOf(stream),
      thread: String(data['thread']),
      ...defined({ parent: typeof data['parent'] === 'string' ? data['parent'] : undefined }),
    }),
    schema: ({ type }) =>
      closedSchema(
        {
          commentId: textSchema,
          thread: textSchema,
          ...defined({ parent: type === 'CommentPosted' ? textSchema : undefined }),
        },
        ['commentId', 'thread'],
      ),
  },
}
