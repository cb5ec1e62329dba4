/**
 * What was said about a work goes with it: nobody reaches it any more, who said it included, and it may repeat what was to be gone. What was
 * posted while the work went is found as it is posted. Repeating it, or going on where a process ended, is harmless.
 */
import type { View } from '../core/project/view.ts'
import { type Subscriber, subscriber } from '../core/subscribe/define.ts'
import type { Transactor } from '../core/write/transact.ts'
import { chapterCategory } from '../domain/chapter/chapter.ts'
import { ChapterDeleted } from '../domain/chapter/events.ts'
import { type CommentState, commentCategory, commentStream } from '../domain/comment/comment.ts'
import { deleteCommentWithWork } from '../domain/comment/decisions.ts'
import { type CommentEvent, CommentPosted } from '../domain/comment/events.ts'
import { type Target, type TargetKind, threadOf } from '../domain/comment/target.ts'
import { defined } from '../domain/defined.ts'
import { entryCategory } from '../domain/entry/entry.ts'
import { EntryRedacted } from '../domain/entry/events.ts'
import type { Json, Recorded } from '../domain/event.ts'
import { actorId, idOf, stepId } from '../domain/ids.ts'
import { OwnError } from '../domain/own-error.ts'
import { isRefusal } from '../domain/refusal.ts'
import { StoryDeleted } from '../domain/story/events.ts'
import { storyCategory } from '../domain/story/story.ts'
import type { Clock } from '../ports/clock.ts'
import { type CommentDocument, isCommentEvent } from '../projections/comments.ts'

export type LeftCommentsDeps = {
  readonly comments: Pick<Transactor<CommentState, CommentEvent>, 'run'>
  readonly places: Pick<View<CommentDocument>, 'select' | 'waitFor'>
  /** Was it deleted, or its text removed? */
  readonly isGone: (target: Target) => Promise<boolean>
  readonly clock: Pick<Clock, 'now'>
}

const leaver = { kind: 'system', id: actorId('system', 'left-comments') } as const
const PAGE = 1_000
/** Comments that are deleted at once. */
const AT_ONCE = 8

/** What is gone by the event. The chapters of a story have events of their own. */
const goneBy: ReadonlyMap<string, TargetKind> = new Map([
  [StoryDeleted.type, 'story'],
  [ChapterDeleted.type, 'chapter'],
  [EntryRedacted.type, 'entry'],
])

export const leftCommentsSubscriber = (deps: LeftCommentsDeps): Subscriber => {
  const leave = async (id: string, event: Recorded): Promise<void> => {
    const envelope = {
      commandId: stepId(event.id, id),
      actor: leaver,
      correlationId: event.meta.correlationId,
      at: deps.clock.now(),
    }
    const deleted = await deps.comments.run(commentStream(id), deleteCommentWithWork, envelope)
    if (isRefusal(deleted)) throw new OwnError(`the comment ${id} was not deleted: ${deleted.refused}`)
  }

  const leaveThread = async (target: Target, event: Recorded, signal: AbortSignal): Promise<void> => {
    // Who said something before it went is among them.
    await deps.places.waitFor(event.position)
    const where = [{ member: 'listed', op: 'eq' as const, value: threadOf(target) }]
    let after: readonly Json[] | undefined
    do {
      const page = await deps.places.select({ where, order: ['path'], limit: PAGE, ...defined({ after }) }, ['path'])
      for (let at = 0; at < page.documents.length; at += AT_ONCE) {
        signal.throwIfAborted()
        await Promise.all(page.documents.slice(at, at + AT_ONCE).map(({ id }) => leave(id, event)))
      }
      after = page.next ?? undefined
    } while (after !== undefined)
  }

  return subscriber({
    name: 'left-comments',
    categories: [storyCategory, chapterCategory, entryCategory, commentCategory],
    types: [...goneBy.keys(), CommentPosted.type],
    // Read models that are behind catch up.
    attempts: 20,
    handle: async (events, signal) => {
      for (const event of events) {
        signal.throwIfAborted()
        const kind = goneBy.get(event.type)
        if (kind) await leaveThread({ kind, id: idOf(event.stream) }, event, signal)
        else if (isCommentEvent(event) && event.type === 'CommentPosted' && (await deps.isGone(event.data.target)))
          await leave(idOf(event.stream), event)
      }
    },
  })
}
