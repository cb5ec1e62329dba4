/**
 * Whoever is answered or mentioned, and whoever wrote what a comment is about, is told of it once: by an event of their own, from which the
 * channel `me` and the mail are made. What is held back, or came too late for its thread, nobody is told of; the latter is held here.
 */
import { type Subscriber, subscriber } from '../core/subscribe/define.ts'
import type { Transactor } from '../core/write/transact.ts'
import {
  type Comment,
  type CommentState,
  commentCategory,
  commentIdOf,
  commentStream,
  isStanding,
} from '../domain/comment/comment.ts'
import { holdComment } from '../domain/comment/decisions.ts'
import { type CommentEvent, CommentPosted, CommentReleased, type ThreadEvent } from '../domain/comment/events.ts'
import { type Notice, type NoticeEvent, noticeStream, tellOfComment, toldOf } from '../domain/comment/notice.ts'
import { isTooLate, type Thread, threadStream } from '../domain/comment/thread.ts'
import type { Recorded } from '../domain/event.ts'
import { actorId, stepId } from '../domain/ids.ts'
import { OwnError } from '../domain/own-error.ts'
import { isRefusal, type Refusal } from '../domain/refusal.ts'
import type { Clock } from '../ports/clock.ts'

export type CommentNoticeDeps = {
  readonly comments: Pick<Transactor<CommentState, CommentEvent>, 'load' | 'run'>
  readonly threads: Pick<Transactor<Thread, ThreadEvent>, 'load'>
  readonly notices: Pick<Transactor<Notice, NoticeEvent>, 'run'>
  /** Whose work it is that the comment is about. */
  readonly authorsOf: (comment: Comment) => Promise<readonly string[]>
  /** May the account be told of this comment now, and does it want to be? */
  readonly mayBeTold: (accountId: string, comment: Comment) => Promise<boolean>
  readonly clock: Pick<Clock, 'now'>
}

const teller = { kind: 'system', id: actorId('system', 'comment-notices') } as const

export const commentNoticeSubscriber = (deps: CommentNoticeDeps): Subscriber => {
  const envelope = (event: Recorded, step: string) => ({
    commandId: stepId(event.id, step),
    actor: teller,
    correlationId: event.meta.correlationId,
    at: deps.clock.now(),
  })
  const must = (result: object | Refusal): void => {
    if (isRefusal(result)) throw new OwnError(`nobody was told: ${result.refused}`)
  }

  /** From then on its counts are of what shows. */
  const holdLate = async (id: string, comment: Comment, event: Recorded): Promise<boolean> => {
    const { state: thread } = await deps.threads.load(threadStream(comment.thread))
    if (!isTooLate(thread, comment)) return false
    const decision = stepId(event.id, 'too late')
    must(await deps.comments.run(commentStream(id), holdComment(decision), envelope(event, 'too late')))
    return true
  }

  const tell = async (event: Recorded): Promise<void> => {
    const id = commentIdOf(event)
    const { state: comment } = await deps.comments.load(event.stream)
    if (!comment || !isStanding(comment)) return
    if (event.type === CommentPosted.type && (await holdLate(id, comment, event))) return
    const { parent, author, mentions, thread } = comment
    const answered = parent === undefined ? undefined : (await deps.comments.load(commentStream(parent))).state
    const told = toldOf(author, {
      // Who deleted what they said has left the talk.
      answered: answered?.isDeleted ? undefined : answered?.author,
      mentioned: mentions,
      authors: await deps.authorsOf(comment),
    })
    for (const [accountId, because] of told) {
      if (!(await deps.mayBeTold(accountId, comment))) continue
      const telling = tellOfComment({ accountId, comment: id, thread, because })
      must(await deps.notices.run(noticeStream(id, accountId), telling, envelope(event, accountId)))
    }
  }

  return subscriber({
    name: 'comment-notices',
    categories: [commentCategory],
    types: [CommentPosted.type, CommentReleased.type],
    from: 'now',
    handle: async (events, signal) => {
      for (const event of events) {
        signal.throwIfAborted()
        await tell(event)
      }
    },
  })
}
