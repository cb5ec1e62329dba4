/**
 * What becomes of comments when the account of who said them is erased: the keys of their texts are destroyed, and stubs stand where there
 * are answers. Done before the account's key is destroyed, and again from the start where a process ended in the middle.
 */
import type { Log } from '../core/log/log.ts'
import type { Envelope, Transactor } from '../core/write/transact.ts'
import { accountStream } from '../domain/account/account.ts'
import type { CommentState } from '../domain/comment/comment.ts'
import { deleteCommentOf } from '../domain/comment/decisions.ts'
import { type CommentEvent, CommentPosted } from '../domain/comment/events.ts'
import { isRefusal, type Refusal } from '../domain/refusal.ts'

export type LeavingCommentsDeps = {
  readonly comments: Pick<Transactor<CommentState, CommentEvent>, 'run'>
  readonly log: Pick<Log, 'readStream' | 'readFrom'>
}

/** The streams of what the account has said, from the log itself: read models may not have all of it yet. */
const saidBy = async ({ log }: LeavingCommentsDeps, accountId: string): Promise<readonly string[]> => {
  for await (const [first] of log.readStream(accountStream(accountId), { limit: 1 })) {
    if (!first) break
    const streams: string[] = []
    for await (const { events } of log.readFrom(first.position, { types: [CommentPosted.type] }))
      for (const { stream, data } of events) if (data['author'] === accountId) streams.push(stream)
    return streams
  }
  return []
}

/** `by`: an envelope of its own for each command. */
export const leaveComments = async (
  deps: LeavingCommentsDeps,
  accountId: string,
  by: () => Envelope,
): Promise<'done' | Refusal> => {
  for (const stream of await saidBy(deps, accountId)) {
    const deleted = await deps.comments.run(stream, deleteCommentOf(accountId), by())
    if (isRefusal(deleted)) return deleted
  }
  return 'done'
}
